import FileSessions
import Ingestion
import LuaHost
import LuaLibrary
import Workspace

/// What a recipe's table says, checked.
struct RecipePlan: Sendable {
  var name: String
  var discover: Discover
  var accept: Rule<Bool> = .absent
  /// Makes what is sent instead of the file.
  var prepare: LuaFunction?
  var rename: Rule<FilenameTemplate> = .absent
  var mimeType: Rule<String> = .absent
  var purpose: Rule<String> = .absent
  var decide: Rule<Decision> = .absent
  var completed: Rule<AfterAction> = .absent
  var failed: Rule<AfterAction> = .absent
  var status: LuaFunction?
  var summary: LuaFunction?
  /// What is done with a file that was sent before and has new content.
  var changed = ChangePolicy.send
  /// Whether the same bytes are sent only once.
  var sendsContentOnce = false
  /// When failed calls to the service are made again; nil: as the engine does it.
  var retries: RetryPolicy?
  /// When a file counts as complete.
  var settling = Settling()
  /// How often discovery is taken again while watching; nil: as the engine sees fit.
  var rediscovery: Duration?
  /// How many of its files are under way at once; nil: any number.
  var concurrency: Int?
  /// The order in which its candidates are taken; nil: as they are found.
  var order: CandidateOrder?
  /// What each call of a handler may use, and the state hold.
  var limits: LuaLimits
  /// What the recipe asks for; it permits nothing by itself.
  var permissions: PermissionDeclaration = .none
  /// Where the functions are defined, for messages.
  var definitions: [RecipeKey: LuaDefinition] = [:]
  /// The handlers that decide, each with its place: `accept (notes.lua:7)`.
  var deciders: [RecipeKey: String] = [:]

  /// Where candidates come from.
  enum Discover: Sendable {
    case walk(WalkSettings)
    /// A glob without wildcards: perhaps a directory is meant.
    case name(ProjectPath, WalkSettings)
    case function(LuaFunction)
  }

  /// What `decide` gives when it gives no verdict.
  struct Decision: Sendable {
    var filename: FilenameTemplate?
    var mimeType: String?
    var purpose: String?
    var data: JobData?
  }

  /// `status`, as the handlers of settled files are called.
  var observing: Rule<AfterAction> { status.map { .function($0) } ?? .absent }

  /// The keys that decide about a file that is sent, in their order.
  var decidingKeys: [RecipeKey] {
    let names: [(RecipeKey, Bool)] =
      decide.isAbsent
      ? [(.rename, !rename.isAbsent), (.mimeType, !mimeType.isAbsent), (.purpose, !purpose.isAbsent)]
      : [(.decide, true)]
    return ([(.accept, !accept.isAbsent), (.prepare, prepare != nil)] + names).filter(\.1).map(\.0)
  }

  /// Whether deciding needs the script.
  var asksScript: Bool {
    prepare != nil || accept.isFunction || rename.isFunction || mimeType.isFunction || purpose.isFunction
      || decide.isFunction
  }
}

/// What a recipe has under a key.
enum Rule<Value: Sendable>: Sendable {
  case absent
  case constant(Value)
  case verdict(Verdict)
  case function(LuaFunction)

  var isFunction: Bool {
    if case .function = self { true } else { false }
  }

  var isAbsent: Bool {
    if case .absent = self { true } else { false }
  }
}

/// A value that a key does not take.
struct WrongValue: Error {
  /// What is wrong, as the rest of a sentence that begins with the key: `a number (42); it takes …`.
  let problem: String

  init(_ problem: String) {
    self.problem = problem
  }

  init(_ value: LuaValue, wanted: String) {
    var hint = ""
    if case .function = value { hint = " (was it meant to be called? moontide.skip(\"why\"))" }
    problem = "\(described(value)); it takes \(wanted)\(hint)"
  }
}

/// What values mean under the keys that take them, as constants and as answers alike.
enum Values {
  static let longestFilename = 255

  /// What `decide` may give.
  static let decisionFields = ["filename", "mime_type", "purpose", "data"]

