import FileServer
import FileSessions
import Foundation
import Testing

@Suite struct ConnectionTests {
  /// Patience that a test can wait out.
  private static func impatient(_ configuration: inout FileServerConfiguration) {
    configuration.idleTimeout = .seconds(1)
  }

  @Test func `A body that drips is a 408, and its connection closes`() async throws {
    let bench = try await Bench()
    try await bench.serving(Self.impatient) { api in
      let opened = try await api.open(100_000)
      let raw = try RawConnection(api.address)
      try await raw.write(
        "PUT \(opened.uploadUrl.target) HTTP/1.1\r\nhost: x\r\ncontent-type: text/markdown\r\n"
          + "content-length: 100000\r\n\r\n")
      let dripping = Task {
        while !Task.isCancelled {
          try await raw.write("x")
          try await Task.sleep(for: .milliseconds(20))
        }
      }
      let reply = try await raw.read()
      dripping.cancel()
      _ = await dripping.result
      #expect(reply.hasPrefix("HTTP/1.1 408") && reply.contains("request_timeout"), "\(reply)")
      #expect(try bench.blobs().isEmpty)
    }
  }

  @Test func `Headers that drip, and silence, end the connection`() async throws {
    let bench = try await Bench()
    try await bench.serving(Self.impatient) { api in
      let silent = try RawConnection(api.address)
      #expect(try await silent.read() == "")
      let slow = try RawConnection(api.address)
      try await slow.write("GET /healthz HTTP/1.1\r\n")
      let dripping = Task {
        while !Task.isCancelled {
          try await slow.write("a: b\r\n")
          try await Task.sleep(for: .milliseconds(20))
        }
      }
      #expect(try await slow.read() == "")
      dripping.cancel()
      _ = await dripping.result
    }
  }

  @Test func `An answer that nobody reads ends the connection`() async throws {
    let bench = try await Bench()
    // More than the system keeps for a connection. Prepared with patience, so that no call of ours is cut off.
    let target = try await bench.serving { api in
      let opened = try await api.complete([UInt8](repeating: 7, count: 32 << 20))
      return try await api.downloadURL(of: opened.id).target
    }
    try await bench.serving(Self.impatient) { api in
      let raw = try RawConnection(api.address)
      try await raw.write("GET \(target) HTTP/1.1\r\nhost: x\r\n\r\n")
      while !bench.log.all.contains(where: { $0.path == "/downloads/{id}" }) {
        try await Task.sleep(for: .milliseconds(10))
      }
      #expect(bench.log.all.last?.aborted == true)
    }
  }

  @Test func `What is not HTTP is a 400, and headers beyond the limit are a 431`() async throws {
    let bench = try await Bench()
    try await bench.serving { api in
      let garbage = try RawConnection(api.address)
      try await garbage.write("\u{1}\u{2}\u{3} hello\r\n\r\n")
      let refusal = try await garbage.read()
      #expect(refusal.hasPrefix("HTTP/1.1 400") && refusal.contains("bad_request"), "\(refusal)")
      let large = try RawConnection(api.address)
      try await large.write("GET /healthz HTTP/1.1\r\nhost: x\r\n")
      try await large.write("a: \(String(repeating: "a", count: 40_000))\r\n\r\n")
      let tooLarge = try await large.read()
      #expect(tooLarge.hasPrefix("HTTP/1.1 431") && tooLarge.contains("headers_too_large"), "\(tooLarge)")
    }
  }

  @Test func `HTTP/1.0 and connection: close are answered, and closed`() async throws {
    let bench = try await Bench()
    try await bench.serving { api in
      for request in [
        "GET /healthz HTTP/1.0\r\n\r\n", "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
      ] {
        let raw = try RawConnection(api.address)
        try await raw.write(request)
        let reply = try await raw.read()
        #expect(reply.contains(" 200 OK\r\n") && reply.contains("connection: close"), "\(reply)")
      }
    }
  }

