import Glibc

/// What URLs are signed with: 32 random bytes in the store's directory, made once and readable by its owner only.
///
/// It lies with the store, so that URLs outlive the process that gave them, and hold at every process that serves
/// the same store. Removing the file ends every URL that was given.
struct SigningSecret: Sendable {
  let bytes: [UInt8]

  static let fileName = "url-secret"
  private static let length = 32

  /// Reads the secret of the store in `directory`, or makes it.
  static func load(in directory: String) throws(FileServerError) -> SigningSecret {
    let path = "\(directory)/\(fileName)"
    if let secret = try read(path) { return secret }
    try make(path)
    guard let secret = try read(path) else { throw failure("find", path, ENOENT) }
    return secret
  }

  private static func read(_ path: String) throws(FileServerError) -> SigningSecret? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      if errno == ENOENT { return nil }
      throw failure("read", path, errno)
    }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: length + 1)
    let count = Glibc.read(file, &bytes, bytes.count)
    guard count == length else {
      throw FileServerError(
        .secret,
        "\(path) is damaged. Remove it: a new one is made, and upload and download URLs that were given end.")
    }
    return SigningSecret(bytes: Array(bytes.prefix(length)))
  }

  /// Puts a new secret in its place whole, unless another process was faster.
  private static func make(_ path: String) throws(FileServerError) {
    let draft = "\(path).\(getpid())"
    unlink(draft)
    let file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw failure("make", draft, errno) }
    defer {
      close(file)
      unlink(draft)
    }
    var generator = SystemRandomNumberGenerator()
    let bytes = (0..<length).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    guard write(file, bytes, length) == length, fsync(file) == 0 else { throw failure("write", draft, errno) }
    guard link(draft, path) == 0 || errno == EEXIST else { throw failure("make", path, errno) }
  }

  private static func failure(_ action: String, _ path: String, _ code: Int32) -> FileServerError {
    FileServerError(.secret, "Cannot \(action) \(path): \(String(cString: strerror(code))).")
  }
}
