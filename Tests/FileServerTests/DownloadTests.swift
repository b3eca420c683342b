import FileSessions
import Foundation
import Testing

@Suite struct DownloadTests {
  /// A `Range` of ten bytes, and what it gives.
  static let ranges: [(String, Range<Int>?, Int)] = [
    ("bytes=0-0", 0..<1, 206), ("bytes=2-5", 2..<6, 206), ("bytes=4-", 4..<10, 206),
    ("bytes=-3", 7..<10, 206),
    ("bytes=0-99", 0..<10, 206), ("bytes=-99", 0..<10, 206), ("BYTES=9-9", 9..<10, 206),
    ("bytes=0-99999999999999999999", 0..<10, 206),
    ("bytes=10-", nil, 416), ("bytes=-0", nil, 416), ("bytes=99999999999999999999-", nil, 416),
    ("bytes=5-2", 0..<10, 200), ("bytes=a-b", 0..<10, 200), ("bytes=1-2,4-5", 0..<10, 200),
    ("lines=1-2", 0..<10, 200),
    ("bytes=--1", 0..<10, 200), ("bytes=", 0..<10, 200), ("bytes=+1-2", 0..<10, 200),
  ]

  @Test(arguments: ranges)
  func `A range gives its bytes`(_ header: String, _ range: Range<Int>?, _ status: Int) async throws {
    let bench = try await Bench()
    try await bench.serving { api in
      let bytes = noise(10)
      let url = try await api.downloadURL(of: api.complete(bytes).id)
      let reply = try await api.send("GET", url, nil, ["range": header])
      #expect(reply.status == status)
      if let range {
        #expect(reply.body == Array(bytes[range]))
        let expected = status == 206 ? "bytes \(range.lowerBound)-\(range.upperBound - 1)/10" : nil
        #expect(reply.headers["content-range"] == expected)
      } else {
        #expect(reply.headers["content-range"] == "bytes */10")
      }
    }
  }

  @Test func `Tags spare a download, and guard a range`() async throws {
    let bench = try await Bench()
    try await bench.serving { api in
      let bytes = noise(10)
      let url = try await api.downloadURL(of: api.complete(bytes).id)
      let tag = "\"\(md5(bytes))\""
      for known in [tag, "W/\(tag)", "\"x\", \(tag)", "*"] {
        let reply = try await api.send("GET", url, nil, ["if-none-match": known])
        #expect(reply.status == 304 && reply.body.isEmpty && reply.headers["etag"] == tag, "\(known)")
      }
      #expect(try await api.send("GET", url, nil, ["if-none-match": "\"x\""]).status == 200)
      #expect(try await api.send("GET", url, nil, ["range": "bytes=1-2", "if-range": tag]).status == 206)
      #expect(try await api.send("GET", url, nil, ["range": "bytes=1-2", "if-range": "\"x\""]).status == 200)
    }
  }

  @Test(arguments: [
    ("plain name.md", #"attachment; filename="plain name.md""#),
    ("naïve €.md", #"attachment; filename="na_ve _.md"; filename*=UTF-8''na%C3%AFve%20%E2%82%AC.md"#),
    (#"a\"b%.md"#, #"attachment; filename="a_b_.md"; filename*=UTF-8''a%22b%25.md"#),
    ("a/b.md", #"attachment; filename="a_b.md"; filename*=UTF-8''a%2Fb.md"#),
    (#"a\r\nb.md"#, #"attachment; filename="a__b.md"; filename*=UTF-8''a%0D%0Ab.md"#),
  ])
  func `A download has the file's name, which can end no header`(_ name: String, _ header: String)
    async throws
  {
    let bench = try await Bench()
    try await bench.serving { api in
      let url = try await api.downloadURL(of: api.complete([1], name).id)
      let reply = try await api.send("GET", url)
      #expect(reply.headers["content-disposition"] == header)
      #expect(reply.headers["x-content-type-options"] == "nosniff")
    }
  }

  @Test func `HEAD gets the head of the whole, and of a part`() async throws {
    let bench = try await Bench()
    try await bench.serving { api in
      let bytes = noise(1000)
      let url = try await api.downloadURL(of: api.complete(bytes).id)
      let whole = try await api.send("HEAD", url)
      #expect(whole.status == 200 && whole.body.isEmpty && whole.headers["content-length"] == "1000")
      let part = try await api.send("HEAD", url, nil, ["range": "bytes=1-2"])
      #expect(part.status == 206 && part.headers["content-length"] == "2")
    }
  }

  @Test func `A download URL ends by the clock, and is for its file alone`() async throws {
    let bench = try await Bench()
    try await bench.serving { api in
      let (one, other) = (try await api.complete([1]), try await api.complete([2]))
      let given = try await api.call("GET", "/v1/files/\(one.id)/url").decode(DownloadURL.self)
      #expect(given.expiresAt == bench.clock.now + .seconds(3600))
      #expect(try await api.send("GET", given.url.replacing(one.id, with: other.id)).status == 403)
      bench.clock.advance(.seconds(3600))
      let late = try await api.send("GET", given.url)
      #expect(late.status == 403 && late.error?.code == "signature_expired")
    }
  }
}
