import FileSessions
import Ingestion
import LuaHost
import LuaLibrary
import ScriptTestSupport
import Scripting
import Testing

@Suite struct MemoryTests {
  private let bench: Bench

  init() throws { bench = try Bench() }

  /// Keeps a table without end in a global, so that the state stays full.
  private static let bomb = "kept = {} for i = 1, 1e9 do kept[i] = { i } end"

  private func recipe(
    _ lines: String, sleep: @escaping @Sendable (Duration) async throws -> Void = { _ in await Task.yield() }
  ) async throws -> LuaRecipe {
    try await LuaRecipe.load(
      ScriptSource(name: "r.lua", text: wrap(lines)), context: bench.surroundings.context(sleep: sleep),
      limits: LuaLimits(memory: 8 << 20))
  }

  private func candidates(_ count: Int, bad: Set<Int>) throws -> [Candidate] {
    try (0..<count).map { index in
      let name = bad.contains(index) ? "bad\(index).md" : "good\(index).md"
      try bench.project.write(name)
      return try bench.candidate(name)
    }
  }

  @Test(
    "Of the files that are decided together only the ones are blamed that break the memory limit alone",
    arguments: [
      [5], [0], [9], [2, 3],
    ] as [Set<Int>])
  func atFault(bad: Set<Int>) async throws {
    let recipe = try await recipe(
      """
      accept = function(f)
        moontide.sleep(0.01)
        if f.stem:find("^bad") then \(Self.bomb) end
        moontide.sleep(0.01)
        local all = {}
        for i = 1, 2000 do all[i] = { f.stem } end
        return true
      end
      """)
    let rulings = await recipe.decide(try candidates(10, bad: bad))
    for (index, ruling) in rulings.enumerated() {
      guard bad.contains(index) else {
        #expect(ruling == .send(Wishes()), "\(index)")
        continue
      }
      guard case .fault(let failure) = ruling else {
        Issue.record("\(ruling)")
        continue
      }
      #expect(failure.kind == .stopped)
      #expect(
        failure.message.hasPrefix(
          "r.lua:4: in accept for bad\(index).md: stopped: it needed more than 8388608 bytes of memory"),
        "\(failure.message)")
    }
    #expect(recipe.quarantine == nil)
    let later = await recipe.decide(try candidates(3, bad: []))
    #expect(later == Array(repeating: .send(Wishes()), count: 3))
    await recipe.close()
  }

  @Test("Files that come after the one at fault are decided as if it had not been")
  func after() async throws {
    let recipe = try await recipe(
      "rename = function(f) if f.stem:find('^bad') then \(Self.bomb) end return 'x-' .. f.name end")
    let rulings = await recipe.decide(try candidates(10, bad: [4]))
    #expect(rulings.filter { if case .send = $0 { true } else { false } }.count == 9)
    guard case .fault = rulings[4] else {
      Issue.record("\(rulings[4])")
      return
    }
    await recipe.close()
  }

  @Test("Three files in a row that break it alone quarantine the recipe")
  func quarantine() async throws {
    let recipe = try await recipe("accept = function(f) \(Self.bomb) end")
    let rulings = await recipe.decide(try candidates(5, bad: []))
    #expect(recipe.quarantine?.contains("stopped 3 times in a row") == true)
    #expect(rulings.filter { $0 == .unasked }.count == 2)
    await recipe.close()
  }

  @Test("A handler of a settled file runs once more when others filled the state, unless it has waited")
  func settled() async throws {
    let recipe = try await recipe(
      """
      accept = function(f)
        kept = {}
        pcall(function() for i = 1, 1e9 do kept[i] = { i } end end)
        return true
      end,
      failed = function(f, failure)
        if failure.message == "wait" then moontide.sleep(1) end
        local all = {}
        for i = 1, 20000 do all[i] = { i } end
        return { move = "dead/" }
      end
      """)
    let candidate = try candidates(1, bad: [])[0]
    let file = SettledFile(
      key: candidate.key, relative: candidate.relative, stamp: candidate.stamp,
      request: NewFile(filename: "a.md", mimeType: "text/markdown", sizeBytes: 4))
    _ = await recipe.decide([candidate])
    #expect(try await recipe.failed(file, failure: Failure(.service, "No.")) == .move(to: "dead/"))
    _ = await recipe.decide([candidate])
    do throws(Failure) {
      _ = try await recipe.failed(file, failure: Failure(.service, "wait"))
      Issue.record("no failure")
    } catch {
      #expect(error.kind == .stopped)
    }
    #expect(try await recipe.failed(file, failure: Failure(.service, "wait")) == .move(to: "dead/"))
    await recipe.close()
  }
}
