import Foundation
import Glibc
import Synchronization
import Testing
import Workspace

@Suite struct ReadWriteTests {
  @Test("A file is read whole, in parts, and up to a limit")
  func reads() throws {
    let project = try TemporaryProject().make("notes/a.md")
    let workspace = try project.workspace()
    #expect(try workspace.read(path("notes/a.md"), limit: 100) == Array("notes/a.md".utf8))
    let file = try workspace.open(path("notes/a.md"))
    #expect(try file.read(count: 3, at: 6) == Array("a.m".utf8))
    #expect(try file.read(count: .max, at: 6) == Array("a.md".utf8))
    #expect(try file.read(count: 5, at: 100) == [])
    #expect(try file.stamp().size == 10)
    let error = failure { _ = try file.readAll(limit: 9) }
    #expect(error?.code == .tooLarge)
    #expect(error?.message.contains("10 bytes") == true)
  }

  @Test("A stamp changes with the file, on a descriptor that stays open")
  func stamps() throws {
    let project = try TemporaryProject().make("a.md")
    let workspace = try project.workspace()
    let file = try workspace.open(path("a.md"))
    let before = try file.stamp()
    #expect(try workspace.info(path("a.md")).stamp == before)
    #expect(truncate(project.directory + "/a.md", 1) == 0)
    #expect(try file.stamp() != before)
    #expect(try file.stamp().inode == before.inode)
    #expect(try file.stamp().modified >= before.modified)
  }

  @Test("A named pipe is refused at once", .timeLimit(.minutes(1)))
  func refusesPipes() throws {
    let project = try TemporaryProject()
    let workspace = try project.workspace()
    #expect(mkfifo(project.directory + "/pipe", 0o600) == 0)
    let error = failure { _ = try workspace.open(try ProjectPath("pipe")) }
    #expect(error?.code == .notRegular)
    #expect(error?.message.contains("named pipe") == true)
    #expect(try workspace.info(path("pipe")).kind == .pipe)
    #expect(try walk(workspace).files == [])
  }

