import FileSessions
import Foundation
import GRDB
import LocalService
import Testing

@Suite("API keys")
struct KeyTests {
  private let bench: Bench
  private var store: LocalStore { bench.store }

  init() async throws { bench = try await Bench() }

  @Test("a key stands for what it was made for, also after the store was opened again")
  func standsFor() async throws {
    let (key, record) = try await store.createKey(
      name: "ci", organisation: "org_a", subject: .workspace, isAdmin: true,
      scopes: [.filesRead, .meetingsCreate])
    #expect(key.secret.wholeMatch(of: /sk_lf_[0-9A-Za-z]{32}/) != nil)
    #expect(record.hint == "…" + key.secret.suffix(4) && record.createdAt == bench.clock.now)
    let caller = Caller(
      organisation: "org_a", subject: .workspace, isAdmin: true, scopes: [.filesRead, .meetingsCreate])
    #expect(record.caller == caller)
    #expect(try await store.caller(forKey: key.secret) == caller)
    let again = try await bench.reopen()
    #expect(try await again.caller(forKey: key.secret) == caller)
    #expect(try await again.keys() == [record])
  }

  @Test("without more words a key is that of a user of the local organisation who may do everything")
  func standard() async throws {
    let (key, _) = try await store.createKey(name: "a")
    let caller = try #require(try await store.caller(forKey: key.secret))
    #expect(caller.organisation == "org_local" && caller.subject == .user(id: "usr_local"))
    #expect(!caller.isAdmin && caller.scopes.isEmpty && Scope.known.allSatisfy(caller.may))
  }

  @Test("no two keys are alike, and what is none is nobody's")
  func distinct() async throws {
    var secrets: Set<String> = []
    for number in 0..<20 {
      secrets.insert(try await store.createKey(name: "k\(number)", organisation: "org_\(number)").key.secret)
    }
    #expect(secrets.count == 20)
    for secret in secrets {
      #expect(try await store.caller(forKey: secret) != nil)
      for wrong in [secret + "x", String(secret.dropLast()), secret.lowercased() + "A", " " + secret, ""] {
        #expect(try await store.caller(forKey: wrong) == nil)
      }
    }
  }

  @Test("the key itself is in no file of the store")
  func hashed() async throws {
    let secret = try await store.createKey(name: "ci").key.secret
    for name in try FileManager.default.contentsOfDirectory(atPath: bench.directory)
    where name.hasPrefix("service") {
      let bytes = try Data(contentsOf: URL(filePath: "\(bench.directory)/\(name)"))
      #expect(bytes.range(of: Data(secret.dropFirst(6).utf8)) == nil, "\(name)")
    }
  }

  @Test(
    "a key that is revoked ends at once, also where another has the store open", arguments: [true, false])
  func revoked(byName: Bool) async throws {
    let (key, record) = try await store.createKey(name: "ci")
    let (other, _) = try await store.createKey(name: "other")
    let serving = try await bench.reopen(sweeping: .never)
    #expect(try await serving.caller(forKey: key.secret) != nil)
    bench.clock.advance(.seconds(5))
    let revoked = try await store.revokeKey(byName ? "ci" : record.id)
    #expect(revoked.id == record.id && revoked.revokedAt == bench.clock.now)
    #expect(try await serving.caller(forKey: key.secret) == nil)
    #expect(try await store.caller(forKey: key.secret) == nil)
    #expect(try await serving.caller(forKey: other.secret) != nil)
    bench.clock.advance(.seconds(5))
    #expect(try await store.revokeKey(record.id) == revoked)
    #expect(try await store.keys().map(\.revokedAt) == [revoked.revokedAt, nil])
  }

  @Test("a name belongs to one valid key at a time")
  func names() async throws {
    let (first, _) = try await store.createKey(name: "ci")
    let error = await refusal(.conflict) { () async throws(ServiceError) in
      try await store.createKey(name: "ci", organisation: "org_b")
    }
    #expect(error?.shouldRetry == false)
    _ = try await store.revokeKey("ci")
    let (second, record) = try await store.createKey(name: "ci")
    #expect(try await store.caller(forKey: first.secret) == nil)
    #expect(try await store.revokeKey("ci").id == record.id)
    #expect(try await store.caller(forKey: second.secret) == nil)
    await refusal(.notFound) { () async throws(ServiceError) in try await store.revokeKey("ci") }
    await refusal(.notFound) { () async throws(ServiceError) in try await store.revokeKey("key_x") }
  }

  @Test(
    "what cannot be a key's name or organisation is a 400",
    arguments: [
      ("", "org", "name"), (String(repeating: "a", count: 101), "org", "name"), ("a\nb", "org", "name"),
      ("a", "", "organisation"), ("a", "org b", "organisation"), ("a", "örg", "organisation"),
    ])
  func badNames(name: String, organisation: String, param: String) async {
    let error = await refusal(.badRequest) { () async throws(ServiceError) in
      try await store.createKey(name: name, organisation: organisation)
    }
    #expect(error?.param == param)
  }

  @Test("an unknown scope is an error that names the known ones")
  func unknownScope() async throws {
    #expect(throws: ServiceError.self) { try Scope.parse("files:create,files:delete") }
    let error = await refusal(.badRequest) { () async throws(ServiceError) in
      try await store.createKey(name: "a", scopes: [Scope(rawValue: "files:delete")])
    }
    let message = try #require(error?.message)
    #expect(message.contains("\"files:delete\""))
    for scope in Scope.known { #expect(message.contains(scope.rawValue)) }
    #expect(try await store.keys().isEmpty)
  }

  @Test("a list of scopes is read as the command line has it; an empty one is not everything")
  func scopes() throws {
    #expect(try Scope.parse("files:create, meetings:read") == [.filesCreate, .meetingsRead])
    #expect(throws: ServiceError.self) { try Scope.parse("") }
    #expect(throws: ServiceError.self) { try Scope.parse(" , ") }
  }

  @Test("validate tells of the caller")
  func validate() async throws {
    let workspace = Caller(
      organisation: "org_a", subject: .workspace, isAdmin: false, scopes: [.meetingsRead, .filesRead])
    #expect(
      try await store.service(for: workspace).validateAuthorization()
        == Authorization(active: true, scopes: ["files:read", "meetings:read"], subjectType: .workspace))
    #expect(
      try await bench.service.validateAuthorization()
        == Authorization(active: true, scopes: [], subjectType: .user))
  }

  @Test("a store of the version before is taken over with its sessions")
  func migration() async throws {
    let session = try await bench.complete(noise(10))
    try await store.close()
    // What the version before had: no tables of keys and meetings, and no word of them.
    let queue = try DatabaseQueue(path: bench.directory + "/service.sqlite")
    try await queue.write { database in
      try database.execute(
        sql: """
          DROP TABLE api_key;
          DROP TABLE meeting;
          DELETE FROM grdb_migrations WHERE identifier = 'keys and meetings';
          """)
    }
    try queue.close()
    let again = try await bench.reopen()
    #expect(try await again.service().retrieve(session.id) == session)
    _ = try await again.createKey(name: "a")
  }
}
