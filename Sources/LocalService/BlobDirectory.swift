import FileSessions
import Glibc

/// The directory that keeps files' bytes, each under a name of its own that never changes its content.
///
/// ```
/// incoming/<name>     bytes that are still arriving
/// blobs/ab/<name>     bytes that arrived whole and are on the disk; `ab` begins the name
/// ```
///
/// A blob appears under `blobs/` by a rename after its bytes were flushed, so what stands there is whole. It
/// belongs to the session whose row names it; a blob that no row names belongs to nothing, and a sweep takes it.
struct BlobDirectory: Sendable {
  private let incoming: String
  private let blobs: String

  /// The bytes that are moved in one go: larger pieces gain nothing, 64 KiB cost 1.8 times as much.
  static let pieceSize = 1 << 20

  init(in directory: String) {
    incoming = directory + "/incoming"
    blobs = directory + "/blobs"
  }

  /// Makes the directories that are missing, and waits for them to be on the disk.
  func prepare() throws(SystemError) {
    // The last one made tells that all are there.
    if access(blobs + "/ff", F_OK) == 0 && access(incoming, F_OK) == 0 { return }
    try Directory.make(incoming)
    for number in 0..<256 {
      try Directory.make(blobs + "/" + (number < 16 ? "0" : "") + String(number, radix: 16))
    }
    try Directory.sync(blobs)
  }

  /// Where the blob `name` stands once it is whole.
  func path(of name: String) -> String {
    "\(blobs)/\(name.prefix(2))/\(name)"
  }

  /// Begins a blob.
  func receive(_ name: String) throws(SystemError) -> IncomingBlob {
    try IncomingBlob(at: "\(incoming)/\(name)", becoming: path(of: name))
  }

  /// Opens a whole blob for reading.
  func open(_ name: String) throws(SystemError) -> Descriptor {
    try Descriptor(path(of: name), O_RDONLY)
  }

  /// Removes blobs; what cannot be removed is left to a sweep.
  func remove(_ names: [String]) {
    for name in names { unlink(path(of: name)) }
  }

  /// Removes everything that was arriving. Only for the sole user of the directory.
  func clearIncoming() throws(SystemError) {
    for name in try Directory.names(in: incoming) { unlink("\(incoming)/\(name)") }
  }

  /// The beginnings of names that share a directory.
  func shards() throws(SystemError) -> [String] {
    try Directory.names(in: blobs).filter { $0.utf8.count == 2 }
  }

  /// The blobs whose names begin with `shard`.
  func names(in shard: String) throws(SystemError) -> [String] {
    try Directory.names(in: "\(blobs)/\(shard)")
  }
}
