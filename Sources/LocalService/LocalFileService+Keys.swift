import FileSessions
import FoundationEssentials
import GRDB

extension LocalFileService {
  /// Does what a POST asks for, once for each idempotency key.
  ///
  /// The answer is kept in the transaction that does the work, so that after a crash either both are there or
  /// none. An empty key is none.
  ///
  /// - Parameters:
  ///   - operation: what a key is scoped to, beside the organisation.
  ///   - request: what was asked for, to tell a repeat from another request under the same key.
  func answer<Answer: Codable & Sendable>(
    _ operation: String, key: String?, request: some Encodable,
    _ work: @escaping @Sendable (Database, Timestamp) throws -> Outcome<Answer>
  ) async throws(ServiceError) -> Answer {
    guard let key, !key.isEmpty else {
      return try await store.change(work)
    }
    let keyed = try KeyedRequest(
      organisation: caller.organisation, operation: operation, key: key, request: Self.text(of: request))
    try store.requestsInFlight.enter(keyed)
    defer { store.requestsInFlight.leave(keyed) }
    return try await store.change { database, now in
      let answers = AnswerTable(database)
      if let kept = try answers.find(Answer.self, to: keyed, at: now) { return Outcome(result: kept) }
      let outcome = try work(database, now)
      if case .success(let answer) = outcome.result { try answers.keep(answer, to: keyed, at: now) }
      return outcome
    }
  }

  /// A request as text that is the same for the same request.
  private static func text(of request: some Encodable) throws(ServiceError) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    do {
      return String(decoding: try encoder.encode(request), as: UTF8.self)
    } catch {
      throw ServiceError(.badRequest, "The request cannot be written as JSON: \(error).")
    }
  }
}