  @Test func `Requests on one connection are answered in order`() async throws {
    let bench = try await Bench()
    try await bench.serving { api in
      let raw = try RawConnection(api.address)
      let head = " HTTP/1.1\r\nhost: x\r\n"
      try await raw.write(
        "GET /healthz\(head)\r\nGET /nothing\(head)\r\nGET /healthz\(head)connection: close\r\n\r\n")
      let replies = try await raw.read()
      #expect(replies.matches(of: /HTTP\/1.1 (\d+)/).map { $0.1 } == ["200", "404", "200"])
    }
  }

  @Test func `A shutdown lets an upload finish`() async throws {
    let bench = try await Bench()
    let bytes = noise(2 << 20)
    let (raw, opened) = try await bench.serving { api in
      let opened = try await api.open(bytes.count)
      let raw = try RawConnection(api.address)
      try await raw.write(
        "PUT \(opened.uploadUrl.target) HTTP/1.1\r\nhost: x\r\ncontent-type: text/markdown\r\n"
          + "content-length: \(bytes.count)\r\nexpect: 100-continue\r\n\r\n")
      #expect(try await raw.read(until: "\r\n\r\n").hasPrefix("HTTP/1.1 100"))
      Task {
        // The server is shutting down by now, or soon will.
        try await raw.write(bytes)
      }
      return (raw, opened)
    }
    #expect(try await raw.read().contains("HTTP/1.1 200"))
    let service = bench.store.service(
      for: .init(organisation: "org_a", subject: .workspace, isAdmin: false))
    #expect(try await service.complete(opened.id, md5: nil, key: nil).status == .completed)
  }

  @Test func `A shutdown does not wait longer than it was told for an upload that stalls`() async throws {
    let bench = try await Bench()
    let raw = try await bench.serving({ $0.drainTimeout = .milliseconds(200) }) { api in
      let opened = try await api.open(1000)
      let raw = try RawConnection(api.address)
      try await raw.write(
        "PUT \(opened.uploadUrl.target) HTTP/1.1\r\nhost: x\r\ncontent-type: text/markdown\r\n"
          + "content-length: 1000\r\nexpect: 100-continue\r\n\r\n")
      #expect(try await raw.read(until: "\r\n\r\n").hasPrefix("HTTP/1.1 100"))
      return raw
    }
    // The server has ended; with the default patience it would have waited for half a minute.
    _ = try await raw.read()
    #expect(try bench.blobs().isEmpty)
  }

  @Test func `A port that is taken, an unknown host and bad certificates are told in words`() async throws {
    let bench = try await Bench()
    try await bench.serving { api in
      func failure(_ change: (inout FileServerConfiguration) -> Void) async -> FileServerError? {
        await #expect(throws: FileServerError.self) { try await bench.serving(change) { _ in } }
      }
      let taken = await failure { $0.port = api.address.port }
      #expect(taken?.code == .addressInUse)
      #expect(taken?.message.hasPrefix("The port \(api.address.port) of 127.0.0.1 is in use") == true)
      let unknown = await failure { $0.host = "no.such.host.invalid" }
      #expect(unknown?.code == .address && unknown?.message.contains("no.such.host.invalid") == true)
      let foreign = await failure { $0.host = "192.0.2.1" }
      #expect(foreign?.code == .address && foreign?.message.contains("192.0.2.1") == true)
      let missing = await failure {
        $0.tls = .init(certificateChain: "/nowhere.pem", privateKey: "/nowhere.key")
      }
      #expect(missing?.code == .tls && missing?.message.contains("/nowhere.pem") == true)
      #expect(missing?.message.contains("there is no such file") == true)
      let key = NSTemporaryDirectory() + "/moontide-\(UUID().uuidString).pem"
      try Data("-----BEGIN PRIVATE KEY-----\n".utf8).write(to: URL(fileURLWithPath: key))
      defer { try? FileManager.default.removeItem(atPath: key) }
      let swapped = await failure { $0.tls = .init(certificateChain: key, privateKey: key) }
      #expect(swapped?.message.contains("holds a private key") == true, "\(swapped as Any)")
    }
  }
}