  @Test("What is missing, or a directory, says so with its path")
  func reportsErrors() throws {
    let project = try TemporaryProject().make("dir/", "file")
    let workspace = try project.workspace()
    let missing = failure { _ = try workspace.open(try ProjectPath("no\n.md")) }
    #expect(missing?.code == .notFound)
    #expect(missing?.systemError == ENOENT)
    #expect(missing?.message.contains("\"no\\n.md\": No such file or directory") == true)
    let directory = failure { _ = try workspace.open(try ProjectPath("dir")) }
    #expect(directory?.code == .notRegular)
    let below = failure { _ = try workspace.open(try ProjectPath("file/x")) }
    #expect(below?.code == .notDirectory)
    #expect(try !workspace.exists(path("file/x")))
    #expect(try !workspace.exists(path("none/x")))
    #expect(try workspace.exists(path("dir")))
    #expect(try workspace.exists(.root))
    let long = String(repeating: "x", count: 300)
    #expect(
      failure { _ = try workspace.info(try ProjectPath(long)) }?.code == .invalidName
    )
  }

  @Test("A missing project, or a file in its place, is refused", arguments: ["none", "file"])
  func missingProject(name: String) throws {
    let project = try TemporaryProject().make("file")
    let code: WorkspaceError.Code = name == "file" ? .notDirectory : .notFound
    let root = project.directory + "/" + name
    #expect(failure { _ = try Workspace(root: root) }?.code == code)
  }

  @Test("Writing makes directories, replaces whole files and keeps their mode")
  func writes() throws {
    let project = try TemporaryProject()
    let workspace = try project.workspace()
    let info = try workspace.write(path("a/b/c.txt"), "one".utf8)
    #expect(info.path.string == "a/b/c.txt")
    #expect(info.stamp == (try workspace.info(path("a/b/c.txt")).stamp))
    #expect(chmod(project.directory + "/a/b/c.txt", 0o640) == 0)
    let before = try workspace.open(path("a/b/c.txt"))
    try workspace.write(path("a/b/c.txt"), "two".utf8)
    #expect(project.content("a/b/c.txt") == "two")
    #expect(try workspace.info(path("a/b/c.txt")).mode == 0o640)
    // The old file was not written into: who reads it still has the old content.
    #expect(try before.readAll(limit: 10) == Array("one".utf8))
    #expect(try project.names("a/b") == ["c.txt"])
  }

  @Test("A write that fails leaves nothing behind")
  func failedWrites() throws {
    let project = try TemporaryProject().make("dir/", "file")
    let workspace = try project.workspace()
    for (name, code) in [
      ("dir", WorkspaceError.Code.notRegular), ("file/x", .notDirectory), (".", .notRegular),
    ] {
      let target = try path(name)
      #expect(failure { try workspace.write(target, []) }?.code == code)
    }
    #expect(try project.names() == ["dir", "file"])
  }

  @Test("Readers see the old or the new content, never a part", .timeLimit(.minutes(1)))
  func atomic() throws {
    let project = try TemporaryProject()
    let workspace = try project.workspace()
    let target = try path("a.bin")
    let size = 200_000
    try workspace.write(target, [UInt8](repeating: 0, count: size))
    let rounds = Atomic<UInt8>(0)
    let writer = Beside {
      let value = rounds.add(1, ordering: .relaxed).newValue
      #expect(throws: Never.self) { try workspace.write(target, [UInt8](repeating: value, count: size)) }
      return value < 40
    }
    while rounds.load(ordering: .relaxed) < 40 {
      let bytes = try workspace.read(target, limit: size)
      #expect(bytes.count == size)
      #expect(Set(bytes).count == 1)
    }
    writer.stop()
  }

  @Test("Directories are made with their parents, and being there is fine")
  func makesDirectories() throws {
    let project = try TemporaryProject().make("file")
    let workspace = try project.workspace()
    #expect(try workspace.makeDirectory(path("a/b/c")).kind == .directory)
    #expect(try workspace.makeDirectory(path("a/b/c")).path.string == "a/b/c")
    #expect(try workspace.makeDirectory(.root).path.isRoot)
    #expect(
      failure { try workspace.makeDirectory(try ProjectPath("file")) }?.code
        == .exists)
  }

  @Test("A listing is sorted and tells kinds, links as links")
  func lists() throws {
    let project = try TemporaryProject().make("b.md", "a/", ".hidden", ".moontide/x")
    project.link("link", to: "b.md")
    let listing = try project.workspace().list()
    #expect(listing.entries.map(\.name) == [".hidden", "a", "b.md", "link"])
    #expect(listing.entries.map(\.kind) == [.file, .directory, .file, .link])
    #expect(listing.problems.isEmpty)
  }

  @Test("Removing takes files and links, never directories or what a link leads to")
  func removes() throws {
    let project = try TemporaryProject().make("a", "b", "dir/")
    project.link("link", to: "b")
    let workspace = try project.workspace()
    try workspace.remove(path("a"))
    try workspace.remove(path("link"))
    #expect(try project.names() == ["b", "dir"])
    #expect(
      failure { try workspace.remove(try ProjectPath("dir")) }?.code
        == .notRegular)
    #expect(
      failure { try workspace.remove(try ProjectPath("a")) }?.code == .notFound)
    #expect(failure { try workspace.remove(.root) }?.code == .notRegular)
  }

  @Test("Descriptors are closed and not inherited")
  func descriptors() throws {
    let project = try TemporaryProject().make("a")
    let workspace = try project.workspace()
    let file = try workspace.open(path("a"))
    let name = workspace.absolute(file.path)
    let numbers = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap(Int32.init)
    let number = try #require(
      numbers.first {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")) == name
      })
    #expect(fcntl(number, F_GETFD) & FD_CLOEXEC != 0)
    withExtendedLifetime(file) {}
  }
}
