import Foundation
import Glibc
import Testing
import Workspace

/// Large trees. One at a time, since memory and descriptors are those of the whole process.
@Suite(.serialized) struct ScaleTests {
  @Test("A tree of 5,000 levels is walked with few descriptors, and its files can be opened")
  func deep() throws {
    let project = try TemporaryProject.large()
    let levels = 5_000
    var directory = open(project.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    for _ in 0..<levels {
      // The file comes after the directory, so that the walk has to come back to each level.
      makeFile("z", in: directory)
      #expect(mkdirat(directory, "d", 0o700) == 0)
      let next = openat(directory, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      close(directory)
      directory = next
    }
    makeFile("end", in: directory)
    close(directory)

    let workspace = try project.workspace()
    let before = try openDescriptors()
    var walker = try workspace.walk()
    var count = 0
    var deepest: ProjectPath?
    var most = 0
    while let item = walker.next() {
      guard case .file(let path, _, _) = item else {
        Issue.record("\(item)")
        return
      }
      if path.name == "end" { deepest = path }
      if count % 500 == 0 { most = max(most, try openDescriptors()) }
      count += 1
    }
    #expect(count == levels + 1)
    // Other tests of this process have some open as well.
    #expect(most - before < 300)
    let path = try #require(deepest)
    #expect(path.components.count == levels + 1)
    #expect(try workspace.read(path, limit: 10) == Array("end".utf8))
  }

  @Test("A deep directory that is moved away while its children are walked is a problem, not empty")
  func movedAway() throws {
    let project = try TemporaryProject.large()
    let deep = (0..<40).map { "d\($0)" }.joined(separator: "/")
    try project.make("\(deep)/a", "\(deep)/b", "d0/z", "z")
    let workspace = try project.workspace()
    var walker = try workspace.walk()
    _ = walker.next()
    #expect(rename(project.directory + "/d0", project.outside + "/d0") == 0)
    #expect(mkdir(project.directory + "/d0", 0o700) == 0)
    // Its own descriptor still leads to the rest, wherever it lies now.
    var rest: [String] = []
    var problems: [WorkspaceError] = []
    while let item = walker.next() {
      switch item {
      case .file(_, let relative, _): rest.append(relative)
      case .problem(let error): problems.append(error)
      }
    }
    #expect(rest.contains("\(deep)/b"))
    #expect(rest.contains("z"))
    #expect(rest.contains("d0/z") || problems.contains { $0.path == "d0" && $0.code == .changed })
  }

  @Test("100,000 files in 100 directories are walked with flat memory")
  func many() throws {
    let project = try TemporaryProject.large()
    for number in 0..<100 {
      let path = project.directory + "/directory number \(number)"
      #expect(mkdir(path, 0o700) == 0)
      let directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      for file in 0..<1_000 { makeFile("a file with a name of some length \(file).md", in: directory) }
      close(directory)
    }
    let workspace = try project.workspace()
    let before = try residentBytes()
    var walker = try workspace.walk(globs: try GlobSet(include: ["**/*.md"]))
    var count = 0
    var most = before
    while let item = walker.next() {
      guard case .file = item else {
        Issue.record("\(item)")
        return
      }
      count += 1
      if count % 5_000 == 0 { most = max(most, try residentBytes()) }
    }
    #expect(count == 100_000)
    // All paths together would be more than 15 MB.
    #expect(most - before < 8_000_000)
  }

  @Test("A directory of more entries than are sorted at once is walked whole, in sorted pieces")
  func huge() throws {
    let project = try TemporaryProject.large()
    let directory = open(project.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    for file in 0..<101_000 { makeFile("\(file)", in: directory) }
    close(directory)
    var walker = try project.workspace().walk()
    var seen: Set<String> = []
    var last = ""
    var pieces = 1
    while let item = walker.next() {
      guard case .file(_, let name, _) = item else {
        Issue.record("\(item)")
        return
      }
      seen.insert(name)
      if name < last { pieces += 1 }
      last = name
    }
    #expect(seen.count == 101_000)
    #expect(pieces == 2)
  }

  private func makeFile(_ name: String, in directory: Int32) {
    let file = openat(directory, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
    #expect(file >= 0)
    if name == "end" { #expect(write(file, name, name.utf8.count) == name.utf8.count) }
    close(file)
  }

  private func openDescriptors() throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
  }

  /// Memory of this process that is not backed by files.
  private func residentBytes() throws -> Int {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") })
    return try #require(Int(line.filter(\.isNumber))) * 1024
  }
}
