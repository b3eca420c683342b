import FileServer
import FileSessions
import Foundation
import LocalService
import Synchronization

/// A service on the network, with a key, for a test to send to.
struct Remote: Sendable {
  let url: String
  let store: LocalStore
  /// A key that may do everything.
  let key: String
  /// Everything that the server counted so far.
  let metrics: @Sendable () -> String

  /// What to set so that this is the service, as the official clients do.
  var environment: [String: String] { ["LIGHTFIELD_API_KEY": key, "LIGHTFIELD_BASE_URL": url] }

  /// The profile that an address stands for.
  var profile: String { String(url.dropFirst("http://".count)) }

  /// The end of the key, as people see it.
  var keyHint: String { "…" + key.suffix(4) }

  /// Every file that the service has, newest first.
  func files() async throws -> [FileSession] {
    var files: [FileSession] = []
    while true {
      let page = try await store.service().list(limit: nil, offset: files.count).data
      if page.isEmpty { return files }
      files += page
    }
  }

  /// The content of a completed file.
  func content(_ id: String) async throws -> String {
    let content = Mutex([UInt8]())
    _ = try await store.service().download(id, range: nil) { bytes in content.withLock { $0 += bytes } }
    return content.withLock { String(decoding: $0, as: UTF8.self) }
  }

  /// Another key of the same organisation.
  func key(_ name: String, scopes: Set<Scope>) async throws -> String {
    try await store.createKey(name: name, scopes: scopes).key.secret
  }
}

/// Serves as long as `body` runs.
///
/// - Parameters:
///   - rateLimit: calls a second in each category; nil for no limit.
///   - gate: what bytes have to pass on their way to the service.
func withRemote(rateLimit: Int? = nil, gate: Gate? = nil, _ body: (Remote) async throws -> Void) async throws
{
  let directory = NSTemporaryDirectory() + "/moontide-remote-\(UUID().uuidString)"
  defer { try? FileManager.default.removeItem(atPath: directory) }
  let store = try await LocalStore.open(directory)
  let key = try await store.createKey(name: "test", isAdmin: true).key.secret
  var configuration = FileServerConfiguration()
  configuration.port = 0
  configuration.rateLimit = rateLimit
  configuration.publicURL = gate?.url
  try await FileServer.withRunning(store: store, configuration: configuration) { server, address in
    gate?.leads(to: address.port)
    try await body(Remote(url: address.url, store: store, key: key, metrics: { server.metricsText }))
  }
}
