import Glibc

/// What a directory's file system is, as far as watching and settling care.
package struct FileSystemKind: Hashable, Sendable {
  /// The kernel's number for it (`statfs(2)`).
  package let magic: UInt32

  package init(magic: UInt32) {
    self.magic = magic
  }

  /// Its name when files there may be changed by other machines, which the kernel does not tell of; else nil.
  package var remoteName: String? { Self.remote[magic] }

  /// The numbers are those of `linux/magic.h` and of the file systems' own sources.
  private static let remote: [UInt32: String] = [
    0x6969: "nfs", 0x517B: "smb", 0xFF53_4D42: "cifs", 0xFE53_4D42: "smb2", 0x6573_5546: "fuse",
    0x0102_1997: "9p", 0x00C3_6400: "ceph", 0x5346_414F: "afs", 0x0BD0_0BD0: "lustre", 0x0116_1970: "gfs2",
  ]

  private typealias StatFS = @Sendable @convention(c) (Int32, UnsafeMutableRawPointer) -> Int32

  /// `fstatfs`, whose header the Glibc module leaves out: looked up by its name.
  private static let fstatfs: StatFS? = dlsym(nil, "fstatfs").map { unsafeBitCast($0, to: StatFS.self) }

  init(of directory: Descriptor) throws(SystemError) {
    guard let fstatfs = Self.fstatfs else { throw SystemError(number: ENOSYS) }
    // struct statfs has 120 bytes on 64-bit machines and begins with the type, a word.
    let buffer = UnsafeMutableRawPointer.allocate(byteCount: 256, alignment: 16)
    defer { buffer.deallocate() }
    try SystemCalls.check { fstatfs(directory.number, buffer) }
    magic = UInt32(truncatingIfNeeded: buffer.load(as: Int.self))
  }
}

extension Workspace {
  /// The file system that a directory of the project is on. Throws when it cannot be looked at.
  package func fileSystem(of path: ProjectPath) throws(WorkspaceError) -> FileSystemKind {
    let (directory, _) = try openDirectory(path, cannot: "look at")
    return try attempt(path, "look at") { () throws(SystemError) in try FileSystemKind(of: directory) }
  }
}
