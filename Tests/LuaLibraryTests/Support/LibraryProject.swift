import FileSessions
import Foundation
import Glibc
import LuaHost
import LuaLibrary
import Synchronization
import Testing
import Workspace

/// A project for one test with a directory beside it, both removed at the end.
final class LibraryProject: Sendable {
  /// Real path of the directory that holds both.
  let base: String
  var directory: String { base + "/project" }
  var outside: String { base + "/outside" }
  let logged = Mutex<[LogLine]>([])
  let written = Mutex<[String]>([])

  init() throws {
    var template = Array((NSTemporaryDirectory() + "/lua-library-tests-XXXXXX").utf8CString)
    guard mkdtemp(&template) != nil else { throw CocoaError(.fileWriteUnknown) }
    let made = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    base = URL(fileURLWithPath: made).resolvingSymlinksInPath().path
    for path in [directory, outside] {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
  }

  deinit { try? FileManager.default.removeItem(atPath: base) }

  /// Makes a file, with the directories on the way; the path is relative to the base.
  func make(_ path: String, _ content: String = "") throws {
    let full = base + "/" + path
    try FileManager.default.createDirectory(
      atPath: (full as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(content.utf8).write(to: URL(fileURLWithPath: full))
  }

  func link(_ path: String, to target: String) {
    #expect(symlink(target, base + "/" + path) == 0)
  }

  func content(_ path: String) -> String? {
    FileManager.default.contents(atPath: base + "/" + path).map { String(decoding: $0, as: UTF8.self) }
  }

  var pathBase: PathBase { PathBase(directory: directory, home: base + "/home") }

  /// What flags grant, as written on a command line that was typed in the project.
  func grants(_ flags: [String]) throws -> PermissionGrants {
    var grants = PermissionGrants()
    for flag in flags { #expect(try grants.take(flag, base: pathBase)) }
    return grants
  }

  func permissions(
    _ flags: [String] = [], baseline: Permissions.Baseline = .recipe, declared: PermissionDeclaration = .none,
    trusted: PermissionDeclaration? = nil, withholding: [String] = []
  ) throws -> Permissions {
    Permissions(
      script: "recipes/slack.lua", baseline: baseline, declared: declared, trusted: trusted,
      grants: try grants(flags), project: pathBase, withholding: withholding)
  }

  func context(
    _ permissions: Permissions = .recipe, environment: [String: String] = [:],
    web: (any WebTransport)? = nil, store: (any ScriptStore)? = nil,
    clock: WallClock = WallClock { Timestamp(milliseconds: 0) },
    sleep: @escaping @Sendable (Duration) async throws -> Void = { _ in
      // Until it is cancelled: no test waits this long.
      try await Task.sleep(for: .seconds(3600))
    }
  ) throws -> LibraryContext {
    LibraryContext(
      script: "slack.lua", workspace: try Workspace(root: directory), types: MIMETypes(),
      service: StubService(),
      permissions: permissions, environment: ScriptEnvironment(environment), store: store, web: web,
      clock: clock,
      sleep: sleep, newKey: { "key" }, log: { line in self.logged.withLock { $0.append(line) } },
      recordWrite: { path in self.written.withLock { $0.append(path.string) } })
  }
}

/// Runs a script with the library's modules.
@discardableResult
func runScript(_ source: String, _ context: LibraryContext, _ arguments: [LuaValue] = []) async throws
  -> [LuaValue]
{
  let script = try LuaScript(LuaLibrary.configuration(context))
  return try await script.load(source: source, name: "slack.lua", arguments: arguments)
}

/// The error with which a script ends.
func scriptFailure(
  _ source: String, _ context: LibraryContext, sourceLocation: SourceLocation = #_sourceLocation
) async throws -> LuaError? {
  do {
    let values = try await runScript(source, context)
    Issue.record("no error, but \(values)", sourceLocation: sourceLocation)
    return nil
  } catch let error as LuaError {
    return error
  }
}

/// A service with nothing in it.
struct StubService: LightfieldService {
  private static let missing = ServiceError(.notFound, "there is none")

  func create(_ file: NewFile, key: String?) async throws(ServiceError) -> OpenedSession {
    throw Self.missing
  }
  func upload(_ opened: OpenedSession, _ source: any ByteSource) async throws(ServiceError) -> Receipt {
    throw Self.missing
  }
  func complete(_ id: String, md5: MD5Digest?, key: String?) async throws(ServiceError) -> FileSession {
    throw Self.missing
  }
  func cancel(_ id: String, key: String?) async throws(ServiceError) -> FileSession { throw Self.missing }
  func retrieve(_ id: String) async throws(ServiceError) -> FileSession { throw Self.missing }
  func list(limit: Int?, offset: Int?) async throws(ServiceError) -> FileList {
    FileList(data: [], totalCount: 0)
  }
  func url(_ id: String) async throws(ServiceError) -> DownloadURL { throw Self.missing }
  func download(
    _ id: String, range: Range<Int64>?, receive: @escaping @Sendable ([UInt8]) async throws -> Void
  ) async throws(ServiceError) -> Receipt { throw Self.missing }
  func createMeeting(_ meeting: NewMeeting, key: String?) async throws(ServiceError) -> Meeting {
    throw Self.missing
  }
  func updateMeeting(_ id: String, _ change: MeetingChange, key: String?) async throws(ServiceError)
    -> Meeting
  { throw Self.missing }
  func retrieveMeeting(_ id: String) async throws(ServiceError) -> Meeting { throw Self.missing }
  func listMeetings(limit: Int?, offset: Int?) async throws(ServiceError) -> MeetingList {
    MeetingList(data: [], totalCount: 0)
  }
  func validateAuthorization() async throws(ServiceError) -> Authorization { throw Self.missing }
}

/// A network of answers that are told beforehand.
final class ScriptedWeb: WebTransport {
  private let answers: [String: WebResponse]
  private let asked = Mutex<[WebRequest]>([])

  init(_ answers: [String: WebResponse] = [:]) { self.answers = answers }

  /// What was asked, in order.
  var requests: [WebRequest] { asked.withLock { $0 } }

  func exchange(_ request: WebRequest, limit: Int) async throws -> WebResponse {
    asked.withLock { $0.append(request) }
    guard let answer = answers[request.address.description] else {
      throw WebError(.connection, request.address, "nobody is there")
    }
    return answer
  }

  static func redirect(to location: String, status: Int = 302) -> WebResponse {
    WebResponse(status: status, headers: [WebHeader("Location", location)])
  }
}
