import Digests
import FileSessions
import Glibc
import Workspace

/// A file of this machine that is sent, read through one descriptor.
struct LocalFile: ByteSource {
  /// As it was named.
  let path: String
  private let file: OpenFile
  private let stamp: FileStamp
  /// Is told how far the file has been read.
  var progress: @Sendable (Int64) -> Void = { _ in }

  /// Opens a file anywhere but in Moontide's own state. Blocks.
  init(_ path: String, besides statePath: String) throws(WorkspaceError) {
    let everything = try Workspace(root: "/", state: statePath)
    self.path = path
    file = try everything.open(everything.path(CurrentDirectory.absolute(path)))
    stamp = try file.stamp()
    // Before a session is opened for what cannot be read.
    try file.probe()
  }

  /// How large a file is that is named so; 0 where there is none.
  static func size(of path: String) -> Int64 {
    var status = stat()
    return stat(CurrentDirectory.absolute(path), &status) == 0 ? Int64(status.st_size) : 0
  }

  /// The name without directories.
  var name: String { path.split(separator: "/").last.map(String.init) ?? path }

  var length: Int64 { stamp.size }

  /// The type by name, else by content. Blocks.
  func mimeType(_ types: MIMETypes) throws(WorkspaceError) -> String {
    try types.mimeType(name: name, content: file)
  }

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
    let count = try file.read(into: buffer, at: offset)
    progress(offset + Int64(count))
    return count
  }

  /// Whether size, time and inode are those of the beginning; not, when they cannot be told. Blocks.
  var isUnchanged: Bool { (try? file.stamp()) == stamp }

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
