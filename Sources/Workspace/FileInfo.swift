import Glibc

/// What a place in the file system is.
package enum FileKind: String, Sendable, CaseIterable {
  case file, directory, link, pipe, socket, device, unknown

  init(mode: mode_t) {
    self =
      switch mode & S_IFMT {
      case S_IFREG: .file
      case S_IFDIR: .directory
      case S_IFLNK: .link
      case S_IFIFO: .pipe
      case S_IFSOCK: .socket
      case S_IFCHR, S_IFBLK: .device
      default: .unknown
      }
  }

  /// The kind from `readdir`; nil when the file system does not tell.
  init?(directoryEntryType type: UInt8) {
    switch Int(type) {
    case Int(DT_REG): self = .file
    case Int(DT_DIR): self = .directory
    case Int(DT_LNK): self = .link
    case Int(DT_FIFO): self = .pipe
    case Int(DT_SOCK): self = .socket
    case Int(DT_CHR), Int(DT_BLK): self = .device
    default: return nil
    }
  }

  /// As a sentence needs it: "it is a directory".
  package var phrase: String {
    switch self {
    case .file: "a regular file"
    case .directory: "a directory"
    case .link: "a symbolic link"
    case .pipe: "a named pipe"
    case .socket: "a socket"
    case .device: "a device"
    case .unknown: "something unknown"
    }
  }
}

/// What changes when a file changes: taken before and after reading, two equal stamps mean the same bytes.
package struct FileStamp: Hashable, Sendable {
  /// Bytes.
  package var size: Int64
  /// The time of the last modification, in nanoseconds since 1970.
  package var modified: Int64
  package var inode: UInt64

  package init(size: Int64, modified: Int64, inode: UInt64) {
    self.size = size
    self.modified = modified
    self.inode = inode
  }

  init(_ status: stat) {
    let seconds = Int64(status.st_mtim.tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
    let time = seconds.partialValue.addingReportingOverflow(Int64(status.st_mtim.tv_nsec))
    self.init(
      size: Int64(status.st_size),
      // A time beyond the year 2262 does not fit; it stands at the end instead of wrapping around.
      modified: seconds.overflow || time.overflow
        ? (status.st_mtim.tv_sec < 0 ? .min : .max) : time.partialValue,
      inode: UInt64(status.st_ino))
  }
}

/// A place in the project and what is there.
package struct FileInfo: Hashable, Sendable {
  /// Where it really is: links inside the project are resolved.
  package var path: ProjectPath
  package var kind: FileKind
  package var stamp: FileStamp
  /// The permission bits (`0o644`), without the kind.
  package var mode: UInt32
  /// How many names the file has.
  package var links: Int

  init(path: ProjectPath, kind: FileKind, stamp: FileStamp, mode: UInt32) {
    self.path = path
    self.kind = kind
    self.stamp = stamp
    self.mode = mode
    links = 1
  }

  init(path: ProjectPath, status: stat) {
    self.path = path
    kind = FileKind(mode: status.st_mode)
    stamp = FileStamp(status)
    mode = UInt32(status.st_mode & 0o7777)
    links = Int(status.st_nlink)
  }
}

/// One name in a directory.
package struct DirectoryEntry: Hashable, Sendable {
  package var name: String
  /// Of the entry itself: a link is a link, wherever it leads.
  package var kind: FileKind
}

/// What is in a directory, sorted by the bytes of the names.
package struct DirectoryListing: Hashable, Sendable {
  package var entries: [DirectoryEntry]
  /// Entries that have no usable name (not UTF-8), or that could not be looked at.
  package var problems: [WorkspaceError]
}
