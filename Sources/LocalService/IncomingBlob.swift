import Digests
import FileSessions
import Glibc

/// A blob whose bytes are arriving; whoever lets go of it unpublished leaves nothing behind.
struct IncomingBlob: ~Copyable, Sendable {
  private let file: Descriptor
  private let place: String
  private var digest = DigestStream(.md5)
  private var count: Int64 = 0
  private var isPublished = false

  /// Makes the file `path`, which is to be renamed to `place`.
  init(at path: String, becoming place: String) throws(SystemError) {
    self.place = place
    // Nobody writes a blob once it is whole: the file is read-only for everybody but this descriptor.
    file = try Descriptor(path, O_WRONLY | O_CREAT | O_EXCL, mode: 0o400)
  }

  deinit {
    if !isPublished { unlink(file.path) }
  }

  /// How many bytes arrived.
  var received: Int64 { count }

  /// Adds bytes to the file and to the digest.
  mutating func append(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
    digest.update(bytes)
    try file.write(bytes)
    count += Int64(bytes.count)
  }

  /// Puts the blob in its place; when this returns, bytes and name are on the disk.
  consuming func publish() throws(SystemError) -> Receipt {
    try file.syncData()
    let (path, place) = (file.path, place)
    try SystemError.check("rename", path) { rename(path, place) }
    isPublished = true
    do throws(SystemError) {
      try Directory.sync(String(place[..<(place.lastIndex(of: "/") ?? place.endIndex)]))
    } catch {
      unlink(place)
      throw error
    }
    // A value that cleans up after itself gives no part of itself away, so another digest takes the place.
    return Receipt(
      bytes: count, md5: MD5Digest(bytes: exchange(&digest, with: DigestStream(.md5)).finalize()))
  }
}
