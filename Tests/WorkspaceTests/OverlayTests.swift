import Foundation
import Testing
import Workspace

@Suite("Files as they would be")
struct OverlayTests {
  /// A project, the workspace over it that keeps its changes in memory, and these changes.
  private func planned(
    _ project: TemporaryProject
  ) throws -> (workspace: Workspace, overlay: Overlay) {
    let overlay = Overlay { 1_700_000_000_000_000_000 }
    return (Workspace(try project.workspace(), overlay: overlay), overlay)
  }

  private func text(_ workspace: Workspace, _ name: String) throws -> String {
    String(decoding: try workspace.read(try path(name), limit: 1000), as: UTF8.self)
  }

  @Test("What is written, moved, copied and removed is seen, and never reaches the disk")
  func changes() throws {
    let project = try TemporaryProject().make("a.md", "b.md", "sub/c.md")
    let (workspace, overlay) = try planned(project)
    let before = try FileManager.default.subpathsOfDirectory(atPath: project.directory).sorted()

    let stamp = try workspace.info(path("a.md")).stamp
    let moved = try workspace.move(from: path("a.md"), to: path("done/deep/a.md"))
    #expect(try moved.stamp == stamp && moved.path == path("done/deep/a.md"))
    #expect(try !workspace.exists(path("a.md")) && workspace.exists(path("done/deep")))
    #expect(try text(workspace, "done/deep/a.md") == "a.md")
    #expect(try workspace.open(path("done/deep/a.md")).stamp() == stamp)

    let copied = try workspace.copy(from: path("b.md"), to: path("sub/b.md"))
    let original = try workspace.info(path("b.md")).stamp
    #expect(copied.stamp.modified == original.modified && copied.stamp.inode != original.inode)
    try workspace.remove(path("sub/c.md"))
    try workspace.write(path("b.md"), Array("new".utf8))
    #expect(try text(workspace, "b.md") == "new" && text(workspace, "sub/b.md") == "b.md")
    try workspace.makeDirectory(path("empty"))

    #expect(try workspace.list().entries.map(\.name) == ["b.md", "done", "empty", "sub"])
    #expect(try workspace.list(path("sub")).entries.map(\.name) == ["b.md"])
    #expect(try workspace.list(path("done/deep")).entries.map(\.name) == ["a.md"])
    #expect(try workspace.list(path("empty")).entries.isEmpty)

    #expect(try FileManager.default.subpathsOfDirectory(atPath: project.directory).sorted() == before)
    #expect(project.content("b.md") == "b.md")
    #expect(
      overlay.takeChanges() == [
        .move(from: "a.md", to: "done/deep/a.md"), .copy(from: "b.md", to: "sub/b.md"), .remove("sub/c.md"),
        .write("b.md"), .makeDirectory("empty"),
      ])
    #expect(overlay.takeChanges().isEmpty)
  }

  @Test("A walk leaves out what was removed, and offers afterwards what was added")
  func walks() throws {
    let project = try TemporaryProject().make("in/a.md", "in/b.md", "in/c.txt", "other/x.md")
    let (workspace, _) = try planned(project)
    #expect(try walk(workspace, "in", include: ["**/*.md"]).files == ["a.md", "b.md"])
    _ = try workspace.move(from: path("in/a.md"), to: path("other/a.md"))
    _ = try workspace.move(from: path("other/x.md"), to: path("in/sub/x.md"))
    _ = try workspace.write(path("in/sub/.hidden.md"), [1])
    _ = try workspace.write(path("in/b.md"), [1, 2])
    #expect(try walk(workspace, "in", include: ["**/*.md"]).files == ["b.md", "sub/x.md"])
    #expect(try walk(workspace, "other").files == ["a.md"])
    #expect(try walk(workspace, "in/sub", hidden: true).files == [".hidden.md", "x.md"])

    var walker = try workspace.walk(root: path("in"))
    var sizes: [String: Int64] = [:]
    while case .file(_, let name, let stamp)? = walker.next() {
      sizes[name] = stamp.size
      // What comes while a walk is under way is still offered.
      if sizes.count == 1 { _ = try workspace.write(path("in/late.md"), [1, 2, 3]) }
    }
    #expect(sizes == ["c.txt": 8, "b.md": 2, "late.md": 3, "sub/x.md": 10])
  }

  @Test("Nothing is overwritten, and what is refused on the disk is refused here")
  func refusals() throws {
    let project = try TemporaryProject().make("a", "b", "dir/", ".moontide/x")
    project.link("out", to: "../outside")
    let (workspace, overlay) = try planned(project)
    let outside = ["out/x", "out"]
    for name in outside {
      #expect(failure { _ = try workspace.write(path(name), [1]) }?.code == .outside, "\(name)")
    }
    #expect(failure { _ = try workspace.write(path(".moontide/y"), [1]) }?.code == .protected)
    #expect(failure { _ = try workspace.write(path("new/.moontide/y"), [1]) }?.code == .protected)
    #expect(failure { _ = try workspace.write(path("dir"), [1]) }?.code == .notRegular)
    #expect(failure { _ = try workspace.write(path("a/below"), [1]) }?.code == .notDirectory)
    #expect(failure { _ = try workspace.move(from: path("a"), to: path("b")) }?.code == .exists)
    #expect(failure { _ = try workspace.move(from: path("none"), to: path("c")) }?.code == .notFound)
    #expect(failure { try workspace.remove(path("dir")) }?.code == .notRegular)
    #expect(overlay.takeChanges().isEmpty)

    try workspace.remove(path("b"))
    _ = try workspace.move(from: path("a"), to: path("b"))
    #expect(failure { try workspace.remove(path("a")) }?.code == .notFound)
    #expect(failure { _ = try workspace.copy(from: path("b"), to: path("b")) }?.code == .exists)
    #expect(try text(workspace, "b") == "a")
    #expect(failure { _ = try workspace.open(path("nowhere/x")) }?.code == .notFound)
    #expect(failure { _ = try workspace.open(path("dir")) }?.code == .notRegular)
  }

  @Test("Links inside the project lead to what is changed behind them")
  func links() throws {
    let project = try TemporaryProject().make("real/a.md")
    project.link("linked", to: "real")
    project.link("one.md", to: "real/a.md")
    let (workspace, _) = try planned(project)
    _ = try workspace.write(path("linked/a.md"), Array("changed".utf8))
    #expect(try text(workspace, "real/a.md") == "changed" && text(workspace, "one.md") == "changed")
    _ = try workspace.write(path("linked/new/b.md"), Array("b".utf8))
    #expect(try text(workspace, "real/new/b.md") == "b")
    #expect(try workspace.info(path("linked/new/b.md")).path == path("real/new/b.md"))
    try workspace.remove(path("one.md"))
    #expect(try !workspace.exists(path("one.md")) && workspace.exists(path("real/a.md")))
  }

  @Test("What is outside of the project takes part, in the same overlay")
  func outside() throws {
    let project = try TemporaryProject().make("a.md")
    let (workspace, overlay) = try planned(project)
    let everything = try workspace.everything()
    let source = try everything.path(workspace.absolute(path("a.md")))
    let target = try everything.path(project.outside + "/a.md")
    _ = try everything.move(from: source, to: target)
    #expect(try !workspace.exists(path("a.md")) && everything.exists(target))
    #expect(try everything.open(target).readAll(limit: 10) == Array("a.md".utf8))
    #expect(try FileManager.default.contentsOfDirectory(atPath: project.outside).isEmpty)
    #expect(overlay.takeChanges().count == 1)
  }

  @Test(
    "A directory that the project does not see is made, filled and forgotten in memory, whatever is on the disk"
  )
  func enclosed() throws {
    let project = try TemporaryProject().make("in/a.md", ".moontide/work/left.txt", ".moontide/kept/k.txt")
    let (workspace, overlay) = try planned(project)
    let place = workspace.statePath + "/work"
    overlay.makeEnclosed(place)
    let work = try workspace.enclosed(place)
    #expect(try work.list().entries.isEmpty && work.rootPath == place)
    try work.write(path("p/1.txt"), Array("one".utf8))
    try work.makeDirectory(path("empty"))
    try workspace.copy(from: path("in/a.md"), to: path("copy.md"), in: work)
    try work.move(from: path("copy.md"), to: path("p/2.md"))
    #expect(try text(work, "p/1.txt") == "one" && text(work, "p/2.md") == "in/a.md")
    #expect(try work.list().entries.map(\.name) == ["empty", "p"])
    #expect(try walk(work, ".", include: ["**"]).files == ["p/1.txt", "p/2.md"])
    #expect(try work.info(path("p/1.txt")).stamp == workspace.enclosed(place).info(path("p/1.txt")).stamp)
    #expect(throws: WorkspaceError.self) { try work.info(path("left.txt")) }
    #expect(throws: WorkspaceError.self) { try work.write(path(".moontide/x"), [1]) }
    #expect(throws: WorkspaceError.self) { try work.write(path("../x"), [1]) }

    // Of all that, people are told only of what the project sees.
    try work.move(from: path("p/1.txt"), to: path("out/1.txt"), in: workspace)
    #expect(overlay.takeChanges() == [.move(from: place + "/p/1.txt", to: "out/1.txt")])
    overlay.removeEnclosed(place)
    #expect(try text(workspace, "out/1.txt") == "one")
    #expect(project.content(".moontide/work/left.txt") == ".moontide/work/left.txt")
    // What the disk has is read where nothing was made in its place.
    let kept = try workspace.enclosed(workspace.statePath + "/kept")
    #expect(try text(kept, "k.txt") == ".moontide/kept/k.txt")
    try kept.write(path("k.txt"), Array("new".utf8))
    #expect(try text(kept, "k.txt") == "new")
    #expect(project.content(".moontide/kept/k.txt") == ".moontide/kept/k.txt")
  }

  @Test("It tells whether there is room, which what is forgotten or written anew gives back")
  func room() throws {
    let project = try TemporaryProject().make("a.md")
    let overlay = Overlay(capacity: 100) { 0 }
    let workspace = Workspace(try project.workspace(), overlay: overlay)
    let place = workspace.statePath + "/work"
    overlay.makeEnclosed(place)
    try workspace.write(path("a.md"), [UInt8](repeating: 1, count: 60))
    #expect(overlay.hasRoom(for: 40) && !overlay.hasRoom(for: 41))
    try workspace.write(path("a.md"), [UInt8](repeating: 1, count: 10))
    try workspace.enclosed(place).write(path("x/y"), [UInt8](repeating: 1, count: 80))
    #expect(overlay.hasRoom(for: 10) && !overlay.hasRoom(for: 11))
    overlay.removeEnclosed(place)
    #expect(overlay.hasRoom(for: 90) && !overlay.hasRoom(for: 91))
  }
}
