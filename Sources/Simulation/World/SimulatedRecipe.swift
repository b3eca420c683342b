import FileSessions
import Ingestion
import Synchronization
import Workspace

/// A recipe whose rules can be changed between two runs, and whose handlers can be told to fail.
package final class SimulatedRecipe: Recipe {
  /// What it says of files, by name.
  package struct Rules: Sendable {
    package var version = 1
    package var rulings: [String: Ruling] = [:]
    /// What it makes of files before they are sent, by name.
    package var makings: [String: Making] = [:]
    /// How often `prepare` fails after each thing that it makes, 0…1.
    package var faultsWhilePreparing = 0.0
    /// How often `completed` fails, 0…1.
    package var faultsAfterwards = 0.0

    package init() {}
  }

  /// A file whose `completed` has returned.
  package struct Completion: Hashable, Sendable {
    package var name: String
    package var md5: MD5Digest?
  }

  private struct State {
    var rules = Rules()
    var completions: Set<Completion> = []
    var failures: [Failure] = []
  }

  package let name = "simulated"
  package let sendsContentOnce: Bool
  package let prepares: Bool
  let workspace: Workspace
  let purpose: Purpose?
  let dice: Dice
  private let walk: WalkSettings
  private let after: AfterAction?
  private let afterFailure: AfterAction?
  private let state = Mutex(State())

  package init(
    walk: WalkSettings, in workspace: Workspace, purpose: Purpose?, after: AfterAction?,
    afterFailure: AfterAction?, sendsContentOnce: Bool, prepares: Bool, dice: Dice
  ) {
    self.sendsContentOnce = sendsContentOnce
    self.prepares = prepares
    self.workspace = workspace
    self.walk = walk
    self.purpose = purpose
    self.after = after
    self.afterFailure = afterFailure
    self.dice = dice
  }

  package func set(_ rules: Rules) { state.withLock { $0.rules = rules } }

  package var rules: Rules { state.withLock { $0.rules } }
  package var completions: Set<Completion> { state.withLock { $0.completions } }
  /// What `failed` was called with.
  package var failures: [Failure] { state.withLock { $0.failures } }

  package var version: String { String(rules.version) }
  package var handlesCompleted: Bool { after != nil }
  package var handlesFailed: Bool { afterFailure != nil }
  package var quarantine: String? { nil }
  package var settling: Settling { Settling(quiet: .zero) }

  package func discovery() -> Discovery { .walk(walk) }

  package func decide(_ candidates: [Candidate]) -> [Ruling] {
    let rules = rules
    return candidates.map { candidate in
      let name = candidate.path.name
      return rules.rulings[name] ?? prepare(candidate, rules.makings[name] ?? .nothing)
    }
  }

  package func completed(
    _ file: SettledFile, session: FileSession
  ) async throws(Failure) -> AfterAction? {
    if dice.happens(rules.faultsAfterwards) { throw Failure(.script, "the handler fails") }
    let completion = Completion(name: file.key.path.name, md5: file.md5)
    _ = state.withLock { $0.completions.insert(completion) }
    return after
  }

  package func failed(_ file: SettledFile, failure: Failure) -> AfterAction? {
    state.withLock { $0.failures.append(failure) }
    return afterFailure
  }

  package func summary(_ summary: RunSummary) {}
}
