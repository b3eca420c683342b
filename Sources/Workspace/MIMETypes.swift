/// What type a file is: by its extension, else by its content (libmagic), else just bytes.
///
/// Safe to share between threads; looking at content is one at a time, since a libmagic handle is for
/// one thread. The first look loads libmagic's database (8 MB, some milliseconds); a table hit never does.
package final class MIMETypes: Sendable {
  /// The type of what nothing is known about (RFC 2046: "arbitrary binary data").
  package static let unknown = "application/octet-stream"
  /// As much of a file as is looked at: 256 KiB.
  package static let examinedBytes = 256 * 1024

  private let detector: ContentTypeDetector

  /// `database` names other libmagic databases than the system's, separated by colons.
  package init(database: String? = nil) {
    detector = ContentTypeDetector(database: database)
  }

  /// The type that the extension stands for, whatever its case; nil when it is not in the table.
  ///
  /// Takes a name or a path: `Report.DOCX`, `notes/a.md`.
  package static func type(ofName name: String) -> String? {
    guard let last = split(name).last else { return nil }
    return byExtension[ProjectPath.splitName(last).ext.dropFirst().lowercased()]
  }

  /// The type of these bytes, the beginning of a file; nil when libmagic has no answer.
  ///
  /// Of no bytes at all it is `unknown`. Throws `typeDetection` when libmagic cannot be used.
  package func detectedType(of content: some Sequence<UInt8>) throws(WorkspaceError) -> String? {
    try detector.type(of: ContiguousArray(content.prefix(Self.examinedBytes)))
  }

  /// The type of an open file's content, from its first 256 KiB.
  package func detectedType(of file: OpenFile) throws(WorkspaceError) -> String? {
    try detectedType(of: try file.read(count: Self.examinedBytes))
  }

  /// The table's type, else the content's, else `unknown`; content is opened only where the table fails.
  package func mimeType(
    name: String, content: @autoclosure () throws(WorkspaceError) -> OpenFile
  ) throws(WorkspaceError) -> String {
    if let type = Self.type(ofName: name) { return type }
    return try detectedType(of: content()) ?? Self.unknown
  }

  /// The same for content in memory.
  package func mimeType(name: String, content: some Sequence<UInt8>) throws(WorkspaceError) -> String {
    if let type = Self.type(ofName: name) { return type }
    return try detectedType(of: content) ?? Self.unknown
  }
}
