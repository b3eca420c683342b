import LuaHost

/// The keys of a recipe.
enum RecipeKey: String, CaseIterable, Sendable {
  case name
  case discover
  case accept
  case rename
  case mimeType = "mime_type"
  case purpose
  case decide
  case completed
  case failed
  case status
  case summary
  case changed
  case dedupe
  case retries
  case settle
  case inProgress = "in_progress"
  case ready
  case rescan
  case every
  case concurrency
  case order
  case limits
  case permissions

  /// What the key takes, for a message: as a value, and as what its function gives.
  var wanted: (value: String, answer: String) {
    switch self {
    case .name: ("a name of letters, digits, - _ and ., at most 64", "")
    case .discover:
      (
        "a glob, a table of root, include, exclude and hidden, or a function",
        "a list of paths, an iterator, or nothing after yielding paths"
      )
    case .accept:
      ("true, false, a verdict or a function", "true, false, or a verdict such as moontide.skip(\"why\")")
    case .rename:
      ("a template such as \"{stem}-{date}{ext}\", or a function", "a string (the filename to ask for)")
    case .mimeType:
      (
        "a MIME type such as \"text/plain\", or a function",
        "a MIME type such as \"text/plain\", or nil to detect it"
      )
    case .purpose:
      (
        "a purpose such as \"knowledge_workspace\", or a function",
        "a purpose such as \"knowledge_workspace\", or nil"
      )
    case .decide:
      (
        "a function, a verdict, or a table of filename, mime_type, purpose and data",
        "a verdict, or a table of filename, mime_type, purpose and data"
      )
    case .completed:
      (
        "{ move = DIR }, { copy = DIR }, { remove = true } or a function",
        "{ move = DIR }, { copy = DIR }, { remove = true } or nothing"
      )
    case .failed:
      (
        "{ move = DIR }, { copy = DIR }, { remove = true }, moontide.retry(SECONDS) or a function",
        "{ move = DIR }, { copy = DIR }, { remove = true }, moontide.retry(SECONDS) or nothing"
      )
    case .status, .summary: ("a function", "")
    case .changed: ("\"send\", \"skip\" or \"fail\"", "")
    case .retries:
      ("a table such as { attempts = 5, first = \"1s\", longest = \"1m\" }", "")
    case .dedupe: ("\"content\"", "")
    case .settle: ("seconds, such as 5, or a text such as \"500ms\" or \"2m\"", "")
    case .inProgress: ("a list of names such as { \"*.part\", \"*.tmp\" }", "")
    case .ready: ("a marker's name such as \"{name}.done\"", "")
    case .rescan, .every: ("a time above 0: seconds, or a text such as \"90s\" or \"15m\"", "")
    case .concurrency: ("a whole number from 1 to 256", "")
    case .order: ("\"newest\", \"oldest\" or \"smallest\"", "")
    case .limits: ("a table such as { instructions = 1000000, memory = \"32M\", seconds = 2 }", "")
    case .permissions: ("a table such as { net = { \"hooks.slack.com\" }, env = { \"SLACK_HOOK\" } }", "")
    }
  }

  /// Keys that the design has and this version does not carry out.
  static let later = [
    "prepare", "plugins",
    "optional",
  ]

  /// What is wrong with a key that is not one of these.
  static func problem(with key: LuaKey) -> String {
    guard case .string(let string) = key, let name = string.text else {
      return "a recipe has only named keys, and this one has \(key)"
    }
    if later.contains(name) { return "the key `\(name)` is not supported by this version; remove it" }
    let known = allCases.map(\.rawValue)
    let hint =
      nearestName(to: name, in: known + later).map { "did you mean `\($0)`?" }
      ?? "the keys are \(known.joined(separator: ", "))"
    return "unknown key `\(escapingControls(name))`; \(hint)"
  }
}

/// A value in a message: its type, and what it is when that is short.
func described(_ value: LuaValue) -> String {
  switch value {
  case .nil: "nil"
  case .boolean(let flag): "\(flag)"
  case .integer, .number, .string:
    value.typeName == "string"
      ? "a string (\(value.summary.dropFirst("string ".count)))"
      : "a number (\(value.summary.dropFirst("number ".count)))"
  case .table, .function: "a \(value.typeName)"
  case .object(let object):
    "\("aeiou".contains(object.typeName.first ?? "x") ? "an" : "a") \(object.typeName)"
  case .reference(let reference): "a \(reference.typeName)"
  }
}
