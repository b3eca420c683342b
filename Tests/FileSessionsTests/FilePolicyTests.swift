import FileSessions
import Testing

@Suite("What a service accepts")
struct FilePolicyTests {
  private let policy = FilePolicy.standard
  private let admin = CallerStanding(isAdmin: true, isUser: true)

  private func refusal(
    _ filename: String = "a.md", _ mimeType: String = "text/markdown", size: Int64 = 10,
    purpose: Purpose? = nil, by caller: CallerStanding? = nil
  ) -> ServiceError? {
    do throws(ServiceError) {
      let file = NewFile(filename: filename, mimeType: mimeType, sizeBytes: size, purpose: purpose)
      try policy.check(file, by: caller ?? admin)
      return nil
    } catch {
      return error
    }
  }

  @Test(
    "a filename has 1 to 255 Unicode scalars, whatever their length in bytes",
    arguments: ["a", "ü", "🌙", "漢"])
  func filenameLength(letter: String) {
    #expect(refusal("")?.param == "filename")
    #expect(refusal(letter) == nil)
    #expect(refusal(String(repeating: letter, count: 255)) == nil)
    let error = refusal(String(repeating: letter, count: 256))
    #expect(error?.param == "filename")
    #expect(error?.message == "The filename has 256 characters; it may have 1 to 255.")
  }

  @Test("scalars are counted, not characters")
  func scalars() {
    let family = "👨‍👩‍👧"  // one character, five scalars
    #expect(refusal(String(repeating: family, count: 51)) == nil)
    #expect(refusal(String(repeating: family, count: 52))?.param == "filename")
  }

  @Test(
    "a size is 1 to 536,870,912 bytes",
    arguments: [
      (-1, false), (0, false), (1, true), (536_870_912, true), (536_870_913, false), (.max, false),
    ] as [(Int64, Bool)])
  func size(bytes: Int64, isTaken: Bool) {
    let error = refusal(size: bytes)
    #expect((error == nil) == isTaken)
    if let error {
      #expect(error.status == 400 && error.param == "sizeBytes")
      #expect(error.message.contains("\(bytes)"))
      if bytes > 0 { #expect(error.message.contains("536870912")) }
    }
  }

  @Test("an empty MIME type is refused")
  func mimeType() {
    #expect(refusal("a", "")?.param == "mimeType")
  }

  @Test("an unknown purpose is refused with the known ones")
  func unknownPurpose() {
    let error = refusal(purpose: Purpose(rawValue: "knowlege_user"))
    #expect(error?.param == "purpose")
    #expect(error?.code == "invalid_value")
    #expect(
      error?.message
        == "The purpose \"knowlege_user\" is not one of email_attachment, knowledge_user, knowledge_workspace, "
        + "meeting_transcript.")
  }

  @Test("workspace knowledge takes an admin, user knowledge a user")
  func standing() {
    let member = CallerStanding(isAdmin: false, isUser: true)
    let workspace = CallerStanding(isAdmin: true, isUser: false)
    #expect(refusal(purpose: .knowledgeWorkspace) == nil)
    #expect(refusal(purpose: .knowledgeWorkspace, by: workspace) == nil)
    #expect(refusal(purpose: .knowledgeWorkspace, by: member)?.kind == .forbidden)
    #expect(refusal(purpose: .knowledgeUser, by: member) == nil)
    #expect(refusal(purpose: .knowledgeUser, by: workspace)?.kind == .forbidden)
  }

  @Test(
    "an attachment or a transcript has 20 MiB at the most",
    arguments: [Purpose.emailAttachment, .meetingTranscript])
  func purposeSize(purpose: Purpose) {
    #expect(refusal("a.vtt", "text/vtt", size: 20 << 20, purpose: purpose) == nil)
    let error = refusal("a.vtt", "text/vtt", size: 20 << 20 + 1, purpose: purpose)
    #expect(error?.param == "sizeBytes")
  }

  @Test("a transcript is of a type that can be one")
  func transcriptType() {
    #expect(refusal("a.png", "image/png", purpose: .meetingTranscript)?.param == "mimeType")
    #expect(refusal("a.png", "image/png", purpose: .emailAttachment) == nil)
  }

  @Test(
    "knowledge gets the moment before its last extension",
    arguments: [
      ("playbook.md", "playbook_1713045600000.md"),
      ("archive.tar.gz", "archive.tar_1713045600000.gz"),
      (".hidden", ".hidden_1713045600000"),
      (".hidden.md", ".hidden_1713045600000.md"),
      ("README", "README_1713045600000"),
      ("dot.", "dot_1713045600000."),
      ("Übersicht 漢字.md", "Übersicht 漢字_1713045600000.md"),
    ])
  func suffix(name: String, expected: String) {
    let moment = Timestamp(milliseconds: 1_713_045_600_000)
    for purpose in [Purpose.knowledgeUser, .knowledgeWorkspace] {
      let file = NewFile(filename: name, mimeType: "a/b", sizeBytes: 1, purpose: purpose)
      #expect(policy.sessionFilename(for: file, at: moment) == expected)
      #expect(policy.refusesOverwrite(purpose))
    }
    for purpose in [nil, Purpose.emailAttachment, .meetingTranscript] {
      let file = NewFile(filename: name, mimeType: "a/b", sizeBytes: 1, purpose: purpose)
      #expect(policy.sessionFilename(for: file, at: moment) == name)
      #expect(!policy.refusesOverwrite(purpose))
    }
  }
}
