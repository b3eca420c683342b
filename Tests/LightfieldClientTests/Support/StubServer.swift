import Foundation
import Glibc
import Synchronization

/// A request as it arrived.
struct StubRequest: Sendable {
  let method: String
  let target: String
  let headers: [(name: String, value: String)]
  var body: [UInt8] = []

  /// The value of a header, nil when it is not there.
  func header(_ name: String) -> String? {
    headers.first { $0.name.lowercased() == name.lowercased() }?.value
  }

  /// Everything, as one text.
  var text: String {
    "\(method) \(target)\n" + headers.map { "\($0.name): \($0.value)\n" }.joined()
      + String(decoding: body, as: UTF8.self)
  }
}

/// What the stub does with a request.
enum StubAnswer: Sendable {
  case reply(Int, headers: [String: String] = [:], body: [UInt8])
  /// These bytes, whatever they are, and the end of the connection.
  case raw(String)
  /// The connection is reset.
  case reset
  /// Nothing, until the client goes.
  case silence

  static func reply(_ status: Int, headers: [String: String] = [:], _ text: String) -> StubAnswer {
    .reply(status, headers: headers, body: Array(text.utf8))
  }
}

/// A server on a loopback port of its own that answers what it is told, until the tests are over: one whose last
/// mention in a test is its URL must not be gone by then.
final class StubServer: Sendable {
  private let listener: Int32
  let port: Int
  private let early: @Sendable (StubRequest) -> StubAnswer?
  private let answer: @Sendable (StubRequest) -> StubAnswer
  private let seen = Mutex<[StubRequest]>([])

  /// - Parameters:
  ///   - early: an answer to the head alone, the body of which is then not read; nil to read it.
  ///   - answer: the answer to the whole request.
  init(
    early: @escaping @Sendable (StubRequest) -> StubAnswer? = { _ in nil },
    _ answer: @escaping @Sendable (StubRequest) -> StubAnswer
  ) throws {
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listener = listener
    let isListening = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, size) == 0 && listen(listener, 128) == 0 && getsockname(listener, $0, &size) == 0
      }
    }
    guard isListening else { throw CocoaError(.fileReadUnknown) }
    port = Int(UInt16(bigEndian: address.sin_port))
    self.early = early
    self.answer = answer
    Thread.detachNewThread {
      while true {
        let connection = accept(listener, nil, nil)
        if connection < 0 { return }
        Thread.detachNewThread { self.serve(connection) }
      }
    }
  }

  var url: String { "http://127.0.0.1:\(port)" }

  /// All that arrived, in order.
  var requests: [StubRequest] { seen.withLock { $0 } }

  private func serve(_ connection: Int32) {
    defer { close(connection) }
    var buffer: [UInt8] = []
    while var request = readHead(connection, &buffer) {
      if let answer = early(request) {
        seen.withLock { $0.append(request) }
        guard give(answer, connection) else { return }
        // The rest of the body would be taken for a request.
        return drain(connection)
      }
      let length = request.header("content-length").flatMap { Int($0) } ?? 0
      while buffer.count < length { if !receive(connection, &buffer) { return } }
      request.body = Array(buffer.prefix(length))
      buffer.removeFirst(length)
      seen.withLock { $0.append(request) }
      guard give(answer(request), connection) else { return }
    }
  }

  private func readHead(_ connection: Int32, _ buffer: inout [UInt8]) -> StubRequest? {
    while true {
      if let end = buffer.firstRange(of: Array("\r\n\r\n".utf8)) {
        let head = String(decoding: buffer[..<end.lowerBound], as: UTF8.self)
        buffer.removeFirst(end.upperBound)
        let lines = head.split(separator: "\r\n").map(String.init)
        let start = lines[0].split(separator: " ").map(String.init)
        let headers = lines.dropFirst().map { line in
          let colon = line.firstIndex(of: ":") ?? line.endIndex
          return (
            name: String(line[..<colon]),
            value: line[colon...].dropFirst().trimmingCharacters(in: .whitespaces)
          )
        }
        return StubRequest(method: start[0], target: start[1], headers: headers)
      }
      if !receive(connection, &buffer) { return nil }
    }
  }

  private func receive(_ connection: Int32, _ buffer: inout [UInt8]) -> Bool {
    var piece = [UInt8](repeating: 0, count: 1 << 18)
    let count = recv(connection, &piece, piece.count, 0)
    if count > 0 { buffer += piece[..<count] }
    return count > 0
  }

  /// Carries an answer out; false when the connection has ended.
  private func give(_ answer: StubAnswer, _ connection: Int32) -> Bool {
    switch answer {
    case .reply(let status, let headers, let body):
      var head = "HTTP/1.1 \(status) Whatever\r\ncontent-length: \(body.count)\r\n"
      for (name, value) in headers { head += "\(name): \(value)\r\n" }
      return write(Array((head + "\r\n").utf8) + body, connection)
    case .raw(let text):
      _ = write(Array(text.utf8), connection)
      return false
    case .reset:
      var linger = linger(l_onoff: 1, l_linger: 0)
      setsockopt(connection, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
      return false
    case .silence:
      drain(connection)
      return false
    }
  }

  private func drain(_ connection: Int32) {
    var rest: [UInt8] = []
    while receive(connection, &rest) { rest = [] }
  }

  private func write(_ bytes: [UInt8], _ connection: Int32) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count <= 0 { return false }
      sent += count
    }
    return true
  }
}
