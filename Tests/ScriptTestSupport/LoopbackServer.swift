import Dispatch
import Foundation
import Glibc
import Synchronization

/// A server on a loopback port of its own that answers what it is told, byte by byte.
package final class LoopbackServer: Sendable {
  private let listener: Int32
  /// The port that it listens on.
  package let port: Int
  private let answers: @Sendable (_ requestLine: String) -> [String]
  private let seen = Mutex<[String]>([])

  /// - Parameter answers: the pieces of the whole answer to a request, headers included; none leaves the client
  ///   waiting until it goes.
  package init(_ answers: @escaping @Sendable (_ requestLine: String) -> [String]) throws {
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listener = listener
    let isListening = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, size) == 0 && listen(listener, 16) == 0 && getsockname(listener, $0, &size) == 0
      }
    }
    guard isListening else { throw CocoaError(.fileReadUnknown) }
    port = Int(UInt16(bigEndian: address.sin_port))
    self.answers = answers
    Thread.detachNewThread { [weak self] in
      while true {
        let connection = accept(listener, nil, nil)
        if connection < 0 {
          // Only here: while this thread may still accept, the number must not become another socket's.
          close(listener)
          return
        }
        guard let self else {
          close(connection)
          continue
        }
        Thread.detachNewThread { self.serve(connection) }
      }
    }
  }

  deinit {
    // Wakes the thread that accepts, and refuses who comes later.
    shutdown(listener, Int32(SHUT_RDWR))
  }

  /// All that clients sent, one text for each request.
  package var requests: [String] { seen.withLock { $0 } }

  private func serve(_ connection: Int32) {
    defer { close(connection) }
    var text = ""
    var buffer = [UInt8](repeating: 0, count: 65536)
    while !isWhole(text) {
      let count = recv(connection, &buffer, buffer.count, 0)
      if count <= 0 { return }
      text += String(decoding: buffer.prefix(count), as: UTF8.self)
    }
    seen.withLock { $0.append(text) }
    let pieces = answers(String(text.prefix { $0 != "\r\n" }))
    for piece in pieces {
      let bytes = Array(piece.utf8)
      if send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL)) < 0 { return }
    }
    if pieces.isEmpty { _ = recv(connection, &buffer, 1, 0) }
  }

  private func isWhole(_ text: String) -> Bool {
    guard let end = text.range(of: "\r\n\r\n") else { return false }
    let length = text[..<end.lowerBound].components(separatedBy: "\r\n")
      .first { $0.lowercased().hasPrefix("content-length:") }
      .flatMap { Int($0.dropFirst("content-length:".count).trimmingCharacters(in: .whitespaces)) }
    return text[end.upperBound...].utf8.count >= length ?? 0
  }
}
