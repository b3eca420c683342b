import Ingestion
import Scripting
import Testing

@Suite struct LoadKeysTests {
  @Test("`concurrency` and `order` are read; without them nothing is said")
  func keys() async throws {
    let bench = try Bench()
    let recipe = try await bench.recipe(wrap("concurrency = 3, order = 'newest'"))
    #expect(recipe.concurrency == 3 && recipe.order == .newest)
    await recipe.close()
    let plain = try await bench.recipe(wrap("accept = true"))
    #expect(plain.concurrency == nil && plain.order == nil)
    await plain.close()
  }

  @Test(
    "What they do not take is an error that says what they take",
    arguments: [
      ("concurrency = 0", "a whole number from 1 to 256"), ("concurrency = 2.5", "1 to 256"),
      ("concurrency = '4'", "1 to 256"), ("order = 'largest'", "\"newest\", \"oldest\" or \"smallest\""),
      ("order = 1", "\"newest\""),
    ])
  func wrong(key: String, message: String) async throws {
    await #expect { _ = try await Bench().recipe(wrap(key)) } throws: { error in
      (error as? ScriptError)?.message.contains(message) == true
    }
  }
}
