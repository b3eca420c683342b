import Ingestion
import Scripting
import Testing

@Suite struct SettlingKeysTests {
  @Test(
    "Times are seconds, or texts with a unit",
    arguments: [
      ("0", Duration.zero), ("2.5", .milliseconds(2500)), ("'500ms'", .milliseconds(500)),
      ("'90s'", .seconds(90)), ("'2m'", .seconds(120)), ("'1h'", .seconds(3600)),
    ])
  func times(text: String, time: Duration) async throws {
    let recipe = try await Bench().recipe(wrap("settle = \(text)"))
    #expect(recipe.settling.quiet == time && recipe.rediscovery == nil)
    await recipe.close()
  }

  @Test(
    "`in_progress` replaces the usual names, `ready` names a marker, `rescan` and `every` how often to look")
  func keys() async throws {
    let bench = try Bench()
    let walk = try await bench.recipe(
      wrap("in_progress = { '*.wip' }, ready = '{stem}.done', rescan = '10m'"))
    #expect(walk.settling.inProgress.map(\.pattern) == ["*.wip"])
    #expect(walk.settling.ready?.template == "{stem}.done" && walk.rediscovery == .seconds(600))
    await walk.close()
    let function = try await bench.recipe(
      "return { name = 'r', discover = function() return {} end, every = '15m', in_progress = {} }")
    #expect(function.rediscovery == .seconds(900) && function.settling.inProgress.isEmpty)
    #expect(function.settling.quiet == nil)
    await function.close()
  }
}
