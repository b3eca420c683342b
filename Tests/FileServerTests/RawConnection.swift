import FileServer
import Foundation
import Glibc

/// A connection that sends and reads exactly what it is told: what no well-behaved client would.
///
/// Each call blocks on a thread of its own.
final class RawConnection: Sendable {
  struct Failure: Error {
    var action: String
    var code: Int32
  }

  private let socket: Int32

  init(_ address: FileServer.Address) throws {
    socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    place.sin_port = in_port_t(UInt16(address.port)).bigEndian
    place.sin_addr.s_addr = inet_addr("127.0.0.1")
    // Reading never waits for ever: a test that would hang fails.
    var limit = timeval(tv_sec: 60, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    let result = withUnsafePointer(to: &place) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else { throw Failure(action: "connect", code: errno) }
  }

  deinit {
    Glibc.close(socket)
  }

  func write(_ text: String) async throws {
    try await write(Array(text.utf8))
  }

  func write(_ bytes: [UInt8]) async throws {
    try await blocking {
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = rest.withUnsafeBytes {
          send(self.socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        guard count > 0 else { throw Failure(action: "send", code: errno) }
        rest = rest.dropFirst(count)
      }
    }
  }

  /// Everything that comes until `end` does, or the server closes.
  func read(until end: String? = nil) async throws -> String {
    try await blocking {
      var all: [UInt8] = []
      var piece = [UInt8](repeating: 0, count: 64 << 10)
      while true {
        let count = recv(self.socket, &piece, piece.count, 0)
        // A reset is an end too.
        if count == 0 || (count < 0 && errno == ECONNRESET) { break }
        guard count > 0 else { throw Failure(action: "receive", code: errno) }
        all += piece[..<count]
        if let end, String(decoding: all, as: UTF8.self).contains(end) { break }
      }
      return String(decoding: all, as: UTF8.self)
    }
  }

  /// Ends the connection at once, as when a cable is pulled out: with a reset.
  func reset() {
    var linger = linger(l_onoff: 1, l_linger: 0)
    setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
    shutdown(socket, Int32(SHUT_RDWR))
  }

  private func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value
  {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread { continuation.resume(with: Swift.Result { try body() }) }
    }
  }
}

extension String {
  /// The target of a request: a URL without scheme and host.
  var target: String {
    let afterScheme = split(separator: "//", maxSplits: 1).last ?? ""
    return "/" + (afterScheme.split(separator: "/", maxSplits: 1).last ?? "")
  }
}
