import FileSessions
import FoundationEssentials
import LuaLibrary
import Workspace

/// The profiles that a project names in `.moontide/profiles.json`: where a service is, and where its key comes from.
///
/// ```json
/// {
///   "version": 1,
///   "profiles": {
///     "staging":    { "base_url": "https://staging.example.com", "key": { "env": "STAGING_KEY" } },
///     "lightfield": { "key": { "credential": "lightfield-key" } }
///   }
/// }
/// ```
struct ProfileCatalog: Hashable, Sendable {
  struct Entry: Hashable, Sendable {
    var address: ServiceAddress
    var key: KeySource
  }

  static let local = "local"
  static let lightfield = "lightfield"
  /// What Lightfield's keys begin with.
  private static let keyPrefix = "sk_lf_"

  var entries: [String: Entry] = [:]

  static func file(in statePath: String) -> StateFile { StateFile(path: statePath + "/profiles.json") }

  /// The project's profiles; none where it has no file of them.
  static func read(in workspace: Workspace) throws(CommandFailure) -> ProfileCatalog {
    let file = file(in: workspace.statePath)
    return try ProfileCatalog(optional: try file.read(), in: workspace, path: file.path)
  }

  /// Changes the project's file, whose directory must be there.
  static func change(
    in workspace: Workspace, _ body: (inout ProfileCatalog) -> Void
  ) throws(CommandFailure) {
    let file = file(in: workspace.statePath)
    try file.change { data throws(CommandFailure) in
      var catalog = try ProfileCatalog(optional: data, in: workspace, path: file.path)
      body(&catalog)
      let json = catalog.json
      // A key in the place of its variable's name, say: written, it would have to be replaced.
      guard !holdsKey(json) else {
        throw CommandFailure(
          .usage, "This is an API key; say where the key comes from, and never what it is.")
      }
      return Data((JSONText.pretty(json) + "\n").utf8)
    }
  }

  init() {}

  private init(optional content: Data?, in workspace: Workspace, path: String) throws(CommandFailure) {
    self.init()
    guard let content else { return }
    let base = PathBase(directory: workspace.rootPath, home: LaunchEnvironment.variables["HOME"])
    self = try ProfileCatalog(content, base: base, path: path)
  }

  /// Reads the file's content.
  ///
  /// - Parameters:
  ///   - base: makes a path of the file absolute.
  ///   - path: the file, for errors.
  private init(_ content: Data, base: PathBase, path: String) throws(CommandFailure) {
    let parser = Parser(path: path, base: base)
    guard let json = try? JSONDecoder().decode(JSONValue.self, from: content) else {
      throw parser.wrong("it is not JSON")
    }
    // Before anything else, so that no other error can quote it.
    if Self.holdsKey(json) {
      throw parser.wrong(
        "it holds an API key, which never stands in this file; say where the key comes from instead, "
          + #"as in "key": { "env": "STAGING_KEY" }, and replace the key that stood here"#)
    }
    entries = try parser.entries(json)
  }

  private var json: JSONValue {
    let profiles = entries.mapValues { entry in
      JSONValue.object(["base_url": .string(entry.address.description), "key": Self.json(entry.key)])
    }
    return .object(["version": .integer(1), "profiles": .object(profiles)])
  }

  private static func json(_ key: KeySource) -> JSONValue {
    switch key {
    case .variable(let name): .object(["env": .string(name)])
    case .file(let path): .object(["file": .string(path)])
    case .credential(let name): .object(["credential": .string(name)])
    }
  }

  private static func holdsKey(_ json: JSONValue) -> Bool {
    switch json {
    case .string(let text): text.contains(keyPrefix)
    case .array(let values): values.contains(where: holdsKey)
    case .object(let fields): fields.contains { $0.key.contains(keyPrefix) || holdsKey($0.value) }
    case .null, .bool, .integer, .number: false
    }
  }

  /// Why this cannot be the name of a profile; nil when it can.
  static func problem(ofName name: String) -> String? {
    if name == local { return "local is always the embedded service" }
    let isPlain = name.utf8.allSatisfy { byte in
      byte.isASCIILetter || (48...57).contains(byte) || [45, 46, 95].contains(byte)
    }
    return isPlain && !name.isEmpty ? nil : "a profile's name has letters, digits, - . and _"
  }

  /// Why this cannot be where a key comes from; nil when it can.
  static func problem(of source: KeySource) -> String? {
    switch source {
    case .variable(let name):
      let isName = name.utf8.allSatisfy { $0.isASCIILetter || (48...57).contains($0) || $0 == 95 }
      return isName && !name.isEmpty && !(48...57).contains(name.utf8.first ?? 48)
        ? nil : "\"env\" takes the name of an environment variable, such as STAGING_KEY"
    case .file(let path):
      return path.hasPrefix("/") ? nil : "\"file\" takes a path"
    case .credential(let name):
      return !name.isEmpty && !name.contains("/") && !name.hasPrefix(".")
        ? nil : "\"credential\" takes the name of a systemd credential"
    }
  }
}

extension UInt8 {
  fileprivate var isASCIILetter: Bool { (65...90).contains(self) || (97...122).contains(self) }
}

/// Reads the file field by field, so that an error can say which profile is wrong and how.
private struct Parser {
  let path: String
  let base: PathBase

