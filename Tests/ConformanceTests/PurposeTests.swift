import FileSessions
import LocalService
import ServiceTestSupport
import Testing

@Suite("Every service, by a file's purpose")
struct PurposeTests {
  static let mebibyte: Int64 = 1 << 20

  struct Wish: Sendable, CustomTestStringConvertible {
    var purpose: String
    var mimeType = "text/plain"
    var size: Int64 = 10
    var caller = Caller.admin
    /// The error and its parameter, nil when the wish is granted.
    var refusal: (ServiceError.Kind, String?)?

    var testDescription: String { "\(purpose) \(mimeType) \(size) \(caller.subject) \(caller.isAdmin)" }
  }

  static let wishes: [Wish] = [
    Wish(purpose: "meeting_transcript"),
    Wish(purpose: "meeting_transcript", mimeType: "text/vtt", size: 20 * mebibyte),
    Wish(purpose: "meeting_transcript", size: 20 * mebibyte + 1, refusal: (.badRequest, "sizeBytes")),
    Wish(purpose: "meeting_transcript", mimeType: "image/png", refusal: (.badRequest, "mimeType")),
    Wish(purpose: "email_attachment", mimeType: "image/png", size: 20 * mebibyte),
    Wish(purpose: "email_attachment", size: 20 * mebibyte + 1, refusal: (.badRequest, "sizeBytes")),
    Wish(purpose: "knowledge_user", caller: .member),
    Wish(purpose: "knowledge_user", caller: .workspace, refusal: (.forbidden, nil)),
    Wish(purpose: "knowledge_workspace"),
    Wish(purpose: "knowledge_workspace", caller: .member, refusal: (.forbidden, nil)),
    Wish(purpose: "knowledge", refusal: (.badRequest, "purpose")),
    Wish(purpose: "", refusal: (.badRequest, "purpose")),
    Wish(purpose: "MEETING_TRANSCRIPT", refusal: (.badRequest, "purpose")),
  ]

  @Test("takes and refuses what its policy says", arguments: Transport.allCases, wishes)
  func policy(over transport: Transport, wish: Wish) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service(for: wish.caller)
      let file = NewFile(
        filename: "a.md", mimeType: wish.mimeType, sizeBytes: wish.size,
        purpose: Purpose(rawValue: wish.purpose))
      if let (kind, param) = wish.refusal {
        let error = await refusal(kind) { () async throws(ServiceError) in
          try await service.create(file, key: nil)
        }
        #expect(error?.param == param)
      } else {
        #expect(try await service.create(file, key: nil).session.status == .pending)
      }
    }
  }

  static let names = [
    ("playbook.md", "playbook", ".md"), ("archive.tar.gz", "archive.tar", ".gz"), ("README", "README", ""),
    (".hidden", ".hidden", ""), ("a.", "a", "."), ("übung.md", "übung", ".md"),
  ]

  @Test(
    "gives knowledge a name of its own, with the moment before the last extension",
    arguments: Transport.allCases, [Purpose.knowledgeUser, .knowledgeWorkspace])
  func suffix(over transport: Transport, purpose: Purpose) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      for (name, stem, ending) in Self.names {
        let moment = under.clock.now.milliseconds
        let first = try await service.create(.text(name, 3, purpose), key: nil)
        #expect(first.session.filename == "\(stem)_\(moment)\(ending)")
        let second = try await service.create(.text(name, 3, purpose), key: nil)
        #expect(
          second.session.filename == "\(stem)_\(moment + 1)\(ending)", "two of one name in a millisecond")
        under.clock.advance(.milliseconds(10))
      }
    }
  }

  @Test(
    "never overwrites knowledge: a second send is a 412, and complete with the md5 decides",
    arguments: Transport.allCases, [Purpose.knowledgeUser, .knowledgeWorkspace])
  func overwrites(over transport: Transport, purpose: Purpose) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      let bytes = Array("abc".utf8)
      let opened = try await service.create(.text("a.md", 3, purpose), key: nil)
      _ = try await service.upload(opened, BytesInMemory(bytes))
      await refusal(.objectExists) { () async throws(ServiceError) in
        try await service.upload(opened, BytesInMemory(Array("xyz".utf8)))
      }
      await refusal(.unprocessableContent) { () async throws(ServiceError) in
        try await service.complete(opened.session.id, md5: md5(Array("xyz".utf8)), key: nil)
      }
      let completed = try await service.complete(opened.session.id, md5: md5(bytes), key: nil)
      #expect(completed.filename == opened.session.filename)
      #expect(try await service.bytes(of: completed.id) == bytes)
    }
  }

  @Test("keeps the longest name although its suffix makes it longer", arguments: Transport.allCases)
  func longest(over transport: Transport) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      let name = String(repeating: "ä", count: 252) + ".md"
      let completed = try await service.complete([1], name: name, purpose: .knowledgeUser)
      #expect(completed.filename.hasPrefix(String(repeating: "ä", count: 252) + "_"))
      #expect(completed.filename.hasSuffix(".md"))
      #expect(try await service.bytes(of: completed.id) == [1])
    }
  }
}
