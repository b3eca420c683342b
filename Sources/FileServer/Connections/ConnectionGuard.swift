import FileSessions
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// What one connection may do to the server: it stands between HTTP's parser and the requests' handlers.
///
/// - A connection that has no request for too long closes; a request begins with the end of its headers.
/// - A body that comes too slowly ends with ``SlowSender``, whether it stops or drips. Only the time in which the
///   server asked for more counts, so a slow disk of ours is nobody's fault.
/// - An answer that nobody reads ends the connection.
/// - A request that is not HTTP gets a 400 in the API's shape, headers beyond the limits a 431.
/// - `connection: close` closes: in an answer, because the server wants it, or in a request. What the client still
///   sends is read and dropped for a moment first, or the reset would take the answer with it.
final class ConnectionGuard: ChannelDuplexHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  private let patience: TransferPatience
  private let connections: ConnectionTable
  private var body = BodyProgress()
  private var idle: Scheduled<Void>?
  private var check: Scheduled<Void>?
  private var stall: Scheduled<Void>?
  private var lingering: Scheduled<Void>?
  /// Requests whose answer is not at its end.
  private var open = 0
  private var closesAfterAnswer = false
  private var isReading = false

  init(patience: TransferPatience, connections: ConnectionTable) {
    self.patience = patience
    self.connections = connections
  }

  func handlerAdded(context: ChannelHandlerContext) {
    connections.add(context.channel)
    waitForRequest(context)
  }

  func channelInactive(context: ChannelHandlerContext) {
    connections.remove(context.channel)
    for timer in [idle, check, stall, lingering] { timer?.cancel() }
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let part = unwrapInboundIn(data)
    if lingering != nil {
      if case .end = part { context.close(promise: nil) }
      return
    }
    switch part {
    case .head(let head):
      open += 1
      isReading = true
      idle?.cancel()
      if !head.isKeepAlive { closesAfterAnswer = true }
      body = BodyProgress()
      body.startWaiting(at: .now())
      scheduleCheck(context)
    case .body(let buffer):
      body.receive(buffer.readableBytes, at: .now())
    case .end:
      isReading = false
      check?.cancel()
      check = nil
    }
    context.fireChannelRead(data)
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    if lingering != nil { context.read() }
    context.fireChannelReadComplete()
  }

  func read(context: ChannelHandlerContext) {
    body.startWaiting(at: .now())
    context.read()
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    switch unwrapOutboundIn(data) {
    case .head(var head):
      // `100 Continue` is no answer yet.
      guard head.status.code >= 200 else { break }
      if head.headers["connection"].contains("close") {
        closesAfterAnswer = true
      } else if closesAfterAnswer {
        head.headers.replaceOrAdd(name: "connection", value: "close")
      }
      return context.write(wrapOutboundOut(.head(head)), promise: promise)
    case .body:
      break
    case .end:
      open -= 1
      guard open <= 0 else { break }
      if closesAfterAnswer { return finish(data, promise, context) }
      waitForRequest(context)
    }
    context.write(data, promise: promise)
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    stall?.cancel()
    stall = nil
    if !context.channel.isWritable {
      let channel = context.channel
      stall = context.eventLoop.scheduleTask(in: patience.window) { channel.close(promise: nil) }
    }
    context.fireChannelWritabilityChanged()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard let parser = error as? HTTPParserError, open == 0 else {
      return context.fireErrorCaught(error)
    }
    refuse(parser, context)
  }

  /// Answers what is not HTTP, and closes.
  private func refuse(_ error: HTTPParserError, _ context: ChannelHandlerContext) {
    let isTooLarge = error == .headerOverflow
    let refusal = ServiceError(
      .badRequest,
      isTooLarge ? "The request's headers are too large." : "The request is not HTTP that this server reads.",
      status: isTooLarge ? 431 : 400, code: isTooLarge ? "headers_too_large" : "invalid_request")
    let body = ByteBuffer(bytes: (try? JSONEncoder().encode(ErrorBody(refusal))) ?? Data())
    let headers: HTTPHeaders = [
      "content-type": "application/json", "content-length": String(body.readableBytes), "connection": "close",
    ]
    let head = HTTPResponseHead(
      version: .http1_1, status: .init(statusCode: refusal.status ?? 400), headers: headers)
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
    isReading = true
    finish(wrapOutboundOut(.end(nil)), nil, context)
  }

  /// Sends the last part of an answer, and closes when all of it has left.
  private func finish(_ data: NIOAny, _ promise: EventLoopPromise<Void>?, _ context: ChannelHandlerContext) {
    let sent = promise ?? context.eventLoop.makePromise()
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    sent.futureResult.whenComplete { _ in
      let (handler, context) = bound.value
      handler.linger(context)
    }
    context.writeAndFlush(data, promise: sent)
  }

  /// Closes once the client had a moment to read the answer.
  private func linger(_ context: ChannelHandlerContext) {
    check?.cancel()
    guard isReading else {
      context.close(promise: nil)
      return
    }
    let channel = context.channel
    lingering = context.eventLoop.scheduleTask(in: patience.linger) { channel.close(promise: nil) }
    context.read()
  }

  private func waitForRequest(_ context: ChannelHandlerContext) {
    idle?.cancel()
    let channel = context.channel
    idle = context.eventLoop.scheduleTask(in: patience.idle) { channel.close(promise: nil) }
  }

  private func scheduleCheck(_ context: ChannelHandlerContext) {
    check?.cancel()
    let (bound, window) = (NIOLoopBound((self, context), eventLoop: context.eventLoop), patience.window)
    check = context.eventLoop.scheduleTask(in: window) {
      let (handler, context) = bound.value
      handler.checkProgress(context)
    }
  }

  private func checkProgress(_ context: ChannelHandlerContext) {
    guard isReading, lingering == nil else { return }
    if body.isTooSlow(at: .now(), patience) {
      context.fireErrorCaught(SlowSender(minimumRate: patience.minimumRate))
      // Whoever reads the body answers with a 408, which closes; this is for when nobody does.
      let channel = context.channel
      check = context.eventLoop.scheduleTask(in: patience.window) { channel.close(promise: nil) }
    } else {
      scheduleCheck(context)
    }
  }
}
