import CoreMetrics
import FileSessions
import Ingestion
import LuaLibrary
import MetricsServer
import SQLiteLedger
import Synchronization
import Workspace

/// What a run counts, through swift-metrics.
final class RunMetrics: Sendable {
  private static let help = [
    "moontide_jobs": "Files of the ledger by phase.",
    "moontide_outcomes_total": "What became of files since the process began.",
    "moontide_sent_bytes_total": "Bytes of the files that were sent.",
    "moontide_read_bytes_total": "Bytes that were read for sending, again too.",
    "moontide_calls_total": "Calls of the service by what they ended with: each try counts.",
    "moontide_call_seconds": "How long calls of the service took.",
    "moontide_retries_total": "Calls for files that are made once more.",
    "moontide_handler_seconds": "How long handlers took, their waiting included.",
    "moontide_budget_stops_total": "Handlers that were stopped for using more than they may.",
    "moontide_transfers": "Files that are under way.",
    "moontide_queue_files": "Files that are decided about and wait for a place.",
    "moontide_queue_bytes": "Bytes that are still to be sent of what is under way and waits.",
    "moontide_transfer_bytes_per_second": "How fast bytes are sent.",
    "moontide_paused": "1 where something is paused, or else 0.",
  ]

  private struct State {
    /// How many bytes of each file were read.
    var read: [String: Int64] = [:]
    /// The gauges that were set by phase, so that one that has no files any more is set to 0.
    var phases: Set<[String]> = []
  }

  let registry = PrometheusRegistry(help: help)
  private let statePath: String
  private let progress: @Sendable () -> ProgressBoard
  private let state = Mutex(State())
  private let read: Counter

  /// - Parameters:
  ///   - statePath: where the ledger is.
  ///   - progress: how far everything is.
  init(statePath: String, progress: @escaping @Sendable () -> ProgressBoard) {
    self.statePath = statePath
    self.progress = progress
    read = Counter(label: "moontide_read_bytes_total", factory: registry)
    // There from the beginning, so that a rate of zero is seen as zero.
    read.increment(by: 0)
    counter("moontide_sent_bytes_total", []).increment(by: 0)
  }

  private func counter(_ label: String, _ dimensions: [(String, String)]) -> Counter {
    Counter(label: label, dimensions: dimensions, factory: registry)
  }

  private func gauge(_ label: String, _ dimensions: [(String, String)], _ value: Double) {
    Meter(label: label, dimensions: dimensions, factory: registry).set(value)
  }

  private func timer(_ label: String, _ dimensions: [(String, String)], _ duration: Duration) {
    CoreMetrics.Timer(label: label, dimensions: dimensions, factory: registry)
      .recordNanoseconds(Int64(duration.inSeconds * 1e9))
  }

  // MARK: - What happens

  /// Counts an event of the engine.
  func note(_ event: RunEvent, of recipe: String) {
    switch event {
    case .progress(let path, let bytes, _):
      let id = "\(recipe)\n\(path)"
      let more = state.withLock { state in
        let before = state.read.updateValue(bytes, forKey: id) ?? 0
        return bytes >= before ? bytes - before : bytes
      }
      read.increment(by: more)
    case .sent(let path, let session):
      counter("moontide_sent_bytes_total", []).increment(by: session.sizeBytes)
      end(path, recipe, "sent")
    case .failed(let path, let failure, true):
      end(path, recipe, failure.kind == .rejected ? "rejected" : "failed")
    case .skipped(let path, _): end(path, recipe, "skipped")
    case .deferred(let path, _, _): end(path, recipe, "deferred")
    case .touched(let path): end(path, recipe, "touched")
    case .stepFailed(let path, _, _): end(path, recipe, "step_failed")
    case .left(let path), .cancelled(let path, _): forget(path, recipe)
    case .problem: outcome(recipe, "problem")
    case .retrying(_, let call, let error, _):
      counter("moontide_retries_total", [("call", call), ("error", error.kind.rawValue)]).increment()
    case .began, .failed, .alive, .resuming, .waiting, .noted, .comesBack, .decided, .foundAll, .opened,
      .finished, .answered, .watching, .heldUp, .caughtUp, .ended:
      break
    }
  }

  private func end(_ path: ProjectPath, _ recipe: String, _ outcome: String) {
    forget(path, recipe)
    self.outcome(recipe, outcome)
  }

  private func forget(_ path: ProjectPath, _ recipe: String) {
    state.withLock { $0.read["\(recipe)\n\(path)"] = nil }
  }

  private func outcome(_ recipe: String, _ outcome: String) {
    counter("moontide_outcomes_total", [("recipe", recipe), ("outcome", outcome)]).increment()
  }

  /// Counts a call of the service.
  func note(_ call: CallRecord) {
    let name = Self.route(of: call.name)
    let ending = call.status.map(String.init) ?? call.error ?? "none"
    counter("moontide_calls_total", [("call", name), ("status", ending)]).increment()
    timer("moontide_call_seconds", [("call", name)], call.duration)
  }

  /// The call without what stands for one file: `POST /v1/files/{id}/complete`, `PUT`.
  private static func route(of name: String) -> String {
    let words = name.split(separator: " ", maxSplits: 1)
    guard words.count == 2, words[1].hasPrefix("/") else { return String(words.first ?? "") }
    var segments = words[1].split(separator: "/").map(String.init)
    if segments.count > 2, segments[1] != "auth" { segments[2] = "{id}" }
    return "\(words[0]) /\(segments.joined(separator: "/"))"
  }

  /// What notes how handlers of a recipe fared.
  func observer(of script: String) -> HandlerObserver {
    let begin = ContinuousClock.now
    return HandlerObserver(now: { ContinuousClock.now - begin }) { [weak self] handler, took, wasStopped in
      let dimensions = [("script", script), ("handler", handler)]
      self?.timer("moontide_handler_seconds", dimensions, took)
      if wasStopped { self?.counter("moontide_budget_stops_total", dimensions).increment() }
    }
  }

  // MARK: - What stands

  /// Brings up to date what is not counted as it happens.
  func refresh() async {
    let board = progress()
    gauge("moontide_transfers", [], Double(board.transfers.count))
    gauge("moontide_queue_files", [], Double(board.waiting))
    gauge("moontide_queue_bytes", [], Double(board.bytesLeft))
    let rate = board.transfers.isEmpty ? 0 : board.rate(at: .now) ?? 0
    gauge("moontide_transfer_bytes_per_second", [], rate.rounded())
    // Without it the rest is still of use.
    guard let status = try? await LedgerReader(directory: statePath)?.status(listed: 0) else { return }
    gauge("moontide_paused", [], status.requests.pauses.isEmpty ? 0 : 1)
    var phases: [[String]: Int] = [:]
    for count in status.counts {
      for phase in Phase.allCases {
        phases[[count.profile, count.recipe, phase.rawValue]] = count.phases[phase] ?? 0
      }
    }
    let gone = state.withLock { state in
      defer { state.phases = Set(phases.keys) }
      return state.phases.subtracting(phases.keys)
    }
    for names in gone { phases[names] = 0 }
    for (names, number) in phases {
      gauge("moontide_jobs", Array(zip(["profile", "recipe", "phase"], names)), Double(number))
    }
  }
}
