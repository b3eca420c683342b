import AsyncHTTPClient
import Digests
import FileSessions
import NIOCore
import NIOHTTP1

extension LightfieldClient {
  /// Fetches the bytes from where the service says they are, without credentials.
  package func download(
    _ id: String, range: Range<Int64>?, receive: @escaping @Sendable ([UInt8]) async throws -> Void
  ) async throws(ServiceError) -> Receipt {
    let link = try await url(id)
    let url = try ServiceURL(link.url, as: "The download URL of \(id)")
    let wanted = range?.clamped(to: 0..<Int64.max)
    var message = HTTPClientRequest(url: url.text)
    if let wanted {
      if wanted.isEmpty { return Receipt(bytes: 0, md5: MD5Digest(bytes: DigestStream(.md5).finalize())) }
      message.headers.add(name: "Range", value: "bytes=\(wanted.lowerBound)-\(wanted.upperBound - 1)")
    }
    let response: HTTPClientResponse
    do {
      response = try await transport.begin(message, to: url, within: configuration.answerTimeout)
    } catch {
      throw failure(error, of: "GET", host: url.origin)
    }
    // Asked for bytes behind the end: there are none.
    if wanted != nil, response.status == .rangeNotSatisfiable {
      return Receipt(bytes: 0, md5: MD5Digest(bytes: DigestStream(.md5).finalize()))
    }
    let part = try await part(of: response, wanted: wanted, url: url)
    do {
      return try await part.hand(response.body, to: receive)
    } catch let error as ReceiverFailed {
      throw error.reason as? ServiceError
        ?? (error.reason is CancellationError
          ? .cancelled
          : ServiceError(.unexpected, "The bytes of \(id) could not be handed on: \(error.reason)."))
    } catch {
      throw failure(error, of: "GET", host: url.origin)
    }
  }

  /// Which part of the body was asked for, by what the answer says that it holds.
  private func part(
    of response: HTTPClientResponse, wanted: Range<Int64>?, url: ServiceURL
  ) async throws(ServiceError) -> BodyPart {
    switch response.status {
    case .ok:
      let length = response.headers.first(name: "content-length").flatMap { Int64($0) }.map { max(0, $0) }
      let whole = 0..<(length ?? .max)
      return BodyPart(
        host: url.origin, starts: 0, part: wanted?.clamped(to: whole) ?? whole, isExact: length != nil)
    case .partialContent:
      guard let wanted, let given = response.headers.contentRange, given.lowerBound == wanted.lowerBound,
        given.upperBound <= wanted.upperBound
      else {
        throw ServiceError(.unexpected, "\(url.origin) gave another part of the file than was asked for.")
      }
      return BodyPart(host: url.origin, starts: given.lowerBound, part: given, isExact: true)
    default:
      let answer: Answer
      do {
        answer = try await transport.finish(response, limit: Self.longestError, cuts: true)
      } catch {
        throw failure(error, of: "GET", host: url.origin)
      }
      throw refusal.downloadError(answer, host: url.origin)
    }
  }
}

/// A part of what a body holds.
private struct BodyPart {
  let host: String
  /// Which byte of the file the body begins with.
  let starts: Int64
  /// The bytes of the file that are wanted.
  let part: Range<Int64>
  /// Whether the end of `part` is known to be there.
  let isExact: Bool

  private static let pieceSize = 1 << 20

  /// Hands the part over in pieces of at most 1 MiB, and tells what it was.
  func hand(
    _ body: HTTPClientResponse.Body, to receive: @Sendable ([UInt8]) async throws -> Void
  ) async throws -> Receipt {
    var digest = DigestStream(.md5)
    var position = starts
    var handed: Int64 = 0
    reading: for try await buffer in body {
      var buffer = buffer
      while buffer.readableBytes > 0 {
        let count = min(buffer.readableBytes, Self.pieceSize)
        let here = position..<(position + Int64(count))
        let overlap = here.clamped(to: part)
        buffer.moveReaderIndex(forwardBy: overlap.isEmpty ? count : Int(overlap.lowerBound - here.lowerBound))
        if !overlap.isEmpty, let bytes = buffer.readBytes(length: overlap.count) {
          digest.update(bytes)
          handed += Int64(bytes.count)
          do { try await receive(bytes) } catch { throw ReceiverFailed(reason: error) }
          buffer.moveReaderIndex(forwardBy: Int(here.upperBound - overlap.upperBound))
        }
        position = here.upperBound
        if position >= part.upperBound { break reading }
      }
    }
    // A cancelled task ends the sequence as if the body were complete.
    try Task.checkCancellation()
    guard !isExact || handed == Int64(part.count) else {
      throw ServiceError(.unreachable, "\(host) sent \(handed) of \(part.count) bytes and then no more.")
    }
    return Receipt(bytes: handed, md5: MD5Digest(bytes: digest.finalize()))
  }
}

/// The receiver of a download threw.
private struct ReceiverFailed: Error {
  let reason: any Error
}

extension HTTPHeaders {
  /// The bytes that `Content-Range: bytes 0-99/200` names.
  fileprivate var contentRange: Range<Int64>? {
    guard let text = first(name: "content-range"), text.hasPrefix("bytes ") else { return nil }
    let bounds = text.dropFirst("bytes ".count).prefix { $0 != "/" }.split(separator: "-").compactMap {
      Int64($0)
    }
    guard bounds.count == 2, bounds[0] >= 0, bounds[0] <= bounds[1], bounds[1] < .max else { return nil }
    return bounds[0]..<(bounds[1] + 1)
  }
}
