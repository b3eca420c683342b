import Digests
import FileSessions
import FoundationEssentials
import GRDB
import Synchronization

/// A request that carries an idempotency key.
struct KeyedRequest: Sendable {
  /// What the contract scopes a key to, and the key.
  struct Identity: Hashable, Sendable {
    var organisation: String
    var operation: String
    var key: String
  }

  var identity: Identity
  /// A digest of what was asked for, to tell a repeat from another request.
  var fingerprint: String

  /// - Parameter request: what was asked for, as text that is the same for the same request.
  init(organisation: String, operation: String, key: String, request: String) throws(ServiceError) {
    let length = key.unicodeScalars.count
    guard length <= FileServiceLimits.idempotencyKeyLength else {
      throw .invalid(
        "Idempotency-Key", code: .idempotencyKeyTooLong,
        "The idempotency key has \(length) characters; it may have \(FileServiceLimits.idempotencyKeyLength)."
      )
    }
    identity = Identity(organisation: organisation, operation: operation, key: key)
    fingerprint = SHA256.hex(request)
  }
}

/// The answers that were given to requests with an idempotency key, within one transaction.
///
/// Only successes are kept: a failed first attempt is made again.
struct AnswerTable {
  private let database: Database

  init(_ database: Database) {
    self.database = database
  }

  /// The answer that was given to the same request within the last 24 hours.
  ///
  /// The contract says nothing of another request under a key that was used; here it is a 400, because an
  /// answer to something else would be worse than none.
  func find<Answer: Decodable>(
    _ type: Answer.Type, to request: KeyedRequest, at now: Timestamp
  ) throws -> Result<Answer, ServiceError>? {
    let identity = request.identity
    let statement = try database.cachedStatement(
      sql: """
        SELECT request, response, answered_at FROM answer
        WHERE organisation = ? AND operation = ? AND key = ?
        """)
    guard
      let row = try Row.fetchOne(
        statement, arguments: [identity.organisation, identity.operation, identity.key]),
      !Self.isForgotten(Timestamp(milliseconds: row[2]), at: now)
    else { return nil }
    guard row[0] == request.fingerprint else {
      return .failure(
        ServiceError(
          .badRequest,
          "The idempotency key \"\(identity.key)\" was used for another request. Take a new key for a new "
            + "request.",
          code: "idempotency_key_reused", param: "Idempotency-Key"))
    }
    return .success(try JSONDecoder().decode(type, from: Data((row[1] as String).utf8)))
  }

  /// Keeps the answer to a request, in the transaction that did what was asked for.
  func keep(_ answer: some Encodable, to request: KeyedRequest, at now: Timestamp) throws {
    let response = String(decoding: try JSONEncoder().encode(answer), as: UTF8.self)
    let identity = request.identity
    let statement = try database.cachedStatement(
      sql: """
        INSERT OR REPLACE INTO answer (organisation, operation, key, request, response, answered_at)
        VALUES (?, ?, ?, ?, ?, ?)
        """)
    try statement.execute(
      arguments: [
        identity.organisation, identity.operation, identity.key, request.fingerprint, response,
        now.milliseconds,
      ])
  }

  /// Forgets answers whose 24 hours are over.
  func forget(at now: Timestamp) throws {
    let oldest = now.milliseconds - FileServiceLimits.idempotencyMemory.wholeMilliseconds
    try database.execute(sql: "DELETE FROM answer WHERE answered_at <= ?", arguments: [oldest])
  }

  private static func isForgotten(_ answeredAt: Timestamp, at now: Timestamp) -> Bool {
    now - answeredAt >= FileServiceLimits.idempotencyMemory
  }
}

/// The keyed requests that this process is working on: a repeat of one of them is refused meanwhile.
final class RequestsInFlight: Sendable {
  private let identities = Mutex<Set<KeyedRequest.Identity>>([])

  /// Enters a request; throws the 409 that asks for patience when the same key is being worked on.
  func enter(_ request: KeyedRequest) throws(ServiceError) {
    guard identities.withLock({ $0.insert(request.identity).inserted }) else {
      throw ServiceError(
        .idempotencyConflict,
        "A request with the idempotency key \"\(request.identity.key)\" is in flight. Ask again in a moment.")
    }
  }

  func leave(_ request: KeyedRequest) {
    _ = identities.withLock { $0.remove(request.identity) }
  }
}
