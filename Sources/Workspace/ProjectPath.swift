/// A path below the project directory, normalized: `notes/a.md`; the project itself is `.`.
///
/// There is no `..`, no `.`, no empty component and no NUL in it. It is text only: whether links lead
/// elsewhere is found out when it is used. Two paths are equal when their bytes are; "é" written in
/// two ways names two files, as it does for the file system.
package struct ProjectPath: Sendable {
  /// The path with `/` between the components; `.` for the project itself.
  package let string: String

  /// The project directory itself.
  package static let root = ProjectPath(normalized: "")

  /// Normalizes a relative path: `./a//b/../c` becomes `a/c`.
  ///
  /// `..` is folded as text. Throws `outside` where it leads above the project or the path is absolute
  /// (`Workspace.path(_:)` takes absolute ones), `invalidName` for an empty path or one with a NUL.
  package init(_ text: String) throws(WorkspaceError) {
    guard !text.isEmpty else {
      throw WorkspaceError(.invalidName, path: text, "the path is empty; name a file, or . for the project")
    }
    self = try ProjectPath.root.appending(text)
  }

  /// The same for bytes that may not be UTF-8; throws `invalidName` when they are not.
  package init(bytes: some Sequence<UInt8>) throws(WorkspaceError) {
    let bytes = Array(bytes)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .notUTF8(repaired(bytes))
    }
    try self.init(text)
  }

  init(normalized string: String) {
    self.string = string.isEmpty ? "." : string
  }

  init(components: [String]) {
    self.init(normalized: components.joined(separator: "/"))
  }

  package var isRoot: Bool { string == "." }

  /// The names on the way; none for the project itself.
  package var components: [String] { isRoot ? [] : split(string) }

  /// The last component; `.` for the project itself.
  package var name: String {
    guard let slash = string.utf8.lastIndex(of: .slash) else { return string }
    return String(Substring(string.utf8[string.utf8.index(after: slash)...]))
  }

  /// The name without its extension: `a.tar` of `a.tar.gz`, `.profile` of `.profile`.
  package var stem: String { Self.splitName(name).stem }

  /// The extension with its dot: `.gz` of `a.tar.gz`; empty where there is none.
  package var ext: String { Self.splitName(name).ext }

  /// The directory that it is in; nil for the project itself.
  package var parent: ProjectPath? { isRoot ? nil : ProjectPath(components: components.dropLast()) }

  /// The path of something seen from this one: `appending("../b")` goes up, but never above the project.
  ///
  /// Throws `outside` where it would, and for an absolute path.
  package func appending(_ text: String) throws(WorkspaceError) -> ProjectPath {
    guard !text.utf8.contains(0) else { throw .hasNUL(text) }
    guard text.utf8.first != .slash else { throw .outside(text) }
    var result = components
    for component in split(text) where component != "." {
      if component != ".." {
        result.append(component)
      } else if result.popLast() == nil {
        throw .outside(text)
      }
    }
    return ProjectPath(components: result)
  }

  /// Whether this is `ancestor` or below it.
  package func isWithin(_ ancestor: ProjectPath) -> Bool { relative(to: ancestor) != nil }

  /// The path from `ancestor` to here (`.` when it is the same); nil when it is not below it.
  package func relative(to ancestor: ProjectPath) -> String? {
    if ancestor.isRoot { return string }
    if self == ancestor { return "." }
    let prefix = ancestor.string.utf8
    guard string.utf8.starts(with: prefix), string.utf8.dropFirst(prefix.count).first == .slash else {
      return nil
    }
    return String(Substring(string.utf8.dropFirst(prefix.count + 1)))
  }

  static func splitName(_ text: String) -> (stem: String, ext: String) {
    let name = text.utf8
    guard
      let dot = name.lastIndex(of: UInt8(ascii: ".")), dot != name.startIndex,
      name.index(after: dot) != name.endIndex,
      name[..<dot].contains(where: { $0 != UInt8(ascii: ".") })
    else { return (text, "") }
    return (String(Substring(name[..<dot])), String(Substring(name[dot...])))
  }
}

// By bytes: `String` takes two names for the same that differ only in how an accent is encoded.
extension ProjectPath: Hashable, Comparable, CustomStringConvertible {
  package static func == (a: Self, b: Self) -> Bool { a.string.utf8.elementsEqual(b.string.utf8) }

  package static func < (a: Self, b: Self) -> Bool {
    a.string.utf8.lexicographicallyPrecedes(b.string.utf8)
  }

  package func hash(into hasher: inout Hasher) {
    var string = string
    string.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    hasher.combine(0xFF as UInt8)
  }

  package var description: String { string }
}

extension UInt8 {
  static let slash = UInt8(ascii: "/")
  static let dot = UInt8(ascii: ".")
}

extension WorkspaceError {
  static func hasNUL(_ text: String) -> WorkspaceError {
    WorkspaceError(
      .invalidName, path: text, "\(quoted(text)) is no path: it has a NUL character in it; remove it")
  }

  static func notUTF8(_ repaired: String) -> WorkspaceError {
    WorkspaceError(
      .invalidName, path: repaired,
      "the name of \(quoted(repaired)) is not UTF-8; rename the file (convmv -f latin1 -t utf8 helps)")
  }
}

/// The components between slashes, without empty ones.
///
/// By bytes, since a `/` followed by a combining accent is one `Character` and would be missed.
func split(_ path: String) -> [String] {
  path.utf8.split(separator: .slash).map { String(Substring($0)) }
}
