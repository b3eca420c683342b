import Foundation
import Glibc
import Testing
import Workspace

@Suite struct LinkTests {
  @Test(
    "Links that stay in the project are followed",
    arguments: ["file", "dir/x.md", "dir/up", "chain", "absolute", "through/x.md", "dir/deep/../x.md"])
  func follows(name: String) throws {
    let project = try TemporaryProject().make("real/x.md", "real/sub/")
    project.link("file", to: "real/x.md")
    project.link("dir", to: "real")
    project.link("real/up", to: "../real/./x.md")
    project.link("chain", to: "file")
    project.link("absolute", to: project.directory + "/real/x.md")
    project.link("through", to: "dir/sub/..")
    let workspace = try project.workspace()
    let file = try workspace.open(path(name))
    #expect(file.path.string == "real/x.md")
    #expect(try file.readAll(limit: 100) == Array("real/x.md".utf8))
    #expect(try workspace.info(path(name)).path.string == "real/x.md")
  }

  /// Links of every form that lead out, and a path that uses each.
  static let escapes: [(target: String, use: String)] = [
    ("/etc/passwd", "link"), ("/etc", "link/passwd"), ("../outside/secret", "link"),
    ("..", "link/outside/secret"),
    ("../outside", "link/secret"), ("dir/../../outside", "link/secret"), ("/", "link/etc/passwd"),
    ("../project/../outside/secret", "link"), ("hop", "link"),
  ]

  @Test("Links that lead out are refused for everything, and named", arguments: escapes)
  func refusesEscapes(target: String, use: String) throws {
    let project = try TemporaryProject().make("dir/", "a")
    try project.make("secret", in: project.outside)
    project.link("link", to: target)
    project.link("hop", to: "../outside/secret")
    let workspace = try project.workspace()
    let path = try path(use)
    let source = try ProjectPath("a")
    let attempts: [() throws -> Void] = [
      { _ = try workspace.open(path) },
      { _ = try workspace.info(path) },
      { _ = try workspace.exists(path) },
      { _ = try workspace.list(path) },
      { try workspace.write(path, "x".utf8) },
      { try workspace.makeDirectory(path) },
      { try workspace.copy(from: path, to: try ProjectPath("copy")) },
      { _ = try workspace.walk(root: path) },
    ]
    for attempt in attempts {
      let error = failure(attempt)
      #expect(error?.code == .outside)
      #expect(error?.message.contains("the link \"\(target == "hop" ? "hop" : "link")\" leads to") == true)
    }
    // For these the link at the end itself is meant, and it is in the way; beyond it nothing is reached.
    let moved = failure { try workspace.move(from: source, to: path) }
    #expect(moved?.code == (use == "link" ? .exists : .outside))
    #expect(try String(contentsOfFile: project.outside + "/secret", encoding: .utf8) == "secret")
    #expect(project.content("a") == "a")
    #expect(try FileManager.default.contentsOfDirectory(atPath: project.outside) == ["secret"])
  }

  @Test("Links in a circle, and more than 40, are an error")
  func circles() throws {
    let project = try TemporaryProject().make("a")
    project.link("x", to: "y")
    project.link("y", to: "x")
    project.link("self", to: "self/b")
    project.link("l0", to: "a")
    for number in 1...41 { project.link("l\(number)", to: "l\(number - 1)") }
    let workspace = try project.workspace()
    #expect(try workspace.info(path("l39")).path.string == "a")
    for name in ["x", "x/b", "self", "l40", "l41"] {
      let path = try path(name)
      #expect(
        failure { _ = try workspace.open(path) }?.code == .tooManyLinks, "\(name)")
    }
  }

  @Test("A link that leads nowhere is not found, and writing through it stays in the project")
  func dangling() throws {
    let project = try TemporaryProject()
    project.link("link", to: "new/file")
    let workspace = try project.workspace()
    let path = try path("link")
    #expect(try !workspace.exists(path))
    #expect(failure { _ = try workspace.open(path) }?.code == .notFound)
    #expect(try workspace.write(path, "x".utf8).path.string == "new/file")
    #expect(project.content("new/file") == "x")
  }

  @Test("A directory that is swapped for a link in between never leads out", .timeLimit(.minutes(1)))
  func swap() throws {
    let project = try TemporaryProject().make("dir/a", "other/")
    try project.make("a", in: project.outside)
    try Data("outside".utf8).write(to: URL(fileURLWithPath: project.outside + "/a"))
    project.link("evil", to: "../outside")
    let workspace = try project.workspace()
    let directory = project.directory
    let swapper = Beside {
      rename(directory + "/dir", directory + "/aside")
      rename(directory + "/evil", directory + "/dir")
      rename(directory + "/dir", directory + "/evil")
      // While it is away, `makeDirectory` below makes another one; that one has to go.
      rmdir(directory + "/dir/made")
      rename(directory + "/aside", directory + "/dir")
      return true
    }
    var outcomes: [String: Int] = [:]
    let target = try path("dir/a")
    var number = 0
    let needed = ["read", "outside"]
    while number < 500_000 && (number < 20_000 || needed.contains { outcomes[$0] == nil }) {
      number += 1
      do throws(WorkspaceError) {
        let bytes = try workspace.read(target, limit: 100)
        #expect(bytes == Array("dir/a".utf8))
        outcomes["read", default: 0] += 1
      } catch {
        outcomes[error.code.rawValue, default: 0] += 1
      }
      if number % 16 == 0 {
        do throws(WorkspaceError) {
          try workspace.makeDirectory(ProjectPath("dir/made"))
        } catch {
          // It met the link, or nothing; what counts is where it was made.
        }
      }
    }
    swapper.stop()
    for outcome in needed { #expect(outcomes[outcome] != nil, "\(outcomes)") }
    #expect(try FileManager.default.contentsOfDirectory(atPath: project.outside) == ["a"])
  }
}
