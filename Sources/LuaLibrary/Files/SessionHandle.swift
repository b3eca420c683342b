import Digests
import FileSessions
import LuaHost
import Synchronization
import Workspace

/// A file session as a script holds it: the facts as last seen, and what is needed to go on with it.
package final class SessionHandle: Sendable {
  private struct State {
    var session: FileSession
    /// Where the bytes go; only the call that opened the session is told.
    var target: UploadTarget?
    /// The md5 of what was sent.
    var md5: MD5Digest?
  }

  private let state: Mutex<State>
  let context: LibraryContext
  /// Whether it is the session of the job whose handler is called.
  let isOfJob: Bool

  /// - Parameters:
  ///   - target: where the bytes go, when the session was opened here.
  ///   - isOfJob: whether a handler gets its own job's session, which it may look at without permission.
  package init(
    _ session: FileSession, target: UploadTarget? = nil, context: LibraryContext, isOfJob: Bool = false
  ) {
    state = Mutex(State(session: session, target: target))
    self.context = context
    self.isOfJob = isOfJob
  }

  /// The session as last seen.
  package var session: FileSession { state.withLock { $0.session } }

  /// The value that scripts get.
  package var value: LuaValue { .object(object) }

  /// The object that scripts get.
  package var object: LuaObject { LuaObject(self, type: Self.luaType) }

  /// Asks for the session as it stands.
  func refresh() async throws(ServiceError) {
    let now = try await context.service.retrieve(session.id)
    state.withLock { $0.session = now }
  }

  /// Sends a file's bytes, and remembers their md5 for `complete`.
  ///
  /// - Throws: `ServiceError`, or `WorkspaceError` (`changed`) when the file changed while it was read.
  func upload(_ wanted: WantedFile) async throws {
    let (session, target) = state.withLock { ($0.session, $0.target) }
    guard let target else {
      throw LuaValueError(
        place: "session:upload", problem: "only the script that opened \(session.id) can send its bytes",
        hint: "open a session with moontide.files.create, or use moontide.files.upload")
    }
    let source = try await offload { () throws in
      let place = try wanted.place()
      return try FileSource(place.workspace.open(place.path))
    }
    let receipt = try await context.service.upload(OpenedSession(session: session, target: target), source)
    try await offload { () throws(WorkspaceError) in try source.requireUnchanged() }
    state.withLock { $0.md5 = receipt.md5 }
  }

  /// Completes the session; without an md5 that of the bytes sent here, if any, is given.
  func complete(_ md5: MD5Digest?) async throws(ServiceError) {
    let (id, sent) = state.withLock { ($0.session.id, $0.md5) }
    let now = try await context.service.complete(id, md5: md5 ?? sent, key: context.newKey())
    state.withLock { $0.session = now }
  }

  /// Gives the session up.
  func cancel() async throws(ServiceError) {
    let now = try await context.service.cancel(session.id, key: context.newKey())
    state.withLock { $0.session = now }
  }
}

/// An open file whose bytes are sent.
struct FileSource: ByteSource {
  private let file: OpenFile
  let stamp: FileStamp

  init(_ file: OpenFile) throws(WorkspaceError) {
    self.file = file
    stamp = try file.stamp()
  }

  var length: Int64 { stamp.size }

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
    try file.read(into: buffer, at: offset)
  }

  /// Throws `changed` unless size, time and inode are those of the beginning. Blocks.
  func requireUnchanged() throws(WorkspaceError) {
    guard try file.stamp() != stamp else { return }
    throw WorkspaceError(
      .changed, path: file.path.string, "\(file.path) changed while it was sent; send it again")
  }
}
