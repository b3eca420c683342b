import Ingestion
import Scripting
import Synchronization
import Workspace

/// Runs a recipe until it is stopped, and puts a new version of it in its place.
///
/// A new version is loaded and checked before the old one is asked to finish what is under way; one that does not
/// load changes nothing.
final class WatchingRun: Sendable {
  /// How often it is checked whether a file of the recipe is another. One that was changed has to stay as it is
  /// from one time to the next, since it may still be being written.
  private static let check = Duration.seconds(1)

  private let loader: RecipeLoader
  private let seat: GateSeat
  private let stop: StopSignal
  private let hangUp: Bell
  private let onReload: @Sendable () -> Void
  /// Ends the engine that runs now.
  private let current = Mutex<StopSignal?>(nil)

  /// - Parameters:
  ///   - hangUp: is rung when the recipe is to be loaded anew.
  ///   - onReload: called when it has been, or cannot be.
  init(
    loader: RecipeLoader, seat: GateSeat, stop: StopSignal, hangUp: Bell,
    onReload: @escaping @Sendable () -> Void
  ) {
    self.loader = loader
    self.seat = seat
    self.stop = stop
    self.hangUp = hangUp
    self.onReload = onReload
    stop.whenRequested { [weak self] in self?.current.withLock { $0 }?.request() }
  }

  /// Runs `recipe` and those that follow it, each of which is closed.
  func run(_ recipe: LuaRecipe) async -> RunSummary {
    var recipe = recipe
    var total = RunSummary()
    while true {
      let (summary, next) = await run(until: recipe)
      await recipe.close()
      total.add(summary)
      guard let next else { return total }
      // That it ended was its successor's wish.
      if total.stop == .requested, !stop.isRequested, !Task.isCancelled { total.stop = nil }
      loader.bench.display.note("\(loader.script) is loaded anew.")
      onReload()
      recipe = next
      seat.rename(recipe.name)
    }
  }

  /// Runs one version until it is stopped or there is another.
  private func run(until recipe: LuaRecipe) async -> (RunSummary, next: LuaRecipe?) {
    let ending = StopSignal()
    current.withLock { $0 = ending }
    if stop.isRequested { ending.request() }
    let engine = loader.bench.engine(for: recipe, seat: seat, stop: ending)
    return await withTaskGroup(of: LuaRecipe?.self) { group in
      group.addTask {
        let next = await self.successor(of: recipe)
        ending.request()
        return next
      }
      let summary = await engine.watch()
      group.cancelAll()
      let next = await group.next() ?? nil
      // It may have ended for another reason, and then nothing follows.
      if summary.stop == .requested, !stop.isRequested, !Task.isCancelled { return (summary, next) }
      await next?.close()
      return (summary, nil)
    }
  }

  /// Waits for a version that is another and loads; nil when the run ends before.
  private func successor(of recipe: LuaRecipe) async -> LuaRecipe? {
    let paths = [CurrentDirectory.absolute(loader.script)] + recipe.moduleFiles
    // Loaded once more in the beginning: it may have changed while its predecessor finished.
    var known = RecipeFiles([])
    var seen = known
    while !Task.isCancelled {
      let isAsked = await hangUp.heard(within: Self.check, sleep: Bench.sleep)
      if Task.isCancelled { return nil }
      let now = await offload { RecipeFiles(paths) }
      defer { seen = now }
      guard isAsked || (now != known && now == seen) else { continue }
      known = now
      do throws(CommandFailure) {
        let next = try await loader.load(replacing: true)
        // Only touched, or written back as it was.
        if isAsked || next.version != recipe.version { return next }
        await next.close()
      } catch {
        loader.bench.display.complain(
          "\(error.message)\n\(loader.script) has changed and cannot be used; the last version of it goes on."
        )
        onReload()
      }
    }
    return nil
  }
}
