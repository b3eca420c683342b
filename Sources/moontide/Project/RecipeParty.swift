import Glibc
import Ingestion
import LuaHost
import Scripting

/// The recipes of one run: each has an engine of its own, over one ledger, one service and one gate.
struct RecipeParty: Sendable {
  /// How one of them ended.
  struct Outcome: Sendable {
    var recipe: String
    var summary: RunSummary
  }

  private let loaders: [RecipeLoader]
  private let gate: Gate
  private let stop: StopSignal
  private let pulse: RunPulse
  /// One for each recipe, rung when it is to be loaded anew; none where nothing is watched.
  private let hangUps: [Bell]

  /// - Parameters:
  ///   - watch: whether they go on with what comes.
  ///   - pulse: is told when they are loaded anew.
  init(loaders: [RecipeLoader], gate: Gate, stop: StopSignal, watch: Bool, pulse: RunPulse) {
    self.loaders = loaders
    self.gate = gate
    self.stop = stop
    self.pulse = pulse
    hangUps = watch ? loaders.map { _ in Bell() } : []
  }

  /// Refuses a file that is named twice, by whatever path.
  static func checkNoneTwice(_ scripts: [String]) throws(CommandFailure) {
    var seen: [String: String] = [:]
    for script in scripts {
      let path = realpath(CurrentDirectory.absolute(script), nil)
      defer { free(path) }
      guard let other = seen.updateValue(script, forKey: path.map { String(cString: $0) } ?? script) else {
        continue
      }
      let names = other == script ? "\(script) is" : "\(other) and \(script) are"
      throw CommandFailure(.usage, "\(names) the same recipe, named twice: name it once.")
    }
  }

  /// What a SIGHUP is for; nil where nothing is watched.
  var onHangUp: (@Sendable () -> Void)? {
    if hangUps.isEmpty { return nil }
    return { [hangUps, pulse] in
      pulse.reloading(hangUps.count)
      for bell in hangUps { bell.ring() }
    }
  }

  /// Loads and checks all of them, before any begins.
  func load() async throws(CommandFailure) -> [LuaRecipe] {
    var recipes: [LuaRecipe] = []
    do throws(CommandFailure) {
      for loader in loaders { recipes.append(try await loader.load()) }
      return recipes
    } catch {
      for recipe in recipes { await recipe.close() }
      throw error
    }
  }

  /// Runs all of them, each to its own end.
  func run(_ recipes: [LuaRecipe]) async -> [Outcome] {
    // All are known to the gate before one begins.
    let members = zip(loaders, recipes).enumerated().map { number, pair in
      (number, pair.0, pair.1, gate.join(pair.1.name))
    }
    return await withTaskGroup(of: (Int, Outcome).self) { group in
      for (number, loader, recipe, seat) in members {
        group.addTask {
          let summary = await run(recipe, number, loader, seat)
          seat.leave()
          if members.count > 1, !hangUps.isEmpty, summary.stop != .requested {
            loader.bench.display.note("\(recipe.name) has ended, the others go on: \(why(summary.stop))")
          }
          return (number, Outcome(recipe: recipe.name, summary: summary))
        }
      }
      return await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
    }
  }

  private func why(_ stop: RunSummary.Stop?) -> String {
    switch stop {
    case .quarantine(let reason), .ledger(let reason): reason
    case .service(let error): "\(error)"
    case .requested, .limit, .closed, .paused, nil: "there is nothing left to do for it"
    }
  }

  private func run(
    _ recipe: LuaRecipe, _ number: Int, _ loader: RecipeLoader, _ seat: GateSeat
  ) async -> RunSummary {
    if hangUps.isEmpty {
      let summary = await loader.bench.engine(for: recipe, seat: seat, stop: stop).run()
      await recipe.close()
      return summary
    }
    let watching = WatchingRun(
      loader: loader, seat: seat, stop: stop, hangUp: hangUps[number], onReload: pulse.reloaded)
    return await watching.run(recipe)
  }
}
