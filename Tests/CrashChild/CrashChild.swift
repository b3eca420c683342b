import FileSessions
import Foundation
import Ingestion
import LocalService
import LuaLibrary
import SQLiteLedger
import Scripting
import Workspace

/// A run of the real engine with ledger, service and recipe on the disk, which ends itself at an instant.
///
/// `CrashChild PROJECT RECIPE [crash-at=NAME#COUNT] [record=FILE] [transfers=N] [changing=NAME] [retrying=yes]`
///
/// What the recipe logs goes to `journal` in the project; `instant NAME` is one more instant. `retrying` has somebody
/// ask before that all that failed is tried again. `changing` names a file in `in/` that gets other content
/// at the moment when its bytes are read for the first time. The last line of the output is what the run came to.
@main
enum CrashChild {
  static func main() async throws {
    let words = CommandLine.arguments.dropFirst()
    let options = Dictionary(
      words.dropFirst(2).compactMap { word in
        word.firstIndex(of: "=").map { (String(word[..<$0]), String(word[word.index(after: $0)...])) }
      }, uniquingKeysWith: { $1 })
    guard let root = words.first, let recipe = words.dropFirst().first else { exit(2) }
    let summary = try await run(
      in: root, recipe, CrashPoints(endingAt: options["crash-at"], recordingIn: options["record"]),
      transfers: options["transfers"].flatMap { Int($0) } ?? 1, changing: options["changing"],
      isRetrying: options["retrying"] != nil)
    print(
      "\(summary.sent) sent, \(summary.alreadyDone) already done, \(summary.stepsFailed) steps failed, "
        + "\(summary.problems) problems, \(summary.stop.map { "stopped: \($0)" } ?? "to the end")")
  }

  private static func run(
    in root: String, _ script: String, _ points: CrashPoints, transfers: Int, changing: String?,
    isRetrying: Bool
  ) async throws -> RunSummary {
    let profile = "local"
    let journal = open(root + "/journal", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    let workspace = try Workspace(root: root)
    try FileManager.default.createDirectory(atPath: workspace.statePath, withIntermediateDirectories: true)
    let store = try await LocalStore.open(workspace.statePath + "/local")
    if isRetrying {
      var failed = JobSelection()
      failed.phases = [.failed]
      try await LedgerDesk(directory: workspace.statePath, clock: .system).leave(.retry(failed))
    }
    let base = try SQLiteLedger(directory: workspace.statePath, clock: .system)
    let ledger = CrashingLedger(base: base, points: points)
    let service = CrashingService(base: store.service(), points: points) { name in
      guard let changing, name == changing, !FileManager.default.fileExists(atPath: root + "/changed") else {
        return
      }
      try? Data("\(changing), changed".utf8).write(to: URL(fileURLWithPath: root + "/in/" + changing))
      _ = FileManager.default.createFile(atPath: root + "/changed", contents: nil)
    }
    let tracer = Tracer(workspace: workspace, ledger: ledger, profile: profile)
    let context = LibraryContext(
      workspace: workspace, types: MIMETypes(), service: store.service(),
      store: CrashingStore(base: RecipeValues(in: base, profile: profile, recipe: "crash"), points: points),
      sleep: { _ in }, newKey: { UUID().uuidString },
      log: { line in
        guard line.text.hasPrefix("instant ") else { return append(line.text + "\n", to: journal) }
        points.pass(String(line.text.dropFirst("instant ".count)))
      },
      recordWrite: { path in try await tracer.record(path) })
    let recipe = try await LuaRecipe.load(
      path: script, context: context, once: .crashing(base, points, journal))
    let retry = RetryPolicy(
      attempts: 1, firstWait: .zero, longestWait: .zero, jitter: 0, longestAskedWait: .zero)
    let engine = Engine(
      recipe: recipe, profile: profile, service: service, ledger: ledger, workspace: workspace,
      types: MIMETypes(), seat: Gate(places: transfers).join(recipe.name),
      retry: Retrier(policy: retry, sleep: { _ in }),
      clock: .system,
      newKey: { UUID().uuidString }
    ) { event in
      if case .problem(let path, let message, _) = event { print("problem: \(path): \(message)") }
      if case .stepFailed(let path, let message, _) = event { print("step: \(path): \(message)") }
      if case .failed(let path, let failure, _) = event { print("failed: \(path): \(failure.message)") }
    }
    let summary = await engine.run()
    await recipe.close()
    return summary
  }
}
