import Ingestion
import Workspace

/// What went wrong in a run, by reason, with the command that tries it again.
///
/// It keeps a few paths of each reason and a bounded number of reasons, however many files failed.
struct FailureRollup: Sendable {
  struct Group: Sendable {
    let recipe: String
    /// The kind of the failure; nil for an after-step of a file that was sent.
    let kind: Failure.Kind?
    /// What the failures have in common: ``Failure/reason(path:)``.
    let reason: String
    /// Whether these are the rest of their kind, for other reasons than those of the other groups.
    fileprivate let isRest: Bool
    fileprivate(set) var count = 0
    fileprivate(set) var paths: [String] = []
    /// What the first one failed with.
    fileprivate(set) var message = ""
    /// Whether the files of an after-step were sent; they were given up else.
    fileprivate let isSent: Bool
    /// What tries them again; those of a rest, together with all others of their kind.
    fileprivate(set) var command: String

    /// What the command does, in a word or a few.
    fileprivate var again: String { isRest && kind != nil ? "all of this kind again" : "again" }
  }

  private static let mostPaths = 3
  private static let mostGroups = 50

  private struct Key: Hashable {
    var recipe: String
    var kind: Failure.Kind?
    var reason: String
    var isSent = false
    var isRest = false
  }

  /// In the order in which they came up.
  private(set) var groups: [Group] = []
  private var places: [Key: Int] = [:]
  /// In which group each file is, by a hash: what fails more than once counts once.
  private var members: [Int: Int] = [:]
  /// The command line that began the run, without the program.
  private let command: String
  /// What names the project in another command.
  private let projectFlags: String

  init(command: String, projectFlags: String) {
    self.command = command
    self.projectFlags = projectFlags
  }

  mutating func add(_ failure: Failure, path: ProjectPath, recipe: String, profile: String) {
    let key = Key(recipe: recipe, kind: failure.kind, reason: failure.reason(path: path))
    add(path.string, failure.message, key) { [projectFlags] key in
      Self.retry(
        profile: profile, recipe: recipe, kind: failure.kind, reason: key.isRest ? nil : key.reason,
        projectFlags: projectFlags)
    }
  }

  /// What was to be done with a file that was sent has failed; the run itself tries it again, the next time.
  mutating func addStep(_ message: String, path: ProjectPath, recipe: String) {
    // Of a file that was given up, its own failure is what counts.
    let isSent = members[path.string.hashValue].map { groups[$0].kind == nil && groups[$0].isSent } ?? true
    if !isSent { return }
    let reason = Failure(.script, message).reason(path: path)
    let key = Key(
      recipe: recipe, kind: nil, reason: reason == Failure.Kind.script.rawValue ? message : reason,
      isSent: true)
    add(path.string, message, key) { [command] _ in "moontide \(command)" }
  }

  /// The command that has just those files of a recipe tried again that failed for a reason; nil: for any of the kind.
  static func retry(
    profile: String, recipe: String, kind: Failure.Kind, reason: String?, projectFlags: String
  ) -> String {
    "moontide jobs retry\(projectFlags)\(option("profile", profile))\(option("recipe", recipe)) "
      + "--kind \(kind.rawValue)" + (reason.map { option("reason", $0) } ?? "")
  }

  /// An option with its value, which may look like one itself.
  private static func option(_ name: String, _ value: String) -> String {
    " --\(name)\(value.hasPrefix("-") ? "=" : " ")\(value.shellWord)"
  }

  /// What the failures of a group are, in a few words: their kind, and the reason that they share, or that of one.
  static func phrase(kind: Failure.Kind, reason: String, count: Int, message: String) -> String {
    if message.hasPrefix(reason) { return "\(kind.rawValue): \(reason.printable)" }
    // A kind or a code alone says little.
    let code = reason == kind.rawValue ? "" : " (\(reason.printable))"
    return "\(kind.rawValue)\(code)\(count > 1 ? ", such as" : ""): \(message.printable)"
  }

  /// Takes a file out again: it is not given up after all.
  mutating func remove(path: String) {
    guard let index = members.removeValue(forKey: path.hashValue) else { return }
    groups[index].count -= 1
    groups[index].paths.removeAll { $0 == path }
  }

  /// Takes a file out again whose after-step was made good; one that was given up stays.
  mutating func removeStep(path: String) {
    guard let index = members[path.hashValue], groups[index].kind == nil else { return }
    remove(path: path)
  }

  /// Forgets the after-steps that failed: all of them were made good.
  mutating func forgetSteps() {
    for index in groups.indices where groups[index].kind == nil { groups[index].count = 0 }
  }

  /// Forgets all that was noted.
  mutating func clear() { (groups, places, members) = ([], [:], [:]) }

  private mutating func add(
    _ path: String, _ message: String, _ key: Key, _ command: (Key) -> String
  ) {
    remove(path: path)
    var key = key
    // Reasons that have something of the file in them may be as many as the files.
    if places[key] == nil, groups.count >= Self.mostGroups {
      (key.reason, key.isRest) = (key.kind?.rawValue ?? "other reasons", true)
    }
    let index = places[key] ?? groups.count
    if index == groups.count {
      places[key] = index
      groups.append(
        Group(
          recipe: key.recipe, kind: key.kind, reason: key.reason, isRest: key.isRest, isSent: key.isSent,
          command: command(key)))
    }
    members[path.hashValue] = index
    if groups[index].count == 0 { groups[index].message = message }
    groups[index].count += 1
    if groups[index].paths.count < Self.mostPaths { groups[index].paths.append(path) }
  }

  /// The lines, nil where nothing went wrong. The most frequent reason comes first.
  var text: String? {
    let groups = groups.filter { $0.count > 0 }
    if groups.isEmpty { return nil }
    return groups.sorted { $0.count > $1.count }.map { group in
      let what =
        group.kind.map {
          Self.phrase(kind: $0, reason: group.reason, count: group.count, message: group.message)
        } ?? "sent, after-step failed: \(group.reason.printable)"
      let paths = group.paths.map(\.printable).joined(separator: ", ")
      let more = group.count > group.paths.count ? ", …" : ""
      return """
        \(Format.count(group.count, "file")) of \(group.recipe.printable), \(what)
            \(paths)\(more)
            \(group.again): \(group.command)
        """
    }.joined(separator: "\n")
  }
}
