import FileSessions
import Hummingbird
import HummingbirdCore
import NIOCore

/// Takes a request from the connection, has it answered, sends the answer, and notes what happened.
struct Responder: Sendable {
  let door: FrontDoor

  /// The pieces in which a file is sent: one must be taken within the idle timeout.
  private static let pieceSize: Int64 = 256 << 10
  /// What is left of a refused request's body, and may be read to its end so that the connection can go on.
  private static let worthReading: Int64 = 64 << 10

  func respond(to request: Request, _ writer: consuming ResponseWriter, from channel: any Channel)
    async throws
  {
    door.metrics.began()
    let began = door.surroundings.uptime()
    let headers = RequestHeaders(request)
    let path = (request.head.path ?? "").split(
      separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let method = request.head.method.rawValue
    let match = Route.match(method: method, path: path.first ?? "")
    var record = AccessRecord(
      time: door.surroundings.clock.now, request: door.identifiers.identifier("req_"), method: method,
      path: AccessRecord.harmless(path.first ?? ""), status: 0, received: 0, sent: 0, milliseconds: 0)

    var answer: Answer
    var common: [(name: String, value: String)] = []
    var isBodyRead = false
    var route: Route?
    switch match {
    case .route(let found, let id):
      route = found
      record.path = found.path
      if !id.isEmpty { record.id = AccessRecord.harmless(id) }
      let call = Call(
        id: record.request, route: found, target: id, query: Query(path.count > 1 ? path[1] : ""),
        headers: headers, origin: origin(of: request, channel), received: record.time)
      let (plan, headers, organisation) = await door.plan(call)
      (common, record.organisation) = (headers, organisation)
      switch plan {
      case .answer(let ready):
        answer = ready
      case .read(let read):
        if call.headers.expectContinue {
          try await writer.writeInformationalHead(Response(status: .continue).head)
        }
        (answer, record.received) = await read(request.body)
        isBodyRead = record.received > 0 || !call.headers.announceBody
      }
    case .otherMethods(let methods):
      answer = Answer(
        ServiceError(
          .badRequest,
          "The path takes \(methods.joined(separator: ", ")), not \(AccessRecord.harmless(method)).",
          status: 405, code: "method_not_allowed"))
      answer.headers.append(("allow", methods.joined(separator: ", ")))
    case .nothing:
      answer = Answer(ServiceError(.notFound, "Nothing is served at this path."))
    }

    if !isBodyRead && !canDrain(headers) { common.append(("connection", "close")) }
    common += [("x-request-id", record.request), ("date", HTTPDate.text(record.time))]
    if method == "HEAD" {
      // A HEAD is answered as the GET would be, without its body.
      if case .bytes(let bytes) = answer.body { answer.length = Int64(bytes.count) }
      answer.body = .none
    }
    answer.headers += common
    record.status = answer.status
    record.error = answer.error.map { $0.code ?? $0.kind.rawValue }
    do {
      try await send(answer, to: writer)
      record.sent = answer.bodyLength
    } catch {
      record.aborted = true
    }
    let took = door.surroundings.uptime() - began
    record.milliseconds = (took.inSeconds * 100_000).rounded() / 100
    door.metrics.ended(
      route, status: record.status, received: record.received, sent: record.sent, took: took)
    door.surroundings.record(record)
    if record.aborted == true { try await channel.close() }
  }

  /// Whether the connection can go on although the body was not read: what is left is little, and will come.
  private func canDrain(_ headers: RequestHeaders) -> Bool {
    guard headers.announceBody else { return true }
    // Who waits for `100 Continue` may send the body after a refusal, or not: only a new connection is clear.
    guard !headers.expectContinue, let length = headers.contentLength else { return false }
    return length <= Self.worthReading
  }

  private func origin(of request: Request, _ channel: any Channel) -> String {
    if let url = door.configuration.publicURL { return url }
    let scheme = door.configuration.tls == nil ? "http" : "https"
    let host = request.head.authority ?? ""
    let isHost =
      !host.isEmpty && host.utf8.allSatisfy { (0x21...0x7E).contains($0) && !"/?#@\\\"<>".utf8.contains($0) }
    if isHost { return "\(scheme)://\(host)" }
    let address = channel.localAddress
    return
      "\(scheme)://\(address?.ipAddress ?? door.configuration.host):\(address?.port ?? door.configuration.port)"
  }

  private func send(_ answer: Answer, to writer: consuming ResponseWriter) async throws {
    var response = Response(status: .init(code: answer.status))
    response.headers = HTTPFields()
    for (name, value) in answer.headers {
      guard let name = HTTPFields.Element.Name(name) else { continue }
      response.headers.append(HTTPFields.Element(name: name, value: value))
    }
    if response.headers[.contentLength] == nil, answer.status != 304 {
      response.headers[.contentLength] = String(answer.length ?? answer.bodyLength)
    }
    switch answer.body {
    case .none:
      try await writer.writeResponse(response.head)
    case .bytes(let bytes):
      try await writer.write(
        response: response.head, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    case .file(let file, let range):
      let body = ResponseBody(contentLength: Int(range.upperBound - range.lowerBound)) { writer in
        var offset = range.lowerBound
        while offset < range.upperBound {
          let count = min(range.upperBound - offset, Self.pieceSize)
          let piece = try await file.read(at: offset, count: Int(count))
          try await writer.write(ByteBuffer(bytes: piece))
          offset += Int64(piece.count)
        }
        try await writer.finish(nil)
      }
      try await writer.write(response: response.head, body: body)
    }
  }
}

extension Answer {
  /// How many bytes the body has.
  fileprivate var bodyLength: Int64 {
    switch body {
    case .none: 0
    case .bytes(let bytes): Int64(bytes.count)
    case .file(_, let range): range.upperBound - range.lowerBound
    }
  }
}
