import Foundation
import Glibc
import Testing
import Workspace

@Suite struct WalkTests {
  @Test("Files are offered depth first, in the order of their names' bytes")
  func order() throws {
    let project = try TemporaryProject().make("b", "a/z", "a/b/c", "a.md", "B", "ü", "empty/")
    let workspace = try project.workspace()
    let expected = ["B", "a/b/c", "a/z", "a.md", "b", "ü"]
    #expect(try walk(workspace).files == expected)
    #expect(try walk(workspace).files == expected)
  }

  @Test("A file comes with both of its paths and the stamp of an open file")
  func items() throws {
    let project = try TemporaryProject().make("in/sub/a.md")
    let workspace = try project.workspace()
    var walker = try workspace.walk(root: path("in"))
    let stamp = try workspace.open(path("in/sub/a.md")).stamp()
    #expect(walker.next() == .file(path: try path("in/sub/a.md"), relative: "sub/a.md", stamp: stamp))
    #expect(walker.next() == nil)
    #expect(walker.next() == nil)
  }

  @Test(
    "Includes, excludes and hidden names",
    arguments: [
      (["**/*.md"], [], false, ["a b.md", "drafts/x.md", "sub/c.md"]),
      (["**/*.md", "**/*.pdf"], ["drafts/**"], false, ["a b.md", "sub/c.md", "sub/d.pdf"]),
      (["**/*.md"], ["drafts"], true, [".hidden.md", "a b.md", "sub/c.md"]),
      ([".h*"], [], false, [".hidden.md"]),
      ([".git/**"], [], false, [".git/config"]),
      (["sub/*"], [], false, ["sub/c.md", "sub/d.pdf"]),
      ([], ["**/*.md"], false, ["sub/d.pdf"]),
      (["none"], [], false, []),
    ] as [([String], [String], Bool, [String])])
  func selects(include: [String], exclude: [String], hidden: Bool, expected: [String]) throws {
    let project = try TemporaryProject()
      .make("a b.md", "sub/c.md", "sub/d.pdf", ".hidden.md", "drafts/x.md", ".git/config")
    let result = try walk(project.workspace(), include: include, exclude: exclude, hidden: hidden)
    #expect(result.files == expected)
    #expect(result.problems.isEmpty)
  }

  @Test("A root that begins with a dot is walked when it is named")
  func hiddenRoot() throws {
    let project = try TemporaryProject().make(".notes/a")
    #expect(try walk(project.workspace(), ".notes").files == ["a"])
  }

  @Test("Links are neither followed nor offered; the root may be one")
  func links() throws {
    let project = try TemporaryProject().make("dir/a")
    project.link("link", to: "dir")
    project.link("file", to: "dir/a")
    project.link("loop", to: ".")
    let workspace = try project.workspace()
    #expect(try walk(workspace).files == ["dir/a"])
    #expect(try walk(workspace, "link").files == ["a"])
  }

  @Test(
    "A root that is missing, or a file, is an error",
    arguments: [("none", "notFound"), ("file", "notDirectory")])
  func badRoot(name: String, code: String) throws {
    let project = try TemporaryProject().make("file")
    let workspace = try project.workspace()
    let root = try path(name)
    let error = failure { _ = try workspace.walk(root: root) }
    #expect(error?.code.rawValue == code)
    #expect(error?.message.contains("cannot walk \"\(name)\"") == true)
  }

  @Test("A name that is not UTF-8 is a problem where it is wanted, and the others are offered")
  func otherEncodings() throws {
    let project = try TemporaryProject().make("a.md", "z.md")
    for name in [[0x63, 0xE9, 0x2E, 0x6D, 0x64], [0x63, 0xE9, 0x2E, 0x78]] as [[UInt8]] {
      let path = (Array((project.directory + "/").utf8) + name + [0]).map { CChar(bitPattern: $0) }
      let descriptor = creat(path, 0o600)
      #expect(descriptor >= 0)
      close(descriptor)
    }
    let workspace = try project.workspace()
    let result = try walk(workspace, include: ["*.md"])
    #expect(result.files == ["a.md", "z.md"])
    #expect(result.problems.map(\.code) == [.invalidName])
    #expect(result.problems.first?.path == "c\\xe9.md")
    #expect(try walk(workspace, include: ["a.*"]).problems.isEmpty)
    #expect(try workspace.list().problems.count == 2)
  }

