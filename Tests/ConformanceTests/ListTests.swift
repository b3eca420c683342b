import FileSessions
import LocalService
import ServiceTestSupport
import Testing

@Suite("Every service lists files")
struct ListTests {
  @Test("newest first, 25 to a page at the most, and tells how many there are", arguments: Transport.allCases)
  func pages(over transport: Transport) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      var ids: [String] = []
      for number in 0..<30 {
        ids.insert(try await service.create(.text("\(number).md", 1), key: nil).session.id, at: 0)
        under.clock.advance(.milliseconds(1))
      }
      let pages: [(limit: Int?, offset: Int?, range: Range<Int>)] = [
        (nil, nil, 0..<25), (1, nil, 0..<1), (1, 0, 0..<1), (1, 29, 29..<30), (25, nil, 0..<25),
        (26, nil, 0..<25), (1000, nil, 0..<25), (nil, 25, 25..<30), (1000, 10, 10..<30), (5, 28, 28..<30),
        (nil, 30, 30..<30), (10, 1_000_000, 30..<30),
      ]
      for (limit, offset, range) in pages {
        let page = try await service.list(limit: limit, offset: offset)
        #expect(page.data.map(\.id) == Array(ids[range]), "limit \(limit ?? -1), offset \(offset ?? -1)")
        #expect(page.totalCount == 30)
      }
    }
  }

  @Test("in one order although many were opened in a millisecond", arguments: Transport.allCases)
  func sameMoment(over transport: Transport) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      var ids: [String] = []
      for number in 0..<10 {
        ids.insert(try await service.create(.text("\(number).md", 1), key: nil).session.id, at: 0)
      }
      var seen: [String] = []
      for offset in stride(from: 0, to: 10, by: 3) {
        seen += try await service.list(limit: 3, offset: offset).data.map(\.id)
      }
      #expect(seen == ids)
    }
  }

  @Test("and none at all where there is none", arguments: Transport.allCases)
  func empty(over transport: Transport) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      #expect(try await service.list(limit: nil, offset: nil) == FileList(data: [], totalCount: 0))
    }
  }

  @Test("with a limit of at least 1 and an offset of at least 0", arguments: Transport.allCases)
  func edges(over transport: Transport) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      for limit in [0, -1, .min] {
        let error = await refusal(.badRequest) { () async throws(ServiceError) in
          try await service.list(limit: limit, offset: nil)
        }
        #expect(error?.param == "limit", "\(limit)")
      }
      for offset in [-1, .min] {
        let error = await refusal(.badRequest) { () async throws(ServiceError) in
          try await service.list(limit: nil, offset: offset)
        }
        #expect(error?.param == "offset", "\(offset)")
      }
    }
  }
}
