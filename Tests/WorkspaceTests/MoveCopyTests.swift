import Foundation
import Glibc
import Testing
import Workspace

@Suite struct MoveCopyTests {
  /// Every way to move that some file system leaves as the only one.
  static let ways: [FileSystemCapabilities] = [
    .all, [.hardLinks, .oneDevice], [.oneDevice], [.exclusiveRename, .hardLinks], [.hardLinks], [],
  ]

  @Test(
    "A move makes directories, keeps the content and the time, and leaves nothing behind", arguments: ways)
  func moves(capabilities: FileSystemCapabilities) throws {
    let project = try TemporaryProject().make("in/a.md")
    let workspace = try project.workspace(capabilities: capabilities)
    #expect(chmod(project.directory + "/in/a.md", 0o640) == 0)
    let before = try workspace.info(path("in/a.md"))
    let info = try workspace.move(from: path("in/a.md"), to: path("out/x/b.md"))
    #expect(info.path.string == "out/x/b.md")
    #expect(info.stamp == (try workspace.info(path("out/x/b.md")).stamp))
    #expect(info.stamp.modified == before.stamp.modified)
    #expect(try workspace.info(path("out/x/b.md")).mode == 0o640)
    #expect(project.content("out/x/b.md") == "in/a.md")
    #expect(try project.names("in") == [])
    #expect(try project.names("out/x") == ["b.md"])
  }

  @Test("Nothing is ever overwritten: not a file, a directory, a link that leads nowhere", arguments: ways)
  func neverOverwrites(capabilities: FileSystemCapabilities) throws {
    let project = try TemporaryProject().make("a", "file", "directory/")
    project.link("link", to: "nowhere")
    let workspace = try project.workspace(capabilities: capabilities)
    let source = try path("a")
    for name in ["file", "directory", "link", "a"] {
      let target = try path(name)
      let moved = failure { try workspace.move(from: source, to: target) }
      #expect(moved?.code == .exists, "\(name)")
      #expect(moved?.path == name)
      let copied = failure { try workspace.copy(from: source, to: target) }
      #expect(copied?.code == .exists, "\(name)")
    }
    #expect(project.content("a") == "a")
    #expect(project.content("file") == "file")
    #expect(try project.names() == ["a", "directory", "file", "link"])
  }

  @Test("Of many that move to one name at once, one wins and the others keep theirs", arguments: ways)
  func contention(capabilities: FileSystemCapabilities) async throws {
    let project = try TemporaryProject()
    let workspace = try project.workspace(capabilities: capabilities)
    for number in 0..<16 { try project.make("in\(number)") }
    let target = try path("out/x")
    let winners = try await withThrowingTaskGroup(of: Int?.self) { group in
      for number in 0..<16 {
        group.addTask {
          let source = try ProjectPath("in\(number)")
          do throws(WorkspaceError) {
            try workspace.move(from: source, to: target)
            return number
          } catch {
            #expect(error.code == .exists)
            return nil
          }
        }
      }
      return try await group.reduce(into: [Int]()) { if let number = $1 { $0.append(number) } }
    }
    #expect(winners.count == 1)
    #expect(project.content("out/x") == "in\(winners.first ?? -1)")
    #expect(try project.names().count == 16)
    #expect(try project.names("out") == ["x"])
  }

  @Test("A move between devices copies, then removes", .enabled(if: access("/dev/shm", W_OK) == 0))
  func acrossDevices() throws {
    // Two file systems below one root: the root of the file system itself.
    let project = try TemporaryProject().make("a.md")
    var template = Array("/dev/shm/workspace-tests-XXXXXX".utf8CString)
    #expect(mkdtemp(&template) != nil)
    let other = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { try? FileManager.default.removeItem(atPath: other) }
    let workspace = try Workspace(root: "/", state: project.base + "/state")
    let source = try workspace.path(project.directory + "/a.md")
    let target = try workspace.path(other + "/sub/b.md")
    let before = try workspace.info(source)
    let info = try workspace.move(from: source, to: target)
    #expect(info.stamp.modified == before.stamp.modified)
    #expect(FileManager.default.contents(atPath: other + "/sub/b.md") == Data("a.md".utf8))
    #expect(try project.names() == [])
    #expect(try FileManager.default.contentsOfDirectory(atPath: other + "/sub") == ["b.md"])
  }

  @Test("A copy is whole, keeps mode and time, and leaves the source")
  func copies() throws {
    let project = try TemporaryProject()
    let workspace = try project.workspace()
    let bytes = (0..<3_000_001).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    try workspace.write(path("a.bin"), bytes)
    let info = try workspace.copy(from: path("a.bin"), to: path("x/b.bin"))
    #expect(try workspace.read(path("x/b.bin"), limit: .max) == bytes)
    #expect(try workspace.info(path("x/b.bin")) == info)
    #expect(try workspace.info(path("a.bin")).stamp.modified == info.stamp.modified)
    #expect(try project.names("x") == ["b.bin"])
  }

  @Test("Links and directories are not moved; a link's file is copied")
  func otherKinds() throws {
    let project = try TemporaryProject().make("a", "dir/x")
    project.link("link", to: "a")
    let workspace = try project.workspace()
    let target = try path("target")
    for name in ["link", "dir"] {
      let source = try path(name)
      let error = failure { try workspace.move(from: source, to: target) }
      #expect(error?.code == .notRegular)
    }
    try workspace.copy(from: path("link"), to: target)
    #expect(project.content("target") == "a")
  }
}
