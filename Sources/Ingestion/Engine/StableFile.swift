import Digests
import FileSessions
import Synchronization
import Workspace

/// One version of a file, read through one descriptor and checked to have stayed the same.
struct StableFile: ByteSource {
  private let file: OpenFile
  let stamp: FileStamp

  /// Opens the file as it is now. Blocks.
  init(_ path: ProjectPath, in workspace: Workspace) throws(WorkspaceError) {
    file = try workspace.open(path)
    stamp = try file.stamp()
  }

  var length: Int64 { stamp.size }

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
    try file.read(into: buffer, at: offset)
  }

  /// Whether size, time and inode are still those of the beginning. Blocks.
  func isUnchanged() throws(WorkspaceError) -> Bool {
    try file.stamp() == stamp
  }

  /// The md5 of the content. Blocks.
  func md5() throws(WorkspaceError) -> MD5Digest {
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
    defer { piece.deallocate() }
    var digest = DigestStream(.md5)
    var offset: Int64 = 0
    while true {
      let count = try file.read(into: piece, at: offset)
      if count == 0 { return MD5Digest(bytes: digest.finalize()) }
      digest.update(UnsafeRawBufferPointer(rebasing: piece[..<count]))
      offset += Int64(count)
    }
  }
}

extension Workspace {
  /// The stamp and the md5 of a file that stayed the same while it was read; nil when it did not. Blocks.
  func fingerprint(of path: ProjectPath) throws(WorkspaceError) -> (stamp: FileStamp, md5: MD5Digest)? {
    let file = try StableFile(path, in: self)
    let md5 = try file.md5()
    return try file.isUnchanged() ? (file.stamp, md5) : nil
  }

  /// The md5 of a file that is the one of this stamp; nil where it cannot be read, or is another by now.
  package func md5(of path: ProjectPath, stamp: FileStamp) -> MD5Digest? {
    guard let found = try? fingerprint(of: path), found.stamp == stamp else { return nil }
    return found.md5
  }
}

/// A source that tells how much of it may have left: what is read ahead of a limit does not count yet.
final class MeteredSource: ByteSource {
  private struct State {
    var passed: Int64 = 0
    var isBegun = false
  }

  private let base: any ByteSource
  private let report: @Sendable (Int64) -> Void
  private let state = Mutex(State())

  init(base: any ByteSource, report: @escaping @Sendable (Int64) -> Void) {
    self.base = base
    self.report = report
  }

  var length: Int64 { base.length }

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
    if offset == 0 {
      state.withLock { state in
        // From the beginning once more: another try.
        if state.isBegun { state.passed = 0 }
        state.isBegun = true
      }
    }
    return try base.read(into: buffer, at: offset)
  }

  func admitted(_ count: Int) async throws -> Int {
    let admitted = min(count, max(1, try await base.admitted(count)))
    let passed = state.withLock { state in
      state.passed = min(length, state.passed + Int64(admitted))
      return state.passed
    }
    report(passed)
    return admitted
  }
}
