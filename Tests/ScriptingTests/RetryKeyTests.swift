import FileSessions
import Ingestion
import ScriptTestSupport
import Scripting
import Testing

@Suite struct RetryKeyTests {
  @Test("`retries` is the policy of the recipe's calls")
  func policy() async throws {
    let recipe = try await Bench().recipe(
      wrap(
        """
        retries = { attempts = 6, first = '250ms', longest = 30, jitter = 0.5, asked = '5m',
                    by_kind = { too_many_requests = 20 } }
        """))
    var policy = RetryPolicy(
      attempts: 6, firstWait: .milliseconds(250), longestWait: .seconds(30), jitter: 0.5,
      longestAskedWait: .seconds(300))
    policy.attemptsByKind = [.tooManyRequests: 20]
    #expect(recipe.retries == policy)
    await recipe.close()
    #expect(try await Bench().recipe(wrap("")).retries == nil)
    #expect(
      try await Bench().recipe(wrap("retries = { first = '20s' }")).retries?.longestWait == .seconds(20))
  }

  @Test(
    "What is wrong with it is said with what it takes",
    arguments: [
      ("{ attempts = 0 }", "`retries` has attempts = a number (0); it takes a number from 1 to 100"),
      ("{ atempts = 2 }", "`retries` is a table with the unknown field `atempts`; did you mean `attempts`?"),
      (
        "{ first = 'soon' }", "`retries` has first = a string (\"soon\"); it takes a time: seconds, or a text"
      ),
      ("{ first = 9, longest = 3 }", "`retries` has a longest wait that is shorter than the first one"),
      ("{ jitter = 2 }", "`retries` has jitter = a number (2); it takes a part from 0 to 1"),
      (
        "{ by_kind = { not_found = 2 } }",
        "`retries` has by_kind with `not_found`, which is no error that is tried again; those are request_timeout"
      ),
      (
        "{ by_kind = { unreachable = 'x' } }",
        "`retries` has unreachable = a string (\"x\"); it takes a number"
      ),
      (
        "{ by_kind = { 3 } }",
        "`retries` has by_kind = a table; it takes a table of attempts by kind of error"
      ),
    ])
  func wrong(value: String, message: String) async throws {
    let error = try await Bench().loadError(wrap("retries = \(value)"))
    #expect(error.message.hasPrefix("r.lua:2: \(message)"), "\(error.message)")
  }

  @Test("`failed` may wish for another try, as a value or from a function; nothing else may")
  func wish() async throws {
    let bench = try Bench()
    let path = try bench.project.write("a.md", "x")
    let file = SettledFile(
      key: JobKey(profile: "local", recipe: "r", path: path), relative: "a.md",
      stamp: try bench.project.workspace.info(path).stamp)
    var failure = Failure(.rejected, "not yet")
    failure.tries = 2
    let lines = [
      "failed = moontide.retry(90)",
      "failed = function(file, failure) if failure.tries < 3 then return moontide.retry(45 * failure.tries) end end",
    ]
    for line in lines {
      let recipe = try await bench.recipe(wrap(line))
      #expect(try await recipe.failed(file, failure: failure) == .retry(after: 90))
      await recipe.close()
    }
    let error = await bench.loadError(wrap("completed = moontide.retry(1)"))
    #expect(error.message.hasPrefix("r.lua:2: `completed` is a retry; it takes"), "\(error.message)")
    #expect(try await bench.fault("accept = function() return moontide.retry(1) end").kind == .script)
  }
}
