import FileSessions
import Foundation
import Testing

@Suite struct LifecycleTests {
  @Test func `A file goes from create to download, and every answer has every key`() async throws {
    let bench = try await Bench()
    try await bench.serving { api in
      let bytes = noise(3 << 20)
      let created = try await api.call(
        "POST", "/v1/files", #"{"filename":"call.vtt","mimeType":"text/vtt","sizeBytes":\#(bytes.count)}"#)
      #expect(created.status == 200)
      let keys: Set = [
        "id", "filename", "mimeType", "sizeBytes", "status", "createdAt", "expiresAt", "completedAt",
      ]
      #expect(try Self.keys(created) == keys.union(["uploadUrl", "uploadHeaders"]))
      #expect(created.text.contains(#""createdAt":"2026-04-08T11:00:00.123Z""#))
      #expect(created.text.contains(#""expiresAt":"2026-04-08T12:00:00.123Z""#))
      #expect(created.text.contains(#""completedAt":null"#))

      let opened = try created.decode(Opened.self)
      #expect(opened.uploadHeaders == ["content-type": "text/vtt"])
      #expect(opened.uploadUrl.hasPrefix(api.address.url + "/uploads/"))
      let sent = try await api.put(bytes, to: opened)
      #expect(sent.status == 200 && sent.headers["etag"] == "\"\(md5(bytes))\"" && sent.body.isEmpty)

      let completed = try await api.call(
        "POST", "/v1/files/\(opened.id)/complete", #"{"md5":"\#(md5(bytes))"}"#)
      #expect(completed.status == 200)
      #expect(try completed.decode(FileSession.self).status == .completed)
      let retrieved = try await api.call("GET", "/v1/files/\(opened.id)")
      #expect(retrieved.body == completed.body)
      #expect(try Self.keys(retrieved) == keys)
      let list = try await api.call("GET", "/v1/files").decode(FileList.self)
      #expect(list.totalCount == 1 && list.data.map(\.id) == [opened.id])

      let fetched = try await api.send("GET", api.downloadURL(of: opened.id))
      #expect(fetched.status == 200 && fetched.body == bytes)
      #expect(fetched.headers["content-type"] == "text/vtt")
    }
  }

  @Test func `A cancelled session is gone for its bytes, and cancel takes an empty body`() async throws {
    let bench = try await Bench()
    try await bench.serving { api in
      let opened = try await api.open(3)
      #expect(try await api.put([1, 2, 3], to: opened).status == 200)
      let empty = try await api.call(
        "POST", "/v1/files/\(opened.id)/cancel", nil, ["content-type": "application/json"])
      #expect(empty.status == 200)
      #expect(try empty.decode(FileSession.self).status == .cancelled)
      let again = try await api.call("POST", "/v1/files/\(opened.id)/cancel", "{}")
      #expect(again.status == 409 && again.error?.type == "conflict")
      #expect(again.headers["x-should-retry"] == "false")
      #expect(try await api.put([1, 2, 3], to: opened).status == 409)
      #expect(try await api.call("GET", "/v1/files/\(opened.id)/url").status == 409)
      #expect(try bench.blobs().isEmpty)
    }
  }

  @Test func `Complete without bytes, or with another md5, is a 422 and leaves the session open`()
    async throws
  {
    let bench = try await Bench()
    try await bench.serving { api in
      let opened = try await api.open(4)
      let path = "/v1/files/\(opened.id)/complete"
      #expect(try await api.call("POST", path, "{}").status == 422)
      // Fewer bytes than announced are taken, as from any sender, and refused here.
      #expect(try await api.put([1, 2], to: opened).status == 200)
      #expect(try await api.call("POST", path, "{}").status == 422)
      #expect(try await api.put([1, 2, 3, 4], to: opened).status == 200)
      let wrong = try await api.call("POST", path, #"{"md5":"\#(md5([9]))"}"#)
      #expect(wrong.status == 422 && wrong.error?.type == "unprocessable_content")
      let upper = try await api.call("POST", path, #"{"md5":"\#(md5([1, 2, 3, 4]).uppercased())"}"#)
      #expect(upper.status == 400 && upper.error?.code == "invalid_value" && upper.error?.param == "md5")
      #expect(try await api.call("POST", path, #"{"md5":"\#(md5([1, 2, 3, 4]))"}"#).status == 200)
    }
  }

  @Test func `One organisation never sees another's files`() async throws {
    let bench = try await Bench()
    let other = try await bench.key(organisation: "org_b")
    try await bench.serving { api in
      let opened = try await api.complete([1, 2, 3])
      var stranger = api
      stranger.key = other
      #expect(try await stranger.call("GET", "/v1/files").decode(FileList.self).totalCount == 0)
      for (method, path) in [("GET", ""), ("GET", "/url"), ("POST", "/complete"), ("POST", "/cancel")] {
        let reply = try await stranger.call(
          method, "/v1/files/\(opened.id)\(path)", method == "POST" ? "{}" : nil)
        #expect(reply.status == 404 && reply.error?.type == "not_found", "\(method) \(path)")
      }
    }
  }

  @Test func `Sessions expire by the clock, and list and retrieve say so`() async throws {
    let bench = try await Bench()
    try await bench.serving { api in
      let opened = try await api.open(3)
      bench.clock.advance(.seconds(3600))
      let session = try await api.call("GET", "/v1/files/\(opened.id)").decode(FileSession.self)
      #expect(session.status == .expired && session.expiresAt == nil)
      #expect(try await api.call("POST", "/v1/files/\(opened.id)/complete", "{}").status == 409)
    }
  }

  @Test func `A meeting is recorded, found, and gets a transcript`() async throws {
    let bench = try await Bench()
    try await bench.serving { api in
      let file = try await api.complete(noise(29), "call.vtt")
      let created = try await api.call(
        "POST", "/v1/meetings",
        #"{"fields":{"$title":"Weekly","$startDate":"2026-04-01T09:00:00Z","$endDate":"2026-04-01T10:00:00Z"}}"#
      )
      #expect(created.status == 200, "\(created.text)")
      let meeting = try created.decode(Meeting.self)
      let changed = try await api.call(
        "POST", "/v1/meetings/\(meeting.id)", #"{"relationships":{"$transcript":{"replace":"\#(file.id)"}}}"#)
      #expect(try changed.decode(Meeting.self).transcript == file.id, "\(changed.text)")
      #expect(try await api.call("GET", "/v1/meetings/\(meeting.id)").decode(Meeting.self).title == "Weekly")
      #expect(try await api.call("GET", "/v1/meetings?limit=5").decode(MeetingList.self).totalCount == 1)
      #expect(try await api.call("GET", "/v1/meetings/mtg_none").status == 404)
    }
  }

  private static func keys(_ reply: Reply) throws -> Set<String> {
    let object = try JSONDecoder().decode([String: JSONValue].self, from: Data(reply.body))
    return Set(object.keys)
  }
}
