import Ingestion

/// What went wrong in a run, by reason, with the command that tries it again.
///
/// It keeps a few paths of each reason and a bounded number of reasons, however many files failed.
struct FailureRollup: Sendable {
  struct Group: Sendable {
    let recipe: String
    /// The kind of the failure; nil for an after-step of a file that was sent.
    let kind: Failure.Kind?
    /// As `jobs retry --reason` takes it.
    let reason: String
    fileprivate(set) var count = 0
    fileprivate(set) var paths: [String] = []
    /// What tries them again.
    fileprivate(set) var command: String
  }

  private static let mostPaths = 3
  private static let mostGroups = 50

  private struct Key: Hashable {
    var recipe: String
    var kind: Failure.Kind?
    var reason: String
  }

  /// In the order in which they came up.
  private(set) var groups: [Group] = []
  private var places: [Key: Int] = [:]
  /// Hashes of the paths whose after-step failed: a run tries it more than once.
  private var steps: Set<Int> = []
  /// The command line that began the run, without the program.
  private let command: String
  /// What names the project in another command.
  private let projectFlags: String

  init(command: String, projectFlags: String) {
    self.command = command
    self.projectFlags = projectFlags
  }

  mutating func add(_ failure: Failure, path: String, recipe: String, profile: String) {
    let key = Key(recipe: recipe, kind: failure.kind, reason: failure.reason(path: path))
    add(path, key) { [projectFlags] reason in
      Self.retry(profile: profile, recipe: recipe, reason: reason, projectFlags: projectFlags)
    }
  }

  /// What was to be done with a file that was sent has failed; the run itself tries it again, the next time.
  mutating func addStep(_ message: String, path: String, recipe: String) {
    guard steps.insert(path.hashValue).inserted else { return }
    let reason = Failure(.script, message).reason(path: path)
    let key = Key(
      recipe: recipe, kind: nil, reason: reason == Failure.Kind.script.rawValue ? message : reason)
    add(path, key) { [command] _ in "moontide \(command)" }
  }

  /// The command that has files of a recipe tried again that failed for a reason.
  static func retry(profile: String, recipe: String, reason: String, projectFlags: String) -> String {
    "moontide jobs retry\(projectFlags) --profile \(profile.shellWord) --recipe \(recipe.shellWord) --reason "
      + reason.shellWord
  }

  /// Forgets the after-steps that failed: all of them were made good.
  mutating func forgetSteps() {
    groups.removeAll { $0.kind == nil }
  }

  /// Forgets all that was noted.
  mutating func clear() { (groups, places, steps) = ([], [:], []) }

  private mutating func add(_ path: String, _ key: Key, _ command: (String) -> String) {
    var key = key
    // Reasons that have something of the file in them may be as many as the files.
    if places[key] == nil, groups.count >= Self.mostGroups {
      key.reason = key.kind?.rawValue ?? "other reasons"
    }
    let index = places[key] ?? groups.count
    if index == groups.count {
      places[key] = index
      groups.append(
        Group(recipe: key.recipe, kind: key.kind, reason: key.reason, command: command(key.reason)))
    }
    groups[index].count += 1
    if groups[index].paths.count < Self.mostPaths { groups[index].paths.append(path) }
  }

  /// The lines, nil where nothing went wrong. The most frequent reason comes first.
  var text: String? {
    if groups.isEmpty { return nil }
    return groups.sorted { $0.count > $1.count }.map { group in
      let what = group.kind?.rawValue ?? "sent, after-step failed"
      let reason = group.reason == group.kind?.rawValue ? "" : ": \(group.reason.printable)"
      let paths = group.paths.map(\.printable).joined(separator: ", ")
      let more = group.count > group.paths.count ? ", …" : ""
      return """
        \(Format.count(group.count, "file")) of \(group.recipe.printable), \(what)\(reason)
            \(paths)\(more)
            again: \(group.command)
        """
    }.joined(separator: "\n")
  }
}

extension Failure {
  /// What files that failed like this one have in common, in words that occur in the record of each: a code, the
  /// place in a script, the recipe's own reason, or just the kind.
  func reason(path: String) -> String {
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
