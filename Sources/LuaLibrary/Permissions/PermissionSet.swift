import LuaHost

/// Things that are permitted, or asked for: of each kind some, or all.
package struct PermissionSet: Hashable, Sendable {
  /// How much of one kind.
  package struct Extent: Hashable, Sendable {
    package var everything = false
    package var items: Set<String> = []

    package var isEmpty: Bool { !everything && items.isEmpty }
  }

  /// What there is of each kind; never an empty one.
  package private(set) var extents: [PermissionKind: Extent] = [:]

  package init() {}

  package var isEmpty: Bool { extents.isEmpty }

  /// Everything of every kind.
  package static let everything: PermissionSet = {
    var set = PermissionSet()
    for kind in PermissionKind.allCases { set.insertAll(kind) }
    return set
  }()

  package subscript(kind: PermissionKind) -> Extent { extents[kind] ?? Extent() }

  package mutating func insertAll(_ kind: PermissionKind) {
    extents[kind, default: Extent()].everything = true
  }

  /// Adds one object as a person wrote it; paths stay as they are until `resolved`.
  package mutating func insert(_ text: String, _ kind: PermissionKind) throws(PermissionSyntaxError) {
    extents[kind, default: Extent()].items.insert(try Self.checked(text, kind))
  }

  package mutating func formUnion(_ other: PermissionSet) {
    for (kind, extent) in other.extents {
      extents[kind, default: Extent()].everything = self[kind].everything || extent.everything
      extents[kind, default: Extent()].items.formUnion(extent.items)
    }
  }

  /// The same with all paths absolute: those of files with links resolved, those of programs as they are.
  /// Looks at the disk, so it blocks.
  package func resolved(_ base: PathBase) -> PermissionSet {
    var result = self
    for kind in [PermissionKind.read, .write] {
      result.extents[kind]?.items = Set(self[kind].items.map { RealPath.resolve(base.absolute($0)) })
    }
    result.extents[.run]?.items = Set(self[.run].items.map { $0.contains("/") ? base.absolute($0) : $0 })
    return result
  }

  /// Whether this permits an access. Paths of both are resolved beforehand.
  func covers(_ access: Access) -> Bool {
    let extent = self[access.kind]
    if extent.everything { return true }
    return switch access {
    case .read, .write: false
    case .readOutside(let path), .writeOutside(let path):
      extent.items.contains { RealPath.isWithin(path, $0) }
    case .net(let host, let port):
      extent.items.contains { (try? NetItem($0))?.covers(host: host, port: port) ?? false }
    case .env(let name): extent.items.contains(name)
    case .run(let program): extent.items.contains(program)
    case .service(let scope): extent.items.contains(scope)
    }
  }

  /// One line for each kind, for a person who has to decide: `net: hooks.slack.com, example.com:8080`.
  package var lines: [String] {
    extents.sorted { $0.key < $1.key }.map { kind, extent in
      let items = extent.items.sorted().map(escapingControls)
      return "\(kind.rawValue): " + (extent.everything ? "everything" : items.joined(separator: ", "))
    }
  }

  private static func checked(_ text: String, _ kind: PermissionKind) throws(PermissionSyntaxError) -> String
  {
    guard !text.isEmpty, !text.utf8.contains(0) else {
      throw PermissionSyntaxError(
        problem: text.isEmpty ? "a name wanted, got an empty one" : "there is a NUL in it")
    }
    switch kind {
    case .read, .write, .run: return text
    case .net: return try NetItem(text).text
    case .env:
      guard isVariableName(text) else {
        throw PermissionSyntaxError(
          problem: "\"\(escapingControls(text))\" is no name of an environment variable; "
            + "it has letters, digits and _, as in SLACK_TOKEN")
      }
      return text
    case .service:
      guard ServiceScope.all.contains(text) else {
        let nearest = nearestName(to: text, in: ServiceScope.all).map { "did you mean \($0)?" }
        throw PermissionSyntaxError(
          problem: "\"\(escapingControls(text))\" is no scope of the API; "
            + (nearest ?? "there are \(ServiceScope.all.joined(separator: ", "))"))
      }
      return text
    }
  }

  static func isVariableName(_ text: String) -> Bool {
    let bytes = text.utf8
    guard let first = bytes.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
      return false
    }
    return bytes.allSatisfy { byte in
      byte == UInt8(ascii: "_") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
  }
}

extension PermissionSet: Codable {
  /// As in a recipe: `{"net": ["hooks.slack.com"], "read": true}`.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    for key in container.allKeys {
      guard let kind = PermissionKind(rawValue: key.stringValue) else {
        throw DecodingError.dataCorruptedError(
          forKey: key, in: container, debugDescription: "unknown permission \(key.stringValue)")
      }
      if let all = try? container.decode(Bool.self, forKey: key) {
        if all { insertAll(kind) }
      } else {
        for item in try container.decode([String].self, forKey: key) { try insert(item, kind) }
      }
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    for (kind, extent) in extents {
      if extent.everything {
        try container.encode(true, forKey: Key(kind.rawValue))
      } else {
        try container.encode(extent.items.sorted(), forKey: Key(kind.rawValue))
      }
    }
  }

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
}
