import CMagic
import Synchronization

/// libmagic behind a lock: one handle, loaded when it is first needed.
///
/// A failing load is tried again at the next call: the database may have been installed meanwhile.
final class ContentTypeDetector: Sendable {
  /// `@unchecked Sendable`: the handle is only touched inside of the lock.
  private struct Handle: @unchecked Sendable {
    let cookie: OpaquePointer
  }

  private let database: String?
  private let handle = Mutex<Handle?>(nil)

  init(database: String?) {
    self.database = database
  }

  deinit {
    handle.withLock { handle in
      if let handle { magic_close(handle.cookie) }
    }
  }

  func type(of bytes: ContiguousArray<UInt8>) throws(WorkspaceError) -> String? {
    // libmagic says inode/x-empty, which is no MIME type.
    guard !bytes.isEmpty else { return MIMETypes.unknown }
    return try handle.withLock { (handle) throws(WorkspaceError) -> String? in
      let loaded: Handle
      if let handle { loaded = handle } else { loaded = try load() }
      handle = loaded
      let answer = bytes.withUnsafeBytes { magic_buffer(loaded.cookie, $0.baseAddress, $0.count) }
      guard let answer else { throw failure("libmagic could not examine the content", loaded.cookie) }
      return Self.validated(String(cString: answer))
    }
  }

  private func load() throws(WorkspaceError) -> Handle {
    guard let cookie = magic_open(MAGIC_MIME_TYPE) else {
      throw failure("libmagic could not be started", nil)
    }
    guard magic_load(cookie, database) == 0 else {
      let error = failure(
        "libmagic could not load its database \(database.map(quoted) ?? "magic.mgc"); "
          + "install libmagic-mgc, or set MAGIC to the file's path",
        cookie)
      magic_close(cookie)
      throw error
    }
    return Handle(cookie: cookie)
  }

  private func failure(_ sentence: String, _ cookie: OpaquePointer?) -> WorkspaceError {
    let reason = cookie.flatMap { magic_error($0) }.map { " (\(String(cString: $0)))" } ?? ""
    return WorkspaceError(.typeDetection, path: database ?? "", sentence + reason)
  }

  /// A type and a subtype, as RFC 6838 writes them; some answers of libmagic are neither.
  private static func validated(_ answer: String) -> String? {
    let parts = answer.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0] != "inode" else { return nil }
    return parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(isTokenByte) } ? answer : nil
  }

  private static func isTokenByte(_ byte: UInt8) -> Bool {
    switch Unicode.Scalar(byte) {
    case "a"..."z", "A"..."Z", "0"..."9", "!", "#", "$", "&", "-", "^", "_", ".", "+": true
    default: false
    }
  }
}
