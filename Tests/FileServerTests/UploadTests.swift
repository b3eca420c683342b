import FileServer
import FileSessions
import Foundation
import LocalService
import Testing

@Suite struct UploadTests {
  @Test func `A URL that was altered in any part, or used for another method, is a 403`() async throws {
    let bench = try await Bench()
    try await bench.serving { api in
      let (opened, other) = (try await api.open(3), try await api.open(3))
      let url = opened.uploadUrl
      let altered = [
        url.replacing(opened.id, with: other.id),
        url.replacing("expires=1", with: "expires=2"),
        url.replacing("text%2Fmarkdown", with: "text%2Fhtml"),
        url.replacing("&signature=", with: "&if-none-match=%2A&signature="),
        String(url.dropLast()) + (url.hasSuffix("0") ? "1" : "0"),
        String(url.dropLast()),
        url.split(separator: "&signature").first.map(String.init) ?? "",
        url + "&expires=1",
      ]
      for url in altered {
        let reply = try await api.send("PUT", url, [1, 2, 3], opened.uploadHeaders)
        #expect(reply.status == 403 && reply.error?.code == "signature_invalid", "\(url)")
      }
      let download = url.replacing("/uploads/", with: "/downloads/")
      #expect(try await api.send("GET", download).status == 403)
      #expect(try bench.blobs().isEmpty)
      #expect(try await api.put([1, 2, 3], to: opened).status == 200)
    }
  }

  @Test func `A URL ends with its session, and says so`() async throws {
    let bench = try await Bench()
    try await bench.serving { api in
      let opened = try await api.open(3)
      bench.clock.advance(.seconds(3600) - .milliseconds(1))
      #expect(try await api.put([1, 2, 3], to: opened).status == 200)
      bench.clock.advance(.milliseconds(1))
      let late = try await api.put([1, 2, 3], to: opened)
      #expect(late.status == 403 && late.error?.code == "signature_expired")
      #expect(late.text.contains("2026-04-08T12:00:00.123Z"))
    }
  }

  @Test func `Only the headers of uploadHeaders are taken`() async throws {
    let bench = try await Bench()
    try await bench.serving { api in
      let plain = try await api.open(3)
      let knowledge = try await api.open(3, purpose: "knowledge_user")
      #expect(knowledge.uploadHeaders == ["content-type": "text/markdown", "if-none-match": "*"])
      for (opened, headers, param) in [
        (plain, ["content-type": "text/html"], "content-type"), (plain, [:], "content-type"),
        (plain, ["content-type": "text/markdown", "if-none-match": "*"], "if-none-match"),
        (knowledge, ["content-type": "text/markdown"], "if-none-match"),
      ] {
        let reply = try await api.send("PUT", opened.uploadUrl, [1, 2, 3], headers)
        #expect(reply.status == 400 && reply.error?.param == param, "\(headers)")
      }
      #expect(try await api.put([1, 2, 3], to: knowledge).status == 200)
      let again = try await api.put([1, 2, 3], to: knowledge)
      #expect(again.status == 412 && again.error?.type == "object_exists")
    }
  }

  @Test func `A length that is too large or missing is refused before a byte is read`() async throws {
    let bench = try await Bench()
    try await bench.serving { api in
      let opened = try await api.open(3)
      #expect(try await api.put([1, 2, 3, 4], to: opened).status == 413)
      let raw = try RawConnection(api.address)
      try await raw.write(
        "PUT \(opened.uploadUrl.target) HTTP/1.1\r\nhost: x\r\ncontent-type: text/markdown\r\n"
          + "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
      let reply = try await raw.read(until: "content-length\"")
      #expect(reply.hasPrefix("HTTP/1.1 411") && reply.contains("length_required"))
      #expect(try bench.blobs().isEmpty)
    }
  }

  @Test func `100 Continue comes after the checks, and not with a refusal`() async throws {
    let bench = try await Bench()
    try await bench.serving { api in
      let opened = try await api.open(3)
      let head = """
        host: x\r\ncontent-type: text/markdown\r\ncontent-length: 3\r\nexpect: 100-continue\r\n\r\n
        """
      let good = try RawConnection(api.address)
      try await good.write("PUT \(opened.uploadUrl.target) HTTP/1.1\r\n\(head)")
      #expect(try await good.read(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
      try await good.write("abc")
      #expect(try await good.read(until: "\r\n\r\n").hasPrefix("HTTP/1.1 200"))

      let bad = try RawConnection(api.address)
      try await bad.write("PUT \(opened.uploadUrl.target)0 HTTP/1.1\r\n\(head)")
      let refusal = try await bad.read()
      // The connection ends: whether the three bytes will come is open.
      #expect(refusal.hasPrefix("HTTP/1.1 403") && refusal.contains("connection: close"))
    }
  }

  @Test func `A body that is cut off leaves nothing, and can be sent again`() async throws {
    let bench = try await Bench()
    try await bench.serving { api in
      let bytes = noise(3 << 20)
      let opened = try await api.open(bytes.count)
      let raw = try RawConnection(api.address)
      try await raw.write(
        "PUT \(opened.uploadUrl.target) HTTP/1.1\r\nhost: x\r\ncontent-type: text/markdown\r\n"
          + "content-length: \(bytes.count)\r\n\r\n")
      try await raw.write(Array(bytes.prefix(2 << 20)))
      raw.reset()
      // The log is written when the server has done with the request.
      while !bench.log.all.contains(where: { $0.method == "PUT" }) { await Task.yield() }
      #expect(bench.log.all.last?.error == "body_incomplete")
      #expect(try bench.blobs().isEmpty)
      #expect(try await api.put(bytes, to: opened).status == 200)
      #expect(try await api.call("POST", "/v1/files/\(opened.id)/complete", "{}").status == 200)
    }
  }

  @Test func `The secret is its owner's alone, and serves every process of the store`() async throws {
    let bench = try await Bench()
    let opened = try await bench.serving { api in try await api.open(3) }
    let mode = try FileManager.default.attributesOfItem(atPath: bench.directory + "/url-secret")[
      .posixPermissions]
    #expect(mode as? Int == 0o600)
    let second = try await LocalStore.open(bench.directory, clock: bench.clock.wallClock)
    try await bench.serving(store: second) { api in
      let url = api.address.url + opened.uploadUrl.target
      let sent = try await api.send("PUT", url, [1, 2, 3], opened.uploadHeaders)
      #expect(sent.status == 200)
    }
    try Data("short".utf8).write(to: URL(filePath: bench.directory + "/url-secret"))
    let failure = #expect(throws: FileServerError.self) { try FileServer(store: bench.store) }
    #expect(failure?.message.contains("url-secret is damaged") == true)
  }

  @Test func `URLs name the host that the client used, or the one that was configured`() async throws {
    let bench = try await Bench()
    let body = #"{"filename":"a","mimeType":"a/b","sizeBytes":1}"#
    try await bench.serving { api in
      let reply = try await api.call("POST", "/v1/files", body, ["host": "files.example:8443"])
      #expect(try reply.decode(Opened.self).uploadUrl.hasPrefix("http://files.example:8443/uploads/"))
      let odd = try await api.call("POST", "/v1/files", body, ["host": "x/y?z"])
      #expect(try odd.decode(Opened.self).uploadUrl.hasPrefix(api.address.url + "/uploads/"))
    }
    try await bench.serving({ $0.publicURL = "https://files.example" }) { api in
      let reply = try await api.call("POST", "/v1/files", body)
      #expect(try reply.decode(Opened.self).uploadUrl.hasPrefix("https://files.example/uploads/"))
    }
  }
}
