import FileSessions
import Ingestion
import LuaLibrary
import ScriptTestSupport
import Scripting
import Testing
import Workspace

@Suite struct AfterTests {
  private let bench: Bench
  private let file: SettledFile
  private let session: FileSession

  init() throws {
    bench = try Bench()
    let path = try bench.project.write("in/notes/a.md", "# A\n")
    file = SettledFile(
      key: JobKey(profile: "local", recipe: "r", path: path), relative: "notes/a.md",
      stamp: try bench.project.workspace.info(path).stamp,
      request: NewFile(filename: "a.md", mimeType: "text/x-own", sizeBytes: 4))
    session = FileSession(
      id: "fil_9", filename: "a_1.md", mimeType: "text/x-own", sizeBytes: 4, status: .completed,
      createdAt: Timestamp(milliseconds: 0), expiresAt: nil, completedAt: Timestamp(milliseconds: 1500))
  }

  private func completed(_ lines: String) async throws -> AfterAction? {
    let recipe = try await bench.recipe(wrap("completed = \(lines)"))
    #expect(recipe.handlesCompleted)
    let action = try await recipe.completed(file, session: session)
    await recipe.close()
    return action
  }

  @Test(
    "An action is given as a value or returned by a function",
    arguments: [
      ("{ move = 'uploaded/' }", AfterAction.move(to: "uploaded/")),
      ("{ copy = 'kept' }", .copy(to: "kept")),
      ("{ remove = true }", .remove),
      ("function(file, session) return { move = 'done/' .. session.id } end", .move(to: "done/fil_9")),
      ("function(file) moontide.sleep(1) if file.size > 100 then return { remove = true } end end", nil),
      ("function() return nil end", nil),
    ])
  func actions(lines: String, action: AfterAction?) async throws {
    #expect(try await completed(lines) == action)
  }

  @Test("The handler sees the file as it was and the session as it is")
  func facts() async throws {
    let action = try await completed(
      """
      function(file, session)
        print(file.path, file.relative, file.mime_type, file:read(), file.job:sub(1, 4))
        print(session.filename, session.status, session.size_bytes, session.created_at, session.completed_at, session.expires_at)
        print(tostring(session), tostring(file), pcall(session.complete, session))
      end
      """)
    #expect(action == nil)
    #expect(
      bench.log == [
        "info: in/notes/a.md\tnotes/a.md\ttext/x-own\t# A", "info: \tjob_",
        "info: a_1.md\tCOMPLETED\t4\t1970-01-01T00:00:00.000Z\t1970-01-01T00:00:01.500Z\tnil",
        "info: session(fil_9, COMPLETED)\tfile(in/notes/a.md)\tfalse\tThere is no file fil_9. (404, not_found)",
      ])
  }

  @Test(
    "What is wrong with it is said with the file",
    arguments: [
      (
        "function() return 'x' end",
        "r.lua:2: in completed for in/notes/a.md: completed returned a string (\"x\"); it takes { move = DIR }, { copy = DIR }, { remove = true } or nothing"
      ),
      (
        "function() return moontide.skip() end",
        "r.lua:2: in completed for in/notes/a.md: completed returned a verdict; it takes { move = DIR }, { copy = DIR }, { remove = true } or nothing"
      ),
      (
        "function() return { move = '/etc' } end",
        "r.lua:2: in completed for in/notes/a.md: completed returned move = \"/etc\": \"/etc\" is outside of the project; use a path below the project directory"
      ),
      ("function() error('no') end", "r.lua:2: in completed for in/notes/a.md: no"),
    ])
  func mistakes(lines: String, message: String) async throws {
    do throws(any Error) {
      _ = try await completed(lines)
      Issue.record("no failure")
    } catch let failure as Failure {
      #expect(failure.message == message)
      #expect(failure.handler == "completed")
      let trace = (failure.trace ?? "").split(separator: "\n").map(String.init)
      #expect(trace.first == "  2 | completed = \(lines)", "\(trace)")
      #expect(trace.dropFirst().first?.hasSuffix("^") == true, "\(trace)")
      #expect(trace.last?.hasPrefix("    r.lua:2: in ") == true, "\(trace)")
    }
  }

  @Test("Reading a file that has gone says why")
  func gone() async throws {
    try bench.project.workspace.remove(file.key.path)
    do {
      _ = try await completed("function(file) return file:read() end")
      Issue.record("no failure")
    } catch let failure as Failure {
      #expect(
        failure.message
          == "r.lua:2: in completed for in/notes/a.md: in/notes/a.md is not there any more: it was moved, renamed or removed after it was sent"
      )
      #expect(failure.kind == .file)
    }
  }

  @Test("A failed handler sees why the file was given up")
  func failed() async throws {
    let recipe = try await bench.recipe(
      wrap(
        """
        failed = function(file, failure)
          print(failure.kind, failure.message, failure.status, failure.type, failure.code, failure.param,
            failure.request_id, failure.handler)
          return { move = "dead/" }
        end
        """))
    let failure = Failure(
      .service, "No.", status: 400, type: "bad_request", code: "invalid_value", param: "purpose",
      requestID: "req_1")
    #expect(try await recipe.failed(file, failure: failure) == .move(to: "dead/"))
    #expect(bench.log == ["info: service\tNo.\t400\tbad_request\tinvalid_value\tpurpose\treq_1\tnil"])
    #expect(recipe.handlesFailed && !recipe.handlesCompleted)
    await recipe.close()
  }

  @Test("A summary gets the figures of the run, and its error is the run's")
  func summary() async throws {
    let recipe = try await bench.recipe(
      wrap(
        """
        summary = function(t)
          print(t.found, t.sent, t.already_done, t.touched, t.skipped, t.deferred, t.rejected, t.failed, t.steps_failed, t.bytes, t.seconds)
          if t.failed > 0 then error("too many") end
        end
        """))
    var summary = RunSummary()
    (summary.found, summary.sent, summary.alreadyDone, summary.touched, summary.skipped) = (36, 1, 2, 3, 4)
    (summary.deferred, summary.rejected, summary.stepsFailed, summary.bytes) = (5, 6, 8, 9)
    summary.duration = .milliseconds(1500)
    try await recipe.summary(summary)
    #expect(bench.log == ["info: 36\t1\t2\t3\t4\t5\t6\t0\t8\t9\t1.5"])
    summary.failed = 7
    do {
      try await recipe.summary(summary)
      Issue.record("no failure")
    } catch {
      #expect(error.message == "r.lua:4: in summary: too many")
    }
    await recipe.close()
  }
}
