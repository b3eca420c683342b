import FileSessions
import Ingestion
import LuaLibrary
import ScriptTestSupport
import Scripting
import Testing
import Workspace

@Suite struct MeetingOnceTests {
  private let bench: Bench
  private let file: SettledFile

  init() throws {
    bench = try Bench()
    let path = try bench.project.write("in/a.md", "# A\n")
    file = SettledFile(
      key: JobKey(profile: "local", recipe: "r", path: path), relative: "a.md",
      stamp: try bench.project.workspace.info(path).stamp,
      md5: MD5Digest(bytes: Array(repeating: 1, count: 16)))
  }

  private var meetings: FakeMeetings { bench.surroundings.service.meetings.withLock { $0 } }

  private static let lines = """
    function(file, session)
      local one = moontide.meetings.create { title = "one", start_date = 0, end_date = 1 }
      local two = moontide.meetings.create { title = "two", start_date = 0, end_date = 1 }
      local named = moontide.meetings.create({ title = "three", start_date = 0, end_date = 1 }, { label = "x" })
      local attached = moontide.meetings.attach_transcript(two, session)
      print(one.id, two.id, named.id, attached.transcript)
    end
    """

  /// Runs `completed` as a run of its own would.
  private func complete(
    _ file: SettledFile, _ record: OnceRecord, _ lines: String = MeetingOnceTests.lines
  ) async throws {
    let recipe = try await LuaRecipe.load(
      ScriptSource(name: "r.lua", text: wrap("completed = \(lines)")), context: bench.surroundings.context(),
      once: record)
    defer { Task { await recipe.close() } }
    let session = FileSession(
      id: "fil_9", filename: "a.md", mimeType: "text/plain", sizeBytes: 4, status: .completed,
      createdAt: Timestamp(milliseconds: 0), expiresAt: nil, completedAt: Timestamp(milliseconds: 1500))
    _ = try await recipe.completed(file, session: session)
  }

  @Test("A repeated handler whose results were recorded asks the service for nothing")
  func recorded() async throws {
    let record = OnceRecord.inMemory()
    for _ in 0..<3 { try await complete(file, record) }
    #expect(meetings.meetings.map(\.title) == ["one", "two", "three"])
    #expect(meetings.keys.count == 4 && meetings.updates == 1)
    #expect(bench.log == Array(repeating: "info: mtg_1\tmtg_2\tmtg_3\tfil_9", count: 3))
  }

  @Test("A repeated handler whose results were lost asks with the same keys, and gets the same meetings")
  func lost() async throws {
    for _ in 0..<2 { try await complete(file, .inMemory()) }
    #expect(meetings.meetings.count == 3)
    #expect(meetings.keys.count == 8 && Set(meetings.keys).count == 4)
    #expect(Array(meetings.keys.prefix(4)) == Array(meetings.keys.suffix(4)))
    #expect(meetings.keys.allSatisfy { (1...255).contains($0.unicodeScalars.count) })
    #expect(Set(bench.log).count == 1)
  }

  @Test("Another content, file, recipe or profile has keys of its own")
  func others() async throws {
    let record = OnceRecord.inMemory()
    var changed = file
    changed.md5 = MD5Digest(bytes: Array(repeating: 2, count: 16))
    var moved = file
    moved.key.path = try bench.project.write("in/b.md")
    var renamed = file
    renamed.key.recipe = "s"
    var elsewhere = file
    elsewhere.key.profile = "staging"
    var unsent = file
    unsent.md5 = nil
    let files = [file, changed, moved, renamed, elsewhere, unsent]
    for file in files { try await complete(file, record) }
    #expect(meetings.meetings.count == 3 * files.count && Set(meetings.keys).count == 4 * files.count)
  }

  @Test("A handler that failed on its way goes on where it was")
  func goesOn() async throws {
    let record = OnceRecord.inMemory()
    bench.surroundings.service.meetings.withLock { $0.error = nil }
    await #expect(throws: Failure.self) {
      try await complete(
        file, record,
        """
        function(file)
          moontide.meetings.create { title = "one", start_date = 0, end_date = 1 }
          error("no luck")
        end
        """)
    }
    #expect(meetings.meetings.map(\.title) == ["one"])
    try await complete(file, record)
    #expect(meetings.meetings.map(\.title) == ["one", "two", "three"])
  }

  @Test("What the service refused is not recorded")
  func refused() async throws {
    let record = OnceRecord.inMemory()
    bench.surroundings.service.meetings.withLock { $0.error = ServiceError(.unprocessableContent, "no") }
    await #expect(throws: Failure.self) { try await complete(file, record) }
    bench.surroundings.service.meetings.withLock { $0.error = nil }
    try await complete(file, record)
    #expect(meetings.meetings.count == 3)
  }

  @Test("Functions that run together are numbered as they begin; attaching goes by what it is about")
  func together() async throws {
    let lines = """
      function(file, session)
        local function create(title, wait)
          return function()
            local m = moontide.meetings.create { title = title, start_date = 0, end_date = 1 }
            moontide.sleep(wait)
            return moontide.meetings.attach_transcript(m, session).id
          end
        end
        print(moontide.all { create("one", 2), create("two", 1) })
      end
      """
    for _ in 0..<2 { try await complete(file, .inMemory(), lines) }
    #expect(meetings.meetings.map(\.title) == ["one", "two"] && Set(meetings.keys).count == 4)
    #expect(bench.log == Array(repeating: "info: mtg_1\tmtg_2", count: 2))
  }

  @Test("A file that is decided again records its meeting once, and the next file its own")
  func deciding() async throws {
    let record = OnceRecord.inMemory()
    let text = wrap(
      """
      accept = function(file)
        moontide.sleep(1)
        moontide.meetings.create { title = file.name, start_date = 0, end_date = 1 }
        return true
      end
      """)
    try bench.project.write("b.md")
    let candidates = [try bench.candidate("in/a.md"), try bench.candidate("b.md")]
    for _ in 0..<2 {
      let recipe = try await LuaRecipe.load(
        ScriptSource(name: "r.lua", text: text), context: bench.surroundings.context(), once: record)
      #expect(await recipe.decide(candidates) == [.send(Wishes()), .send(Wishes())])
      await recipe.close()
    }
    #expect(Set(meetings.meetings.map(\.title)) == ["a.md", "b.md"] && meetings.meetings.count == 2)
  }

  @Test("Labels of file:once cannot be those of the host")
  func labels() async throws {
    let failure = try await bench.fault("accept = function(f) f:once('moontide:x', print) end")
    #expect(failure.message.contains("labels that begin with moontide: are taken"))
  }
}
