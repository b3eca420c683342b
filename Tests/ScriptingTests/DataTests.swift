import FileSessions
import Ingestion
import ScriptTestSupport
import Scripting
import Testing
import Workspace

@Suite("A file's data") struct DataTests {
  private func data(_ ruling: Ruling) -> String? {
    guard case .send(let wishes) = ruling else { return "\(ruling)" }
    return wishes.data?.json
  }

  @Test(
    "comes with what discover names",
    arguments: [
      ("{ id = 7, tags = { 'a', 'b' } }", #"{"id":7,"tags":["a","b"]}"#),
      ("'text'", #""text""#), ("false", "false"), ("moontide.json.null", "null"), ("{}", "{}"), ("nil", nil),
    ])
  func discovered(value: String, json: String?) async throws {
    let bench = try Bench()
    try bench.project.write("a.md", "x")
    let recipe = try await bench.recipe(
      "return { name = 'r', discover = function() coroutine.yield { path = 'a.md', data = \(value) } end }")
    guard case .named(let next) = try await recipe.discovery() else {
      Issue.record("not named")
      return
    }
    #expect(try await next() == [NamedFile(try ProjectPath("a.md"), data: json.map(JobData.init(recorded:)))])
    await recipe.close()
  }

  @Test("is what every handler sees, a copy for each look at it")
  func seen() async throws {
    let bench = try Bench()
    let path = try bench.project.write("a.md", "x")
    let recipe = try await bench.recipe(
      wrap(
        """
        decide = function(file)
          file.data.id = 8
          return { filename = "a-" .. file.data.id .. ".md", data = { id = file.data.id, more = true } }
        end,
        completed = function(file) print("completed", file.data.id, file.data.more) end,
        failed = function(file) print("failed", file.data) end,
        """))
    var candidate = try bench.candidate("a.md")
    candidate.data = JobData(recorded: #"{"id":7}"#)
    let ruling = try #require(await recipe.decide([candidate]).first)
    #expect(data(ruling) == #"{"id":7,"more":true}"#)
    var file = SettledFile(
      key: JobKey(profile: "local", recipe: "r", path: path), relative: "a.md", stamp: candidate.stamp,
      data: JobData(recorded: #"{"id":7,"more":true}"#))
    let session = FileSession(
      id: "fil_9", filename: "a.md", mimeType: "text/plain", sizeBytes: 1, status: .completed,
      createdAt: Timestamp(milliseconds: 0), expiresAt: nil, completedAt: nil)
    _ = try await recipe.completed(file, session: session)
    file.data = nil
    _ = try await recipe.failed(file, failure: Failure(.rejected, "no"))
    #expect(bench.log == ["info: completed\t7\ttrue", "info: failed\tnil"])
    await recipe.close()
  }

  @Test("may be a constant of decide")
  func constant() async throws {
    #expect(data(try await Bench().ruling("decide = { data = { 1, 2 } }")) == "[1,2]")
  }

  @Test(
    "has to be JSON, and not too large",
    arguments: [
      (
        "print",
        "r.lua:2: in decide for notes/a b.md: decide returned `data` that cannot be kept as JSON: a function has no JSON (at $)"
      ),
      (
        "('x'):rep(70000)",
        "r.lua:2: in decide for notes/a b.md: decide returned `data` of 70002 bytes as JSON; it takes 65536 at the most, and what is larger belongs into a file"
      ),
    ])
  func refused(value: String, message: String) async throws {
    let failure = try await Bench().fault("decide = function() return { data = \(value) } end")
    #expect(failure.message == message)
  }

  @Test("status is called with the file and the session, and what it returns means nothing")
  func status() async throws {
    let bench = try Bench()
    let path = try bench.project.write("a.md", "x")
    let recipe = try await bench.recipe(
      wrap("status = function(file, session) print(file.path, session.status) return 42 end"))
    #expect(recipe.handlesStatus && !recipe.handlesCompleted)
    let file = SettledFile(
      key: JobKey(profile: "local", recipe: "r", path: path), relative: "a.md",
      stamp: try bench.project.workspace.info(path).stamp)
    let session = FileSession(
      id: "fil_9", filename: "a.md", mimeType: "text/plain", sizeBytes: 1, status: .expired,
      createdAt: Timestamp(milliseconds: 0), expiresAt: nil, completedAt: nil)
    try await recipe.status(file, session: session)
    #expect(bench.log == ["info: a.md\tEXPIRED"])
    await recipe.close()
    let error = await bench.loadError(wrap("status = { move = 'x' }"))
    #expect(error.message == "r.lua:2: `status` is a table; it takes a function")
  }
}
