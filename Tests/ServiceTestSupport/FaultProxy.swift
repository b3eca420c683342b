import NIOCore
import NIOHTTP1
import NIOPosix

/// An HTTP proxy on loopback, before a server on loopback, that does to each exchange what a test says.
///
/// Requests keep their `Host`, so that a server which names itself by it sends its clients back through the
/// proxy. Answers are gathered before they are passed on: it is for small ones.
package final class FaultProxy: Sendable {
  /// Says what befalls the exchange that begins with this head.
  package typealias Director = @Sendable (HTTPRequestHead) -> Fault
  /// Is told of each exchange that the server answered.
  package typealias Recorder = @Sendable (Exchange) -> Void
  typealias Client = NIOAsyncChannel<HTTPServerRequestPart, ByteBuffer>

  /// Where clients connect.
  package let port: Int
  private let serving: Task<Void, Never>

  /// Begins to listen on a free port.
  package static func start(
    before server: Int, decide: @escaping Director = { _ in .none }, record: @escaping Recorder = { _ in }
  ) async throws -> FaultProxy {
    let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .serverChannelOption(.backlog, value: 256)
      .bind(host: "127.0.0.1", port: 0) { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(
            ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)))
          return try Client(wrappingChannelSynchronously: channel)
        }
      }
    guard let port = listener.channel.localAddress?.port else { throw ChannelError.unknownLocalAddress }
    return FaultProxy(port: port, listener) { client in
      await ProxiedConnection(client: client, server: server, decide: decide, record: record).run()
    }
  }

  private init(
    port: Int, _ listener: NIOAsyncChannel<Client, Never>, _ serve: @escaping @Sendable (Client) async -> Void
  ) {
    self.port = port
    serving = Task {
      await withDiscardingTaskGroup { group in
        // Ends when the proxy is stopped; what it was doing ends with it.
        try? await listener.executeThenClose { clients in
          for try await client in clients { group.addTask { await serve(client) } }
        }
        group.cancelAll()
      }
    }
  }

  /// Closes every connection and stops listening.
  package func stop() async {
    serving.cancel()
    await serving.value
  }
}

/// A request and the server's answer to it.
package struct Exchange: Sendable {
  package var request: HTTPRequestHead
  package var requestBody: ByteBuffer
  package var response: HTTPResponseHead
  package var responseBody: ByteBuffer
}
