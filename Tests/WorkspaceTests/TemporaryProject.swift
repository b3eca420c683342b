import Foundation
import Glibc
import Synchronization
import Testing
import Workspace

/// A directory of its own for one test, removed with everything in it at the end.
///
/// `outside` lies beside the project, `directory` is the project itself.
final class TemporaryProject: Sendable {
  let base: String
  var directory: String { base + "/project" }
  var outside: String { base + "/outside" }

  /// In memory where that is possible, for tests that make very many files.
  static func large() throws -> TemporaryProject {
    try TemporaryProject(in: access("/dev/shm", W_OK) == 0 ? "/dev/shm" : NSTemporaryDirectory())
  }

  init(in place: String = NSTemporaryDirectory()) throws {
    var template = Array((place + "/workspace-tests-XXXXXX").utf8CString)
    guard mkdtemp(&template) != nil else { throw CocoaError(.fileWriteUnknown) }
    base = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    try FileManager.default.createDirectory(atPath: outside, withIntermediateDirectories: true)
  }

  deinit {
    // rm copes with trees that are deeper than PATH_MAX.
    let words: [String] = ["/bin/rm", "-rf", base]
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
    arguments.append(nil)
    defer { arguments.forEach { free($0) } }
    var process: pid_t = 0
    if posix_spawn(&process, "/bin/rm", nil, nil, &arguments, nil) == 0 { waitpid(process, nil, 0) }
  }

  func workspace(
    state: String? = nil, capabilities: FileSystemCapabilities = .all
  ) throws -> Workspace {
    try Workspace(root: directory, state: state, capabilities: capabilities)
  }

  /// Makes files (with their own path as content) and, for names with a `/` at the end, directories.
  @discardableResult
  func make(_ paths: String..., in place: String? = nil) throws -> Self {
    for path in paths {
      let full = (place ?? directory) + "/" + path
      let isDirectory = path.hasSuffix("/")
      try FileManager.default.createDirectory(
        atPath: isDirectory ? full : (full as NSString).deletingLastPathComponent,
        withIntermediateDirectories: true)
      if !isDirectory { try Data(path.utf8).write(to: URL(fileURLWithPath: full)) }
    }
    return self
  }

  func link(_ path: String, to target: String) {
    #expect(symlink(target, directory + "/" + path) == 0)
  }

  func content(_ path: String) -> String? {
    FileManager.default.contents(atPath: directory + "/" + path).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Every name in a directory, also what a workspace hides.
  func names(_ path: String = "") throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: directory + "/" + path).sorted()
  }
}

/// Walks to the end.
func walk(
  _ workspace: Workspace, _ root: String = ".", include: [String] = [], exclude: [String] = [],
  hidden: Bool = false
) throws -> (files: [String], problems: [WorkspaceError]) {
  var walker = try workspace.walk(
    root: try ProjectPath(root), globs: try GlobSet(include: include, exclude: exclude), hidden: hidden)
  var files: [String] = []
  var problems: [WorkspaceError] = []
  while let item = walker.next() {
    switch item {
    case .file(_, let relative, _): files.append(relative)
    case .problem(let error): problems.append(error)
    }
  }
  return (files, problems)
}

/// The error that this throws; records a failure when it throws none.
func failure(
  sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) -> WorkspaceError? {
  do {
    try body()
    Issue.record("nothing was thrown", sourceLocation: sourceLocation)
  } catch let error as WorkspaceError {
    return error
  } catch {
    Issue.record(error, sourceLocation: sourceLocation)
  }
  return nil
}

func path(_ text: String) throws -> ProjectPath { try ProjectPath(text) }

/// Numbers that are the same in each run.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// Work on a thread of its own, beside the test: what blocks has no place on the cooperative pool.
final class Beside: Sendable {
  private let isStopped = Atomic(false)
  private let isOver = DispatchSemaphore(value: 0)

  /// Calls `body` until it returns false or `stop` is called.
  init(_ body: @escaping @Sendable () -> Bool) {
    Thread.detachNewThread {
      while !self.isStopped.load(ordering: .relaxed), body() {}
      self.isOver.signal()
    }
  }

  func stop() {
    isStopped.store(true, ordering: .relaxed)
    isOver.wait()
  }
}