  @Test("A directory that is removed during the walk is a problem, not empty")
  func vanishedDirectory() throws {
    let project = try TemporaryProject().make("a", "b/x", "c")
    var walker = try project.workspace().walk()
    guard case .file(_, "a", _) = walker.next() else {
      Issue.record("a comes first")
      return
    }
    try FileManager.default.removeItem(atPath: project.directory + "/b")
    guard case .problem(let error) = walker.next() else {
      Issue.record("b is a problem")
      return
    }
    #expect(error.code == .vanished)
    #expect(error.path == "b")
    guard case .file(_, "c", _) = walker.next() else {
      Issue.record("c comes last")
      return
    }
    #expect(walker.next() == nil)
  }

  @Test("A file that is removed or replaced during the walk is a problem")
  func vanishedFile() throws {
    let project = try TemporaryProject().make("a", "b", "c")
    var walker = try project.workspace().walk()
    _ = walker.next()
    #expect(unlink(project.directory + "/b") == 0)
    #expect(unlink(project.directory + "/c") == 0)
    project.link("c", to: "a")
    var codes: [WorkspaceError.Code] = []
    while let item = walker.next() {
      if case .problem(let error) = item { codes.append(error.code) }
    }
    #expect(codes == [.vanished, .changed])
  }

  @Test("A root that is removed before its names are read is a problem, not empty")
  func vanishedRoot() throws {
    let project = try TemporaryProject().make("in/")
    var walker = try project.workspace().walk(root: path("in"))
    #expect(rmdir(project.directory + "/in") == 0)
    guard case .problem(let error) = walker.next() else {
      Issue.record("the root is a problem")
      return
    }
    #expect(error.code == .vanished)
    #expect(error.path == "in")
    #expect(walker.next() == nil)
  }

  @Test("A directory without permission is a problem, not empty")
  func unreadable() throws {
    let project = try TemporaryProject().make("a", "locked/x", "z")
    #expect(chmod(project.directory + "/locked", 0) == 0)
    defer { chmod(project.directory + "/locked", 0o700) }
    #expect(chmod(project.base, 0o755) == 0)
    let workspace = try project.workspace()
    let result = try asNobody { try walk(workspace) }
    #expect(result.files == ["a", "z"])
    #expect(result.problems.map(\.code) == [.permission])
    #expect(result.problems.first?.path == "locked")
    #expect(result.problems.first?.message.contains("Permission denied") == true)
  }

  /// Root may read everything, so this thread gives that up for as long as `body` runs.
  private func asNobody<Result>(_ body: () throws -> Result) throws -> Result {
    guard geteuid() == 0 else { return try body() }
    typealias SetFSUID = @convention(c) (UInt32) -> Int32
    let setfsuid = unsafeBitCast(try #require(dlsym(nil, "setfsuid")), to: SetFSUID.self)
    _ = setfsuid(65534)
    defer { _ = setfsuid(0) }
    return try body()
  }

  @Test("Every way that a path is left out has its explanation")
  func explains() throws {
    let project = try TemporaryProject()
      .make("in/a.md", "in/b.txt", "in/.h.md", "in/.d/x.md", "in/old/x.md", "other.md", "in/dir.md/")
    project.link("in/link.md", to: "a.md")
    project.link("in/linked", to: "old")
    #expect(mkfifo(project.directory + "/in/pipe.md", 0o600) == 0)
    let workspace = try project.workspace()
    let root = try path("in")
    let globs = try GlobSet(include: ["**/*.md"], exclude: ["old/"])
    let expected: [(String, Visibility)] = [
      ("in/a.md", .visible), ("in/b.txt", .notIncluded), ("in/.h.md", .hidden(component: ".h.md")),
      ("in/.d/x.md", .hidden(component: ".d")), ("in/old/x.md", .excluded(by: try Glob("old/"))),
      ("other.md", .outsideRoot(root)), ("in/dir.md", .directory), ("in", .directory),
      ("in/link.md", .link(try path("in/link.md"))), ("in/linked/x.md", .link(try path("in/linked"))),
      ("in/none.md", .missing(try path("in/none.md"))), ("in/no/x.md", .missing(try path("in/no"))),
      ("in/a.md/x.md", .missing(try path("in/a.md/x.md"))), ("in/pipe.md", .notRegular(.pipe)),
      ("in/.moontide/x.md", .protected),
    ]
    let offered = try walk(workspace, "in", include: ["**/*.md"], exclude: ["old/"]).files
    for (name, visibility) in expected {
      let path = try path(name)
      #expect(workspace.explain(path, root: root, globs: globs) == visibility, "\(name)")
      #expect(offered.contains(path.relative(to: root) ?? "") == (visibility == .visible))
      #expect(!visibility.description.isEmpty)
    }
    let gone = workspace.explain(try path("none/a.md"), root: try path("none"))
    #expect(gone == .missing(try path("none")))
  }
}
