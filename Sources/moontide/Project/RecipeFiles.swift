import Glibc

/// The files that a recipe was loaded from, to notice when one is another.
struct RecipeFiles: Hashable, Sendable {
  /// What tells one version of a file from another.
  private struct Stamp: Hashable {
    var size: Int64
    var modified: Int64
    var nanoseconds: Int64
    var inode: UInt64
  }

  private var stamps: [String: Stamp] = [:]

  /// The files as they are now. Blocks.
  init(_ paths: [String]) {
    for path in paths {
      var status = stat()
      // A file that is gone is another one too.
      guard stat(path, &status) == 0 else { continue }
      stamps[path] = Stamp(
        size: Int64(status.st_size), modified: Int64(status.st_mtim.tv_sec),
        nanoseconds: Int64(status.st_mtim.tv_nsec), inode: UInt64(status.st_ino))
    }
  }
}
