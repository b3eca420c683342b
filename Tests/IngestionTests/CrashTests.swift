import FileSessions
import Ingestion
import Testing
import Workspace

@Suite("A run that dies at any instant")
struct CrashTests {
  /// What happens to the files between the crash and the next run.
  enum Meanwhile: CaseIterable {
    case nothing, contentChanges, recipeChanges, fileGoes
  }

  @Test(
    "is taken up by the next one: each content sent once, nothing left pending, no file lost",
    arguments: [AfterAction.move(to: "sent"), .copy(to: "sent"), .remove, nil], [false, true])
  func resumes(after action: AfterAction?, answerIsLost: Bool) async throws {
    var call = 0
    while true {
      call += 1
      let project = try TemporaryProject()
      for name in ["a", "b", "sub/c"] { try project.write("content of \(name)", to: "in/\(name).md") }
      let rig = try await Rig(project)
      let point = CrashPoint(call: call, after: answerIsLost)
      _ = try await rig.run(try SwiftRecipe(root: ".", after: action), crash: point)
      guard point.wasReached else { break }
      let recipe = try SwiftRecipe(root: ".", after: action)
      let second = try await rig.run(recipe)

      let note = "call \(call), answer lost: \(answerIsLost)"
      #expect(second.summary.isClean, "\(note)")
      let completed = try await rig.sessions().filter { $0.status == .completed }
      #expect(completed.map(\.filename).sorted() == ["a.md", "b.md", "c.md"], "\(note)")
      #expect(try await rig.sessions().allSatisfy { $0.status != .pending }, "\(note)")
      for session in completed {
        let name = session.filename == "c.md" ? "sub/c" : String(session.filename.dropLast(3))
        #expect(try await rig.content(of: session) == "content of \(name)", "\(note)")
      }
      for name in ["a", "b", "sub/c"] {
        let isThere = project.has("in/\(name).md")
        #expect(isThere == (action != .remove && action != .move(to: "sent")), "\(note)")
        let isPlaced = project.has("sent/in/\(name).md")
        #expect(isPlaced == (action == .copy(to: "sent") || action == .move(to: "sent")), "\(note)")
      }
      let third = try await rig.run(try SwiftRecipe(root: ".", after: action))
      #expect(third.summary.sent == 0, "\(note)")
      #expect(third.summary.problems == 0, "\(note)")
    }
    #expect(call > 12)
  }

  @Test(
    "does not finish what has been overtaken meanwhile",
    arguments: Meanwhile.allCases.filter { $0 != .nothing }, [false, true])
  func overtaken(by meanwhile: Meanwhile, answerIsLost: Bool) async throws {
    var call = 0
    while true {
      call += 1
      let project = try TemporaryProject()
      try project.write("first", to: "a.md")
      let rig = try await Rig(project)
      let point = CrashPoint(call: call, after: answerIsLost)
      _ = try await rig.run(try SwiftRecipe(), crash: point)
      guard point.wasReached else { break }

      var version = "1"
      switch meanwhile {
      case .nothing: break
      case .contentChanges: try project.write("second!", to: "a.md")
      case .recipeChanges: version = "2"
      case .fileGoes: try project.remove("a.md")
      }
      _ = try await rig.run(try SwiftRecipe(version: version))

      let note = "call \(call), answer lost: \(answerIsLost)"
      #expect(try await rig.sessions().allSatisfy { $0.status != .pending }, "\(note)")
      let completed = try await rig.sessions().filter { $0.status == .completed }
      var contents: [String] = []
      for session in completed { contents.append(try await rig.content(of: session)) }
      switch meanwhile {
      case .nothing, .recipeChanges: #expect(contents == ["first"], "\(note)")
      case .contentChanges:
        // The first content may have been sent whole before; the second is there in any case, once.
        #expect(contents == ["second!"] || contents == ["second!", "first"], "\(note)")
      case .fileGoes: #expect(contents == [] || contents == ["first"], "\(note)")
      }
    }
    #expect(call > 4)
  }
}
