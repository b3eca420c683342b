import Workspace

extension Failure {
  /// What files that failed like this one have in common: a code, the place in a script, the recipe's own reason, or
  /// just the kind. Failures are grouped by it everywhere.
  package func reason(path: ProjectPath) -> String {
    if let code { return code }
    switch kind {
    case .rejected: return message.split(separator: "\n").first.map(String.init) ?? kind.rawValue
    case .script, .stopped:
      // "broken.lua:4: in rename for in/b.md: …"
      guard let place = message.firstRange(of: " for \(path): "), place.lowerBound > message.startIndex else {
        return kind.rawValue
      }
      return String(message[..<place.lowerBound])
    case .service, .limit, .file, .changing: return kind.rawValue
    }
  }
}
