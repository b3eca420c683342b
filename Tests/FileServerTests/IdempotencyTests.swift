import FileSessions
import Foundation
import LocalService
import Testing

@Suite struct IdempotencyTests {
  @Test func `A repeat gets the same answer, whose upload URL works`() async throws {
    let bench = try await Bench()
    try await bench.serving { api in
      let body = #"{"filename":"a.md","mimeType":"text/markdown","sizeBytes":3,"purpose":"knowledge_user"}"#
      let first = try await api.call("POST", "/v1/files", body, ["idempotency-key": "k"])
      bench.clock.advance(.seconds(60))
      let second = try await api.call("POST", "/v1/files", body, ["idempotency-key": "k"])
      #expect(second.status == 200 && second.body == first.body)
      #expect(try await api.put([1, 2, 3], to: second.decode(Opened.self)).status == 200)
      #expect(try await api.call("GET", "/v1/files").decode(FileList.self).totalCount == 1)
      let other = try await api.call(
        "POST", "/v1/files", #"{"filename":"b.md","mimeType":"text/markdown","sizeBytes":3}"#,
        ["idempotency-key": "k"])
      #expect(other.status == 400 && other.error?.code == "idempotency_key_reused")
      #expect(other.error?.param == "Idempotency-Key")
    }
  }

  @Test func `A repeat at another process of the same store gets the same answer`() async throws {
    let bench = try await Bench()
    let first = try await bench.serving { api in try await api.open(3, headers: ["idempotency-key": "k"]) }
    let second = try await LocalStore.open(bench.directory, clock: bench.clock.wallClock)
    try await bench.serving(store: second) { api in
      let repeated = try await api.open(3, headers: ["idempotency-key": "k"])
      #expect(repeated.id == first.id)
      bench.clock.advance(.seconds(24 * 3600))
      let later = try await api.open(3, headers: ["idempotency-key": "k"])
      #expect(later.id != first.id)
    }
  }

  @Test func `A failed attempt is made again, and a done one is not`() async throws {
    let bench = try await Bench()
    try await bench.serving { api in
      let opened = try await api.open(3)
      let path = "/v1/files/\(opened.id)/complete"
      #expect(try await api.call("POST", path, "{}", ["idempotency-key": "c"]).status == 422)
      #expect(try await api.put([1, 2, 3], to: opened).status == 200)
      let done = try await api.call("POST", path, "{}", ["idempotency-key": "c"])
      #expect(done.status == 200)
      #expect(try await api.call("POST", path, "{}", ["idempotency-key": "c"]).body == done.body)
      #expect(try await api.call("POST", path, "{}", ["idempotency-key": "d"]).status == 409)
    }
  }

  @Test func `Many at once with one key open one session; who comes in between is told to wait`() async throws
  {
    let bench = try await Bench()
    try await bench.serving { api in
      let body = #"{"filename":"a.md","mimeType":"text/markdown","sizeBytes":3}"#
      let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
        for _ in 0..<32 {
          group.addTask { try await api.call("POST", "/v1/files", body, ["idempotency-key": "k"]) }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      for reply in replies where reply.status != 200 {
        #expect(reply.status == 409 && reply.error?.type == "idempotency_conflict")
        #expect(reply.headers["retry-after"] == "1" && reply.headers["x-should-retry"] == nil)
      }
      #expect(Set(replies.filter { $0.status == 200 }.map(\.body)).count == 1)
      #expect(try await api.call("GET", "/v1/files").decode(FileList.self).totalCount == 1)
    }
  }
}
