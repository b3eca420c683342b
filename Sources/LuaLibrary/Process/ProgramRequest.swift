import LuaHost

/// A program to run, as a script asked for it; everything in it is checked.
struct ProgramRequest: Sendable {
  /// A name without a slash, or an absolute path.
  let program: String
  /// Without the program itself. Bytes, as file names may be anything.
  let arguments: [[UInt8]]
  let input: [UInt8]
  /// Where it starts.
  let directory: WantedFile
  /// All of its environment.
  let environment: [String: String]
  let timeout: Duration
  /// Bytes of standard output, and as many of standard error.
  let maximumOutput: Int

  static let usualTimeout = Duration.seconds(300)
  static let usualOutput = 1 << 20

  /// Names that a program is given without asking; they tell where things are and how to write, no secrets.
  private static let plainVariables: Set<String> = [
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TERM",
  ]

  /// Prefixes of names that make the system's loader run other code than the program that was permitted.
  private static let loaderPrefixes = ["LD_", "DYLD_", "GCONV_", "GLIBC_"]

  /// Reads `{ "pandoc", "-o", "out.html", "in.md", stdin =, cwd =, env =, timeout =, max_output = }`.
  ///
  /// - Throws: `LuaValueError`; `PermissionError` when the program is not permitted.
  init(_ call: inout LuaCall, in context: LibraryContext) throws {
    let name = call.name
    let fields = try call.fields(1)
    try fields.onlyKnown(["stdin", "cwd", "env", "timeout", "max_output"], allowsList: true)
    let words = try fields.table.array.enumerated().map { index, value in
      guard case .string(let word) = value, !word.bytes.contains(0) else {
        throw LuaValueError(
          place: "\(name): field [\(index + 1)]", wanted: "string without NUL", got: value.summary,
          hint: "arguments are strings: tostring(n)")
      }
      return word
    }
    guard let first = words.first?.text, !first.isEmpty else {
      throw LuaValueError(
        place: name, problem: "there is no program", hint: "as in { \"pandoc\", \"in.md\" }")
    }
    program = first.contains("/") ? PathBase(directory: context.workspace.rootPath).absolute(first) : first
    try context.require(.run(program), by: name)
    arguments = words.dropFirst().map(\.bytes)

    if let value = fields["stdin"] {
      guard case .string(let text) = value else { throw fields.error("stdin", wanted: "string") }
      input = text.bytes
    } else {
      input = []
    }
    directory = try WantedFile(fields.optionalString("cwd") ?? ".", .read, by: name, in: context)
    let seconds = try fields.optionalNumber("timeout")
    guard seconds.map({ $0 > 0 && $0 <= LuaLibrary.longestWait }) ?? true else {
      throw fields.error("timeout", wanted: "number of seconds, more than 0")
    }
    timeout = seconds.map { .seconds($0) } ?? Self.usualTimeout
    maximumOutput = try fields.optionalInt("max_output", in: 0...FileContent.largestRead) ?? Self.usualOutput
    environment = try Self.environment(fields, context)
  }

  /// The plain variables, those that the script may read, and those that it sets.
  private static func environment(_ fields: LuaFields, _ context: LibraryContext) throws -> [String: String] {
    var result: [String: String] = [:]
    for name in context.environment.names {
      let isPlain = plainVariables.contains(name) || name.hasPrefix("LC_")
      if isPlain || context.permissions.denial(of: .env(name)) == nil {
        result[name] = context.environment[name]
      }
    }
    guard let given = try fields.optionalFields("env") else { return result }
    for (key, value) in given.table.fields {
      guard case .string(let string) = key, let name = string.text, PermissionSet.isVariableName(name) else {
        throw LuaValueError(place: given.place, problem: "\"\(key)\" is no name of an environment variable")
      }
      if loaderPrefixes.contains(where: name.hasPrefix) {
        throw LuaValueError(
          place: given.place, problem: "\(name) makes a program run other code, and is never set for one")
      }
      if case .never(let why) = context.permissions.denial(of: .env(name)) {
        throw LuaValueError(place: given.place, problem: "\(name): \(why)")
      }
      guard let text = value.text, !text.utf8.contains(0) else {
        throw given.error(name, wanted: "string without NUL")
      }
      result[name] = text
    }
    guard given.table.array.isEmpty else {
      throw LuaValueError(place: given.place, problem: "a value without a name", hint: "write NAME = value")
    }
    return result
  }
}
