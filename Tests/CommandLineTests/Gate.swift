import Foundation
import Glibc
import Synchronization

/// A place that connections to a service have to pass, and where they are held up as long as it is closed.
final class Gate: Sendable {
  private struct State {
    var port = 0
    var isOpen = false
    var waiting: [@Sendable () -> Void] = []
  }

  /// What clients connect to.
  let url: String
  private let listener: Int32
  private let state = Mutex(State())

  init() throws {
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard let port = Self.bind(listener) else { throw CocoaError(.fileReadUnknown) }
    url = "http://127.0.0.1:\(port)"
    let listener = listener
    Thread.detachNewThread { [weak self] in
      while true {
        let connection = accept(listener, nil, nil)
        guard connection >= 0 else {
          close(listener)
          return
        }
        guard let self else {
          close(connection)
          continue
        }
        self.receive(connection)
      }
    }
  }

  deinit {
    shutdown(listener, Int32(SHUT_RDWR))
  }

  /// Where those who pass come to.
  func leads(to port: Int) {
    state.withLock { $0.port = port }
  }

  /// Lets all pass, also those who wait.
  func open() {
    let waiting = state.withLock { state in
      state.isOpen = true
      defer { state.waiting = [] }
      return state.waiting
    }
    for pass in waiting { pass() }
  }

  private func receive(_ connection: Int32) {
    let pass: @Sendable () -> Void = { Thread.detachNewThread { self.relay(connection) } }
    let isOpen = state.withLock { state in
      if !state.isOpen { state.waiting.append(pass) }
      return state.isOpen
    }
    if isOpen { pass() }
  }

  private func relay(_ connection: Int32) {
    let service = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = Self.address(port: state.withLock { $0.port })
    let isThere = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(service, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    guard isThere else {
      for end in [connection, service] { close(end) }
      return
    }
    let back = Thread { Self.copy(from: service, to: connection) }
    back.start()
    Self.copy(from: connection, to: service)
    while !back.isFinished { usleep(1000) }
    for end in [connection, service] { close(end) }
  }

  private static func copy(from source: Int32, to target: Int32) {
    var piece = [UInt8](repeating: 0, count: 1 << 18)
    while case let count = recv(source, &piece, piece.count, 0), count > 0 {
      var sent = 0
      while sent < count {
        let more = piece.withUnsafeBytes {
          send(target, $0.baseAddress.map { $0 + sent }, count - sent, Int32(MSG_NOSIGNAL))
        }
        if more < 0 { break }
        sent += more
      }
      if sent < count { break }
    }
    shutdown(target, Int32(SHUT_WR))
    shutdown(source, Int32(SHUT_RD))
  }

  private static func address(port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    address.sin_port = UInt16(port).bigEndian
    return address
  }

  private static func bind(_ listener: Int32) -> Int? {
    var address = address(port: 0)
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isListening = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.bind(listener, $0, size) == 0 && listen(listener, 64) == 0
          && getsockname(listener, $0, &size) == 0
      }
    }
    return isListening ? Int(UInt16(bigEndian: address.sin_port)) : nil
  }
}