  /// A filename of 1 to 255 Unicode scalars.
  static func filename(_ text: String) throws(WrongValue) -> String {
    let length = text.unicodeScalars.count
    guard length >= 1 else {
      throw WrongValue("an empty filename; it takes 1 to \(longestFilename) characters")
    }
    guard length <= longestFilename else {
      throw WrongValue("a filename of \(length) characters; it takes 1 to \(longestFilename)")
    }
    return text
  }

  static func text(_ value: LuaValue, wanted: String) throws(WrongValue) -> String {
    guard case .string(let string) = value else { throw WrongValue(value, wanted: wanted) }
    guard let text = string.text else { throw WrongValue("a string that is not UTF-8; it takes \(wanted)") }
    return text
  }

  static func mimeType(_ value: LuaValue, wanted: String) throws(WrongValue) -> String {
    let text = try text(value, wanted: wanted)
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, !parts.contains(where: \.isEmpty),
      !text.contains(where: \.isWhitespace) || text.contains(";")
    else { throw WrongValue(value, wanted: wanted) }
    return text
  }

  static func purpose(_ value: LuaValue, wanted: String) throws(WrongValue) -> String {
    let text = try text(value, wanted: wanted)
    guard !text.isEmpty else { throw WrongValue(value, wanted: wanted) }
    return text
  }

  /// `{ move = DIR }`, `{ copy = DIR }` or `{ remove = true }`; for a file that was given up also a wish to try again.
  static func action(
    _ value: LuaValue, _ key: RecipeKey, wanted: String, in workspace: Workspace
  ) throws(WrongValue) -> AfterAction {
    if key == .failed, let wish = value.object(as: RetryWish.self) {
      return .retry(after: wish.delay.inSeconds)
    }
    guard case .table(let table) = value else { throw WrongValue(value, wanted: wanted) }
    try onlyKnown(table, ["move", "copy", "remove"], wanted: wanted)
    guard table.fields.count == 1, let name = table.names.first, let field = table[name] else {
      let what = table.fields.isEmpty ? "an empty table" : "more than one action"
      throw WrongValue("\(what); it takes \(wanted)")
    }
    if name == "remove" {
      guard field == true else { throw WrongValue("remove = \(described(field)); it takes \(wanted)") }
      return .remove
    }
    guard let directory = field.text, !directory.isEmpty else {
      throw WrongValue("\(name) = \(described(field)); it takes \(wanted)")
    }
    do throws(WorkspaceError) {
      _ = try workspace.path(directory)
    } catch {
      throw WrongValue("\(name) = \"\(escapingControls(directory))\": \(error.message)")
    }
    return name == "move" ? .move(to: directory) : .copy(to: directory)
  }

  /// What stays with a job.
  static func data(_ value: LuaValue) throws(WrongValue) -> JobData {
    let bytes: [UInt8]
    do {
      bytes = try JSONWriter.write(value)
    } catch {
      let problem = (error as? LuaValueError)?.problem ?? "\(error)"
      throw WrongValue("`data` that cannot be kept as JSON: \(problem)")
    }
    guard let data = JobData(json: String(decoding: bytes, as: UTF8.self)) else {
      throw WrongValue(
        "`data` of \(bytes.count) bytes as JSON; it takes \(JobData.mostBytes) at the most, and what is larger "
          + "belongs into a file")
    }
    return data
  }

  /// Refuses fields that are not known, and values without a name.
  static func onlyKnown(_ table: LuaTable, _ known: [String], wanted: String) throws(WrongValue) {
    guard table.array.isEmpty else { throw WrongValue("a list; it takes \(wanted)") }
    for key in table.fields.keys.sorted(by: { $0.description < $1.description }) {
      if case .string(let string) = key, let name = string.text, known.contains(name) { continue }
      let hint = nearestName(to: key.description, in: known).map { "did you mean `\($0)`?" }
      throw WrongValue(
        "a table with the unknown field `\(key)`; \(hint ?? "the fields are \(known.joined(separator: ", "))")"
      )
    }
  }
}
