import FileSessions
import Ingestion
import Synchronization
import Workspace

/// A recipe written in Swift, which the engine cannot tell from one in Lua.
final class SwiftRecipe: Recipe {
  let name: String
  let version: String
  let walk: WalkSettings
  let ruling: @Sendable (Candidate) -> Ruling
  let after: AfterAction?
  let afterFailure: AfterAction?
  let settling: Settling
  let changed: ChangePolicy
  let rediscovery: Duration?
  let prepares: Bool
  let concurrency: Int?
  let order: CandidateOrder?
  let before: (@Sendable (Candidate) async -> Void)?
  /// What discovery names, in place of a walk.
  let named: [NamedFile]?
  /// What goes wrong after all those were named.
  let namingFault: Failure?
  /// Whether statuses are followed, and with what failure.
  let followsStatus: Bool
  let sendsContentOnce: Bool
  let retries: RetryPolicy?
  /// How often `completed` fails.
  let stepFaults: CallsLeft
  /// How often the file had been given up, of each call of `failed`.
  let tries = Mutex<[Int?]>([])
  let statusFailure: Failure?
  /// `a.md PENDING`
  let statuses = Mutex<[String]>([])
  /// What handlers of settled files saw: `completed a.md {"n":1}`
  let seenData = Mutex<[String]>([])
  let summaries = Mutex<[RunSummary]>([])
  let completions = Mutex<[String]>([])
  let failures = Mutex<[String]>([])
  let asked = Mutex<[String]>([])

  init(
    version: String = "1", root: String = ".", name: String = "test", include: [String] = ["**/*.md"],
    after: AfterAction? = nil,
    afterFailure: AfterAction? = nil, settling: Settling = Settling(quiet: .zero),
    changed: ChangePolicy = .send, rediscovery: Duration? = nil, prepares: Bool = false,
    concurrency: Int? = nil, order: CandidateOrder? = nil, named: [NamedFile]? = nil,
    namingFault: Failure? = nil,
    followsStatus: Bool = false, sendsContentOnce: Bool = false,
    retries: RetryPolicy? = nil, stepFaults: Int = 0, statusFailure: Failure? = nil,
    ruling: @escaping @Sendable (Candidate) -> Ruling = { _ in .send(Wishes()) },
    before: (@Sendable (Candidate) async -> Void)? = nil
  ) throws {
    self.version = version
    self.name = name
    walk = WalkSettings(root: try ProjectPath(root), globs: try GlobSet(include: include))
    self.after = after
    self.afterFailure = afterFailure
    self.settling = settling
    self.changed = changed
    self.rediscovery = rediscovery
    self.prepares = prepares
    self.concurrency = concurrency
    self.order = order
    self.before = before
    self.named = named
    self.namingFault = namingFault
    self.followsStatus = followsStatus
    self.sendsContentOnce = sendsContentOnce
    self.retries = retries
    self.stepFaults = CallsLeft(stepFaults)
    self.statusFailure = statusFailure
    self.ruling = ruling
  }

  var quarantine: String? { nil }
  var handlesCompleted: Bool { after != nil }
  var handlesFailed: Bool { afterFailure != nil }

  var handlesStatus: Bool { followsStatus }

  func discovery() -> Discovery {
    guard let named else { return .walk(walk) }
    let left = Mutex(named)
    return .named { [namingFault] () async throws(Failure) in
      let next = left.withLock { left in
        defer { left = [] }
        return left.isEmpty ? nil : left
      }
      if next == nil, let namingFault { throw namingFault }
      return next
    }
  }

  func status(_ file: SettledFile, session: FileSession) async throws(Failure) {
    statuses.withLock { $0.append("\(file.key.path) \(session.status.rawValue)") }
    if let statusFailure { throw statusFailure }
  }

  private func see(_ handler: String, _ file: SettledFile) {
    seenData.withLock { $0.append("\(handler) \(file.key.path) \(file.data?.json ?? "-")") }
  }

  func decide(_ candidates: [Candidate]) -> [Ruling] {
    asked.withLock { $0 += candidates.map(\.path.string) }
    return candidates.map(ruling)
  }

  /// Those that have to wait `before` their ruling do so by themselves.
  func decide(_ candidates: [Candidate], each: @escaping @Sendable (Int, Ruling) -> Void) async {
    await withTaskGroup(of: Void.self) { group in
      for (index, ruling) in decide(candidates).enumerated() {
        guard let before else {
          each(index, ruling)
          continue
        }
        group.addTask {
          await before(candidates[index])
          each(index, ruling)
        }
      }
    }
  }

  func completed(_ file: SettledFile, session: FileSession) throws(Failure) -> AfterAction? {
    if stepFaults.take() { throw Failure(.script, "the webhook is away") }
    see("completed", file)
    completions.withLock { $0.append(file.key.path.string) }
    return after
  }

  func failed(_ file: SettledFile, failure: Failure) -> AfterAction? {
    see("failed", file)
    tries.withLock { $0.append(failure.tries) }
    failures.withLock { $0.append(file.key.path.string) }
    return afterFailure
  }

  func summary(_ summary: RunSummary) {
    summaries.withLock { $0.append(summary) }
  }
}
