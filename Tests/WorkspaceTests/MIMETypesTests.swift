import Foundation
import Testing
import Workspace

@Suite struct MIMETypesTests {
  @Test(
    "The extension decides, whatever its case",
    arguments: [
      ("a.md", "text/markdown"), ("A.MD", "text/markdown"), ("call.vtt", "text/vtt"),
      ("x.srt", "application/x-subrip"),
      ("dir/r.tar.gz", "application/gzip"), ("mail.eml", "message/rfc822"), ("p.JPeG", "image/jpeg"),
      ("/abs/../x.pdf", "application/pdf"),
      ("d.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
      ("s.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ])
  func table(name: String, type: String) {
    #expect(MIMETypes.type(ofName: name) == type)
  }

  @Test(
    "What has no known extension is not in the table",
    arguments: ["README", ".md", "a.unknown", "a.", "", "a.md/b"])
  func notInTable(name: String) {
    #expect(MIMETypes.type(ofName: name) == nil)
  }

  @Test("The table is large, lower-case and well-formed")
  func wellFormed() throws {
    #expect(MIMETypes.byExtension.count >= 120)
    for (name, type) in MIMETypes.byExtension {
      #expect(name == name.lowercased())
      #expect(type.wholeMatch(of: /[a-z]+\/[a-z0-9][a-z0-9.+-]*/) != nil, "\(type)")
    }
  }

  @Test(
    "The content tells the type",
    arguments: [
      ("%PDF-1.7\n1 0 obj\n", "application/pdf"), ("just some words\n", "text/plain"),
      ("{\"a\": [1, 2]}", "application/json"), ("GIF89a\u{1}\0\u{1}\0", "image/gif"),
      ("", "application/octet-stream"),
    ])
  func detects(content: String, type: String) throws {
    #expect(try MIMETypes().detectedType(of: content.utf8) == type)
  }

  @Test("An open file's content is read only where the table does not know the name")
  func combined() throws {
    let project = try TemporaryProject()
    let workspace = try project.workspace()
    let types = MIMETypes()
    try workspace.write(path("a.md"), "%PDF-1.7\n".utf8)
    let file = try workspace.open(path("a.md"))
    #expect(try types.mimeType(name: "a.md", content: file) == "text/markdown")
    #expect(try types.mimeType(name: "a", content: file) == "application/pdf")
    #expect(try types.detectedType(of: file) == "application/pdf")
    #expect(try types.mimeType(name: "a", content: [0, 1, 2, 255] as [UInt8]) == MIMETypes.unknown)
    let broken = MIMETypes(database: project.directory + "/none")
    #expect(try broken.mimeType(name: "a.md", content: file) == "text/markdown")
  }

  @Test("A database that cannot be loaded is a clear error, each time")
  func missingDatabase() throws {
    let types = MIMETypes(database: "/nonexistent/magic")
    for _ in 0..<2 {
      let error = failure { _ = try types.detectedType(of: "x".utf8) }
      #expect(error?.code == .typeDetection)
      #expect(error?.message.contains("could not load its database") == true)
      #expect(error?.message.contains("/nonexistent/magic") == true)
    }
  }

  @Test("Many threads may ask at once")
  func concurrent() async throws {
    let types = MIMETypes()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<64 {
        group.addTask {
          let isPDF = number.isMultiple(of: 2)
          let content = isPDF ? "%PDF-1.4\n" : "words and words\n"
          for _ in 0..<20 {
            let type = try types.detectedType(of: content.utf8)
            #expect(type == (isPDF ? "application/pdf" : "text/plain"))
          }
        }
      }
      try await group.waitForAll()
    }
  }
}
