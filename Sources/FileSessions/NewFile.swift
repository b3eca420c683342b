/// What a session is opened with: the body of `POST /v1/files`.
package struct NewFile: Hashable, Sendable, Codable {
  /// The wished-for name, 1…255 Unicode scalars. The session's own name may differ: use that one.
  package var filename: String
  /// The MIME type, such as `text/markdown`.
  package var mimeType: String
  /// The length in bytes, 1…536 870 912.
  package var sizeBytes: Int64
  /// What the file is for, or nil.
  package var purpose: Purpose?

  package init(filename: String, mimeType: String, sizeBytes: Int64, purpose: Purpose? = nil) {
    self.filename = filename
    self.mimeType = mimeType
    self.sizeBytes = sizeBytes
    self.purpose = purpose
  }
}

extension NewFile {
  /// Reads the body of `POST /v1/files`; what does not fit is a 400 that names its place.
  package init(_ body: JSONObjectReader) throws(ServiceError) {
    try body.allow("filename", "mimeType", "sizeBytes", "purpose")
    self.init(
      filename: try body.string("filename"), mimeType: try body.string("mimeType"),
      sizeBytes: try body.integer("sizeBytes"),
      purpose: try body.stringIfPresent("purpose").map(Purpose.init(rawValue:)))
  }
}
