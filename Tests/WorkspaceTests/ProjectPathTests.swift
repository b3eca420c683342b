import Glibc
import Testing
import Workspace

@Suite struct ProjectPathTests {
  @Test(
    "A path is normalized",
    arguments: [
      ("a.md", "a.md"), ("./a//b/", "a/b"), (".", "."), ("./", "."), ("a/..", "."), ("a/../b", "b"),
      ("a/./b/../../c", "c"), ("...", "..."), ("a/..b", "a/..b"), ("a b/ü", "a b/ü"), ("a\nb", "a\nb"),
    ])
  func normalizes(text: String, expected: String) throws {
    #expect(try ProjectPath(text).string == expected)
  }

  @Test(
    "A path that leads out of the project is refused",
    arguments: [
      "..", "../a", "a/../..", "/etc/passwd", "a/b/../../../c", "..\u{2F}x", "./..",
      // As characters, the slash and the accent are one; as bytes they are not.
      "a/../../\u{301}", "/\u{301}",
    ])
  func refusesEscapes(text: String) {
    let error = failure { _ = try ProjectPath(text) }
    #expect(error?.code == .outside)
    #expect(error?.message.contains("outside of the project") == true)
  }

  @Test("A path that no file can have is refused", arguments: ["", "a\0b", "\0"])
  func refusesInvalid(text: String) {
    #expect(failure { _ = try ProjectPath(text) }?.code == .invalidName)
  }

  @Test("Bytes that are not UTF-8 are refused and shown")
  func refusesOtherEncodings() {
    let error = failure { _ = try ProjectPath(bytes: [0x61, 0xE9]) }
    #expect(error?.code == .invalidName)
    #expect(error?.path == "a\\xe9")
  }

  @Test(
    "Name, stem, extension and parent",
    arguments: [
      ("a/b.tar.gz", "b.tar.gz", "b.tar", ".gz", "a"), (".profile", ".profile", ".profile", "", "."),
      ("x/.a.md", ".a.md", ".a", ".md", "x"), ("README", "README", "README", "", "."),
      ("a.", "a.", "a.", "", "."), ("a/b/c", "c", "c", "", "a/b"), ("..a", "..a", "..a", "", "."),
    ])
  func parts(text: String, name: String, stem: String, ext: String, parent: String) throws {
    let path = try ProjectPath(text)
    #expect(path.name == name)
    #expect(path.stem == stem)
    #expect(path.ext == ext)
    #expect(path.parent?.string == parent)
  }

  @Test("The project itself has no parent and no components")
  func root() {
    #expect(ProjectPath.root.parent == nil)
    #expect(ProjectPath.root.components.isEmpty)
    #expect(ProjectPath.root.name == ".")
  }

  @Test("Joining folds dots and stays in the project")
  func joins() throws {
    #expect(try path("a/b").appending("../c.md").string == "a/c.md")
    #expect(try path("a").appending(".").string == "a")
    for text in ["..", "/a", "a/../.."] {
      #expect(failure { _ = try ProjectPath.root.appending(text) }?.code == .outside)
    }
  }

  @Test("The path from an ancestor")
  func relative() throws {
    #expect(try path("a/b/c").relative(to: path("a")) == "b/c")
    #expect(try path("a/b").relative(to: .root) == "a/b")
    #expect(try path("a").relative(to: path("a")) == ".")
    #expect(try path("ab/c").relative(to: path("a")) == nil)
    #expect(try path("a").relative(to: path("a/b")) == nil)
  }

  @Test("Two ways to write an accent are two paths")
  func comparesBytes() throws {
    let composed = try path("\u{e9}.md")
    let decomposed = try path("e\u{301}.md")
    #expect(composed != decomposed)
    #expect(Set([composed, decomposed]).count == 2)
    #expect(decomposed < composed)
  }

  @Test("Absolute paths below the project are taken, by either of its names")
  func absolute() throws {
    let project = try TemporaryProject()
    #expect(symlink(project.directory, project.base + "/alias") == 0)
    let workspace = try Workspace(root: project.base + "/alias")
    #expect(try workspace.path(project.base + "/alias/a/b.md").string == "a/b.md")
    #expect(try workspace.path(workspace.rootPath + "/a/./x/../b.md").string == "a/b.md")
    #expect(try workspace.path(workspace.rootPath).isRoot)
    for text in ["/etc/passwd", workspace.rootPath + "2/a", workspace.rootPath + "/../outside/a", "/"] {
      #expect(failure { _ = try workspace.path(text) }?.code == .outside)
    }
    #expect(try workspace.absolute(path("a/b.md")) == workspace.rootPath + "/a/b.md")
  }
}
