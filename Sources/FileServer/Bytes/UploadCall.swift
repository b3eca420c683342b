import FileSessions
import HummingbirdCore
import LocalService
import NIOCore

/// The `PUT` of a session's bytes.
struct UploadCall: Sendable {
  let store: LocalStore
  let signer: URLSigner
  let clock: WallClock

  /// The bytes that are hashed and written in one visit to a thread that may block.
  private static let pieceSize = 1 << 20

  /// Checks everything that can be checked before a byte is read.
  func begin(_ call: Call) async throws(ServiceError) -> UploadWriter {
    let expected = try signer.checkUpload(call.target, call.query, at: clock.now)
    try check(call.headers, against: expected)
    guard let length = call.headers.contentLength, length >= 0 else {
      throw ServiceError(
        .badRequest, "The upload names no content-length.", status: 411, code: "length_required",
        param: "content-length")
    }
    let writer = try await store.startUpload(call.target)
    guard length <= writer.session.sizeBytes else {
      throw ServiceError(
        .tooLarge,
        "\(call.target) was announced with \(writer.session.sizeBytes) bytes and is sent \(length): open a session "
          + "of the right size.")
    }
    return writer
  }

  private func check(_ headers: RequestHeaders, against expected: UploadHeaders) throws(ServiceError) {
    guard headers["content-type"] == expected.contentType else {
      throw .invalid(
        "content-type", code: .invalidValue,
        "The upload takes the content-type \(expected.contentType), as uploadHeaders says.")
    }
    guard headers["if-none-match"] == (expected.refusesOverwrite ? "*" : nil) else {
      throw .invalid(
        "if-none-match", code: .invalidValue,
        "The upload takes \(expected.refusesOverwrite ? "if-none-match: *" : "no if-none-match"), as uploadHeaders "
          + "says.")
    }
  }

  /// Receives the bytes; what arrives of a body that is cut off leaves nothing.
  func receive(_ body: RequestBody, length: Int64, into writer: UploadWriter) async -> FrontDoor.Reading {
    var received: Int64 = 0
    do {
      received = try await gather(body, into: writer)
      guard received == length else {
        throw ServiceError(
          .badRequest, "The body ended after \(received) of \(length) bytes. Send it again.",
          code: "body_incomplete")
      }
      let receipt = try await writer.finish()
      let answer = Answer(status: 200, headers: [("etag", "\"\(receipt.md5)\"")])
      return FrontDoor.Reading(answer: answer, received: received, isWhole: true)
    } catch {
      await writer.abandon()
      return FrontDoor.Reading(
        answer: Answer(ServiceError(receiving: error)), received: received, isWhole: received == length)
    }
  }

  /// Writes the body piece by piece, each while the next one arrives; tells how many bytes came.
  private func gather(_ body: RequestBody, into writer: UploadWriter) async throws -> Int64 {
    var (received, gathered) = (Int64(0), [UInt8]())
    // The one write that is under way. It is waited for on every way out, so that nobody else has to own it.
    var writing: Task<Void, any Error>?
    do {
      for try await buffer in body {
        if gathered.isEmpty { gathered.reserveCapacity(Self.pieceSize + buffer.readableBytes) }
        gathered.append(contentsOf: buffer.readableBytesView)
        received += Int64(buffer.readableBytes)
        guard gathered.count >= Self.pieceSize else { continue }
        try await writing?.value
        try requireOpen(writer.session)
        let piece = gathered
        gathered = []
        writing = Task { try await writer.append(piece) }
      }
      try await writing?.value
    } catch {
      _ = await writing?.result
      throw error
    }
    if !gathered.isEmpty { try await writer.append(gathered) }
    return received
  }

  /// Throws the 409 when the session's time passed while its bytes were arriving.
  private func requireOpen(_ session: FileSession) throws(ServiceError) {
    if let expiresAt = session.expiresAt, clock.now >= expiresAt {
      throw FileStatus.expired.conflict(on: .receive, session: session.id)
    }
  }
}

extension ServiceError {
  /// What a failure to read a request's body, or to keep it, means to its sender.
  init(receiving failure: any Error) {
    switch failure {
    case let error as ServiceError: self = error
    case let error as SlowSender: self = error.refusal
    default:
      self.init(.badRequest, "The body was cut off. Send it again.", code: "body_incomplete")
    }
  }
}
