import FileSessions
import LocalService
import ServiceTestSupport
import Testing

@Suite("Every service, at the edges of its limits")
struct LimitTests {
  /// What names are made of: a letter, two bytes, four bytes and two UTF-16 units, a letter and its accent.
  static let materials = ["a", "ä", "🌙", "e\u{301}"]

  static func name(of material: String, scalars: Int) -> String {
    let repeated = String(repeating: material, count: scalars).unicodeScalars.prefix(scalars)
    return String(String.UnicodeScalarView(repeated))
  }

  @Test(
    "takes names of 1 to 255 Unicode scalars, and gives them back as they were",
    arguments: Transport.allCases, materials)
  func names(over transport: Transport, material: String) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      for length in [1, 254, 255] {
        let name = Self.name(of: material, scalars: length)
        let opened = try await service.create(.text(name, 1), key: nil)
        #expect(opened.session.filename.unicodeScalars.elementsEqual(name.unicodeScalars), "\(length)")
        let found = try await service.retrieve(opened.session.id)
        #expect(found.filename.unicodeScalars.elementsEqual(name.unicodeScalars), "\(length)")
      }
      for length in [0, 256, 300] {
        let error = await refusal(.badRequest) { () async throws(ServiceError) in
          try await service.create(.text(Self.name(of: material, scalars: length), 1), key: nil)
        }
        #expect(error?.param == "filename" && error?.code == "invalid_value", "\(length)")
      }
      #expect(try await service.list(limit: nil, offset: nil).totalCount == 3)
    }
  }

  @Test(
    "takes any characters in a name, and gives the file under it", arguments: Transport.allCases,
    [
      "a/b.md", "..", ".", "\"quoted\".txt", "back\\slash", "new\nline", "carriage\r\nreturn: x", "tab\t",
      "a;b=c",
      "100%.txt", "%2F", "שלום.txt", "\u{202E}gpj.exe", " ", "é.md", "e\u{301}.md", "a\u{7f}b", "\u{FEFF}x",
    ])
  func characters(over transport: Transport, name: String) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      let completed = try await service.complete([1, 2, 3], name: name)
      #expect(completed.filename.unicodeScalars.elementsEqual(name.unicodeScalars))
      #expect(try await service.bytes(of: completed.id) == [1, 2, 3])
    }
  }

  @Test("takes sizes of 1 to 536870912 bytes", arguments: Transport.allCases)
  func sizes(over transport: Transport) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      for size in [1, 536_870_911, 536_870_912] as [Int64] {
        let opened = try await service.create(
          NewFile(filename: "a.bin", mimeType: "application/octet-stream", sizeBytes: size), key: nil)
        #expect(opened.session.sizeBytes == size)
      }
      for size in [-1, 0, 536_870_913, .max, .min] as [Int64] {
        let error = await refusal(.badRequest) { () async throws(ServiceError) in
          try await service.create(
            NewFile(filename: "a.bin", mimeType: "application/octet-stream", sizeBytes: size), key: nil)
        }
        #expect(error?.param == "sizeBytes", "\(size)")
      }
      #expect(try await service.list(limit: nil, offset: nil).totalCount == 3)
    }
  }

  @Test("asks for a MIME type", arguments: Transport.allCases)
  func mimeType(over transport: Transport) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      let error = await refusal(.badRequest) { () async throws(ServiceError) in
        try await service.create(NewFile(filename: "a", mimeType: "", sizeBytes: 1), key: nil)
      }
      #expect(error?.param == "mimeType")
    }
  }

  @Test("keeps fewer bytes than announced, or more, from being completed", arguments: Transport.allCases)
  func otherLengths(over transport: Transport) async throws {
    try await ServiceUnderTest.with(transport) { under in
      let service = try await under.service()
      let opened = try await service.create(.text("a.md", 1000), key: nil)
      for size in [1, 999, 1001, 300_000] {
        let bytes = noise(size)
        do throws(ServiceError) {
          _ = try await service.upload(opened, BytesInMemory(bytes))
          #expect(size < 1000, "\(size) bytes were taken")
        } catch {
          #expect(error.kind == .tooLarge || size < 1000, "\(size): \(error)")
          #expect(!error.kind.isTransient, "\(size): \(error)")
        }
        for digest in [nil, md5(bytes)] {
          await refusal(.unprocessableContent) { () async throws(ServiceError) in
            try await service.complete(opened.session.id, md5: digest, key: nil)
          }
        }
        #expect(try await service.retrieve(opened.session.id).status == .pending)
      }
      let bytes = noise(1000)
      _ = try await service.upload(opened, BytesInMemory(bytes))
      _ = try await service.complete(opened.session.id, md5: md5(bytes), key: nil)
      #expect(try await service.bytes(of: opened.session.id) == bytes)
    }
  }
}
