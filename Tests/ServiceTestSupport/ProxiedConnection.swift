import NIOCore
import NIOHTTP1
import NIOPosix

#if canImport(Glibc)
  import Glibc
#endif

/// One client's connection through a ``FaultProxy``, and the connection to the server behind it.
struct ProxiedConnection {
  typealias Server = NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>

  let client: FaultProxy.Client
  let server: Int
  let decide: FaultProxy.Director
  let record: FaultProxy.Recorder

  /// Serves the connection until one side ends it.
  func run() async {
    // A connection that breaks is what this is for: the client sees it, and nobody else has to.
    try? await client.executeThenClose { requests, answers in
      try await connect().executeThenClose { responses, forwarded in
        var traffic = Traffic(
          requests: requests.makeAsyncIterator(), answers: answers, responses: responses.makeAsyncIterator(),
          forwarded: forwarded)
        while case .head(let head)? = try await traffic.requests.next() {
          guard try await pass(head, &traffic) else { return }
        }
      }
    }
  }

  private func connect() async throws -> Server {
    try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .connect(host: "127.0.0.1", port: server) { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHTTPClientHandlers()
          return try Server(wrappingChannelSynchronously: channel)
        }
      }
  }

  /// Passes one exchange, or what its fault leaves of it; tells whether the connection goes on.
  private func pass(_ head: HTTPRequestHead, _ traffic: inout Traffic) async throws -> Bool {
    switch decide(head) {
    case .none:
      let response = try await exchange(head, &traffic)
      try await traffic.answers.write(response)
      return true
    case .resetBeforeBody:
      try await reset()
    case .resetDuringBody(let count):
      try await traffic.forwarded.write(.head(head))
      _ = try await traffic.forwardBody(atMost: count)
      try await reset()
    case .resetAfterBody:
      try await traffic.skipBody()
      try await reset()
    case .loseResponse:
      _ = try await exchange(head, &traffic)
      try await reset()
    case .stallRequest:
      try await traffic.waitForClientToLeave()
    case .stallResponse(let count):
      let response = try await exchange(head, &traffic)
      try await traffic.answers.write(response.prefix(count))
      try await traffic.waitForClientToLeave()
    case .truncateResponse(let count):
      let response = try await exchange(head, &traffic)
      try await traffic.answers.write(response.prefix(min(count, response.readableBytes - 1)))
    case .answer(let canned):
      try await traffic.skipBody()
      try await traffic.answers.write(canned.bytes)
      return true
    case .answerAfterwards(let canned):
      _ = try await exchange(head, &traffic)
      try await traffic.answers.write(canned.bytes)
      return true
    }
    return false
  }

  /// Has the server act, and gives the whole answer as it goes to the client.
  private func exchange(_ head: HTTPRequestHead, _ traffic: inout Traffic) async throws -> ByteBuffer {
    try await traffic.forwarded.write(.head(head))
    let requestBody = try await traffic.forwardBody(atMost: nil)
    try await traffic.forwarded.write(.end(nil))
    let (response, responseBody) = try await traffic.response()
    record(
      Exchange(request: head, requestBody: requestBody, response: response, responseBody: responseBody))
    return ByteBuffer(response, body: responseBody)
  }

  /// Ends the client's connection as a router does that has forgotten it.
  private func reset() async throws {
    if let options = client.channel as? any SocketOptionProvider {
      try await options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
    }
    try await client.channel.close()
  }
}

/// The four directions of a proxied connection.
private struct Traffic {
  var requests: NIOAsyncChannelInboundStream<HTTPServerRequestPart>.AsyncIterator
  var answers: NIOAsyncChannelOutboundWriter<ByteBuffer>
  var responses: NIOAsyncChannelInboundStream<HTTPClientResponsePart>.AsyncIterator
  var forwarded: NIOAsyncChannelOutboundWriter<HTTPClientRequestPart>

  /// Passes the rest of the request on, or its first bytes, and gives what was passed.
  mutating func forwardBody(atMost limit: Int?) async throws -> ByteBuffer {
    var passed = ByteBuffer()
    while case .body(var piece)? = try await requests.next() {
      if let limit { piece = piece.prefix(limit - passed.readableBytes) }
      passed.writeImmutableBuffer(piece)
      if piece.readableBytes > 0 { try await forwarded.write(.body(.byteBuffer(piece))) }
      if let limit, passed.readableBytes >= limit { break }
    }
    return passed
  }

  mutating func skipBody() async throws {
    while case .body? = try await requests.next() {}
  }

  /// Takes whatever comes and answers nothing.
  mutating func waitForClientToLeave() async throws {
    while try await requests.next() != nil {}
  }

  mutating func response() async throws -> (HTTPResponseHead, ByteBuffer) {
    guard case .head(let head)? = try await responses.next() else { throw ChannelError.eof }
    var body = ByteBuffer()
    while let part = try await responses.next() {
      switch part {
      case .head: throw ChannelError.eof
      case .body(let piece): body.writeImmutableBuffer(piece)
      case .end: return (head, body)
      }
    }
    throw ChannelError.eof
  }
}

extension ByteBuffer {
  /// A response as it goes over the wire, with its length told beforehand.
  fileprivate init(_ head: HTTPResponseHead, body: ByteBuffer) {
    var headers = head.headers
    if headers.contains(name: "transfer-encoding") {
      headers.remove(name: "transfer-encoding")
      headers.replaceOrAdd(name: "content-length", value: String(body.readableBytes))
    }
    self.init(string: "HTTP/1.1 \(head.status.code) \(head.status.reasonPhrase)\r\n")
    for (name, value) in headers { writeString("\(name): \(value)\r\n") }
    writeString("\r\n")
    writeImmutableBuffer(body)
  }

  fileprivate func prefix(_ count: Int) -> ByteBuffer {
    getSlice(at: readerIndex, length: Swift.max(0, Swift.min(count, readableBytes))) ?? ByteBuffer()
  }
}

extension CannedAnswer {
  fileprivate var bytes: ByteBuffer {
    let body = ByteBuffer(string: body)
    var headers = HTTPHeaders(self.headers.sorted { $0.key < $1.key })
    headers.replaceOrAdd(name: "content-length", value: String(body.readableBytes))
    return ByteBuffer(
      HTTPResponseHead(version: .http1_1, status: HTTPResponseStatus(statusCode: status), headers: headers),
      body: body)
  }
}
