import Workspace

/// The name of the file beside a file that says that it is complete: `{name}.done`, `{stem}.ready`, or `READY`.
package struct ReadyMarker: Hashable, Sendable {
  private enum Part: String {
    case name = "{name}"
    case stem = "{stem}"
  }

  /// What is wrong with a template.
  package struct Problem: Error, Hashable, Sendable {
    package let message: String
  }

  /// As it was written.
  package let template: String
  private let prefix: String
  private let part: Part?
  private let suffix: String

  /// Reads a template: a file's name in which `{name}` or `{stem}` may stand once.
  package init(_ template: String) throws(Problem) {
    self.template = template
    let found = [Part.name, .stem].compactMap { part in
      template.firstRange(of: part.rawValue).map { (part, $0) }
    }
    guard found.count <= 1 else { throw Problem(message: "it takes one of {name} and {stem}") }
    part = found.first?.0
    prefix = found.first.map { String(template[..<$0.1.lowerBound]) } ?? template
    suffix = found.first.map { String(template[$0.1.upperBound...]) } ?? ""
    guard !(prefix + suffix).isEmpty else { throw Problem(message: "the marker would be the file itself") }
    guard !(prefix + suffix).contains(where: { "/{}".contains($0) }), !(prefix + suffix).utf8.contains(0)
    else { throw Problem(message: "it takes a name beside the file, with {name} or {stem} in it") }
  }

  /// The marker that a file waits for.
  package func path(for file: ProjectPath) -> ProjectPath? {
    let core =
      switch part {
      case .name: file.name
      case .stem: file.stem
      case nil: ""
      }
    return try? file.parent?.appending(prefix + core + suffix)
  }

  /// Whether a name is that of a marker, so that it is no candidate.
  package func isMarker(_ name: String) -> Bool {
    guard part != nil else { return name == prefix }
    return name.hasPrefix(prefix) && name.hasSuffix(suffix)
      && name.utf8.count > prefix.utf8.count + suffix.utf8.count
  }

  /// The only file that a marker can be for; nil when there may be several.
  package func file(of marker: ProjectPath) -> ProjectPath? {
    guard part == .name, isMarker(marker.name) else { return nil }
    return try? marker.parent?.appending(String(marker.name.dropFirst(prefix.count).dropLast(suffix.count)))
  }
}
