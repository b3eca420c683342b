import FileSessions
import Foundation
import LightfieldClient
import LocalService

/// The ways to a service that the conformance suite goes.
package enum Transport: String, CaseIterable, Sendable {
  /// The local service in this process.
  case inProcess
  /// The client, over loopback, to the server.
  case http
  /// The same, encrypted, with a certificate that only the test's own authority vouches for.
  case https

  /// The scheme of a download's URL.
  package var urlScheme: String { self == .inProcess ? "file" : rawValue }
}

/// A service with a store and a clock of its own.
package final class ServiceUnderTest: Sendable {
  /// What sessions, keys and signatures expire by.
  package let clock: ManualClock
  package let store: LocalStore
  /// The server that the service is behind; nil where it is in this process.
  package let server: Loopback?

  /// The authority and the certificate of every encrypted server of this test run.
  private static let certificates = Result { try CertificateMaker() }

  /// Runs `body` with a service, and removes whatever that made.
  package static func with(
    _ transport: Transport, _ body: (ServiceUnderTest) async throws -> Void
  ) async throws {
    let directory = NSTemporaryDirectory() + "/moontide-conformance-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let clock = ManualClock()
    let store = try await LocalStore.open(directory, clock: clock.wallClock)
    if transport == .inProcess {
      return try await body(ServiceUnderTest(clock: clock, store: store, server: nil))
    }
    let certificates = transport == .https ? try Self.certificates.get() : nil
    try await Loopback.with(store, clock: clock, certificates: certificates) { server in
      try await body(ServiceUnderTest(clock: clock, store: store, server: server))
    }
  }

  private init(clock: ManualClock, store: LocalStore, server: Loopback?) {
    self.clock = clock
    self.store = store
    self.server = server
  }

  /// The service as `caller` sees it.
  package func service(for caller: Caller = .admin) async throws -> any LightfieldService {
    guard let server else { return store.service(for: caller) }
    return try server.client(key: try await key(for: caller))
  }

  /// A key of the API that stands for `caller`.
  package func key(for caller: Caller = .admin) async throws -> APIKey {
    try await store.createKey(
      name: UUID().uuidString, organisation: caller.organisation, subject: caller.subject,
      isAdmin: caller.isAdmin, scopes: caller.scopes
    ).key
  }
}

extension Caller {
  /// A user who administers the organisation that tests are about.
  package static let admin = Caller(organisation: "org_test", subject: .user(id: "usr_admin"), isAdmin: true)
  /// Another user of that organisation.
  package static let member = Caller(
    organisation: "org_test", subject: .user(id: "usr_member"), isAdmin: false)
  /// That organisation itself.
  package static let workspace = Caller(organisation: "org_test", subject: .workspace, isAdmin: false)
  /// An admin of another organisation.
  package static let stranger = Caller(
    organisation: "org_other", subject: .user(id: "usr_stranger"), isAdmin: true)
}