  func wrong(_ problem: String) -> CommandFailure { CommandFailure(.usage, "\(path): \(problem).") }

  func entries(_ json: JSONValue) throws(CommandFailure) -> [String: ProfileCatalog.Entry] {
    guard case .object(let top) = json, case .object(let profiles)? = top["profiles"] else {
      throw wrong(#"it is an object with "version": 1 and "profiles""#)
    }
    guard top["version"] == .integer(1) else {
      throw wrong(#"its "version" is not 1; a later version of Moontide may have written it"#)
    }
    try onlyKnown(top, ["version", "profiles"], in: "the file")
    var entries: [String: ProfileCatalog.Entry] = [:]
    for (name, value) in profiles.sorted(by: { $0.key < $1.key }) {
      let place = "profile \"\(name)\""
      if let problem = ProfileCatalog.problem(ofName: name) { throw wrong("\(place): \(problem)") }
      guard case .object(let fields) = value else { throw wrong("\(place) is not an object") }
      try onlyKnown(fields, ["base_url", "key"], in: place)
      entries[name] = ProfileCatalog.Entry(
        address: try address(fields["base_url"], of: name, in: place), key: try key(fields["key"], in: place))
    }
    return entries
  }

  private func address(
    _ value: JSONValue?, of name: String, in place: String
  ) throws(CommandFailure) -> ServiceAddress {
    let isLightfield = name == ProfileCatalog.lightfield
    if value == nil, isLightfield { return .lightfield }
    guard let text = value?.string else { throw wrong(#"\#(place) has no "base_url""#) }
    let address = try ServiceAddress(text, from: "\(path): \(place)")
    guard !isLightfield || address == .lightfield else {
      throw wrong("\(place) is always \(ServiceAddress.lightfield); give the other service a name of its own")
    }
    return address
  }

  private func key(_ value: JSONValue?, in place: String) throws(CommandFailure) -> KeySource {
    guard case .object(let fields)? = value, fields.count == 1, let (kind, place2) = fields.first,
      let text = place2.string
    else {
      throw wrong(
        #"\#(place): "key" says where the key comes from, and never what it is: { "env": NAME }, "#
          + #"{ "file": PATH } or { "credential": NAME }"#)
    }
    let source: KeySource
    switch kind {
    case "env": source = .variable(text)
    case "file": source = .file(base.absolute(text))
    case "credential": source = .credential(text)
    default: throw wrong(#"\#(place): a "key" comes from "env", "file" or "credential", not "\#(kind)""#)
    }
    if let problem = ProfileCatalog.problem(of: source) { throw wrong("\(place): \(problem)") }
    return source
  }

  private func onlyKnown(
    _ fields: [String: JSONValue], _ known: [String], in place: String
  ) throws(CommandFailure) {
    guard let unknown = fields.keys.sorted().first(where: { !known.contains($0) }) else { return }
    throw wrong("\(place) has the unknown field \"\(unknown)\"; known are \(known.joined(separator: ", "))")
  }
}
