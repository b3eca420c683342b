/// What a service accepts: the general limits, and for each purpose its own.
///
/// Published are only the general limits and `email_attachment`'s 20 MiB. The rest of ``standard`` are this
/// project's defaults for the local service, kept in one table that an operator can replace. A client never
/// refuses on an unpublished limit: it lets the service answer.
package struct FilePolicy: Hashable, Sendable, Codable {
  /// What one purpose asks for beyond the general limits.
  package struct Rule: Hashable, Sendable, Codable {
    /// The largest file in bytes, or nil for the general limit.
    package var maximumBytes: Int64?
    /// The MIME types taken, or nil for all.
    package var mimeTypes: [String]?
    /// Only an organisation's admins may use it.
    package var adminOnly: Bool
    /// The caller must be a user, not a workspace key.
    package var userOnly: Bool
    /// The session's filename gets an epoch-millisecond suffix, so that nothing is ever overwritten.
    package var suffixed: Bool

    package init(
      maximumBytes: Int64? = nil, mimeTypes: [String]? = nil, adminOnly: Bool = false, userOnly: Bool = false,
      suffixed: Bool = false
    ) {
      self.maximumBytes = maximumBytes
      self.mimeTypes = mimeTypes
      self.adminOnly = adminOnly
      self.userOnly = userOnly
      self.suffixed = suffixed
    }
  }

  /// The longest filename, in Unicode scalars.
  package var maximumFilenameLength: Int
  /// The largest file, in bytes.
  package var maximumBytes: Int64
  /// How long a session stays open, in seconds.
  package var sessionLifetime: Int
  /// The purposes taken, by name.
  package var purposes: [String: Rule]

  package init(
    maximumFilenameLength: Int, maximumBytes: Int64, sessionLifetime: Int, purposes: [String: Rule]
  ) {
    self.maximumFilenameLength = maximumFilenameLength
    self.maximumBytes = maximumBytes
    self.sessionLifetime = sessionLifetime
    self.purposes = purposes
  }

  /// The published limits, and this project's defaults where none is published.
  package static let standard = FilePolicy(
    maximumFilenameLength: 255,
    maximumBytes: 536_870_912,
    sessionLifetime: 3600,
    purposes: [
      Purpose.meetingTranscript.rawValue: Rule(
        maximumBytes: 20 * 1024 * 1024,
        mimeTypes: [
          "text/vtt", "text/plain", "text/markdown", "application/x-subrip", "application/json",
          "application/pdf", "application/msword",
          "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ]),
      Purpose.knowledgeUser.rawValue: Rule(userOnly: true, suffixed: true),
      Purpose.knowledgeWorkspace.rawValue: Rule(adminOnly: true, suffixed: true),
      Purpose.emailAttachment.rawValue: Rule(maximumBytes: 20 * 1024 * 1024),
    ])
}

/// Who calls, as far as a policy asks.
package struct CallerStanding: Hashable, Sendable {
  package var isAdmin: Bool
  package var isUser: Bool

  package init(isAdmin: Bool, isUser: Bool) {
    self.isAdmin = isAdmin
    self.isUser = isUser
  }
}

extension FilePolicy {
  /// Checks what a session is to be opened with; the error names the parameter and the limit.
  package func check(_ file: NewFile, by caller: CallerStanding) throws(ServiceError) {
    try checkGeneralLimits(of: file)
    guard let purpose = file.purpose else { return }
    guard let rule = purposes[purpose.rawValue] else {
      let known = purposes.keys.sorted().joined(separator: ", ")
      throw .invalid(
        "purpose", code: .invalidValue, "The purpose \"\(purpose)\" is not one of \(known).")
    }
    if let mimeTypes = rule.mimeTypes, !mimeTypes.contains(file.mimeType) {
      throw .invalid(
        "mimeType", code: .invalidValue,
        "A file of type \(file.mimeType) cannot be a \(purpose); that takes \(mimeTypes.joined(separator: ", "))."
      )
    }
    if let maximum = rule.maximumBytes, file.sizeBytes > maximum {
      throw .invalid(
        "sizeBytes", code: .invalidValue,
        "The file has \(file.sizeBytes) bytes; a \(purpose) may have \(maximum) at the most.")
    }
    if rule.userOnly && !caller.isUser {
      throw ServiceError(.forbidden, "The purpose \(purpose) takes a user's key, not a workspace's.")
    }
    if rule.adminOnly && !caller.isAdmin {
      throw ServiceError(.forbidden, "The purpose \(purpose) takes an admin of the organisation.")
    }
  }

  /// Checks what the API publishes for every file: the length of the name, a MIME type, the size.
  package func checkGeneralLimits(of file: NewFile) throws(ServiceError) {
    let length = file.filename.unicodeScalars.count
    guard (1...maximumFilenameLength).contains(length) else {
      throw .invalid(
        "filename", code: .invalidValue,
        "The filename has \(length) characters; it may have 1 to \(maximumFilenameLength).")
    }
    guard !file.mimeType.isEmpty else {
      throw .invalid("mimeType", code: .invalidValue, "The MIME type is empty.")
    }
    guard file.sizeBytes >= 1 else {
      throw .invalid(
        "sizeBytes", code: .invalidValue, "The file has \(file.sizeBytes) bytes; it must have at least 1.")
    }
    guard file.sizeBytes <= maximumBytes else {
      throw .invalid(
        "sizeBytes", code: .invalidValue,
        "The file has \(file.sizeBytes) bytes; it may have \(maximumBytes) at the most.")
    }
  }

  /// The filename that a session gets: knowledge uploads carry the moment before their last extension, so
  /// `playbook.md` becomes `playbook_1713045600000.md`.
  package func sessionFilename(for file: NewFile, at moment: Timestamp) -> String {
    sessionFilename(for: file, suffix: "_\(moment.milliseconds)")
  }

  /// The same with another text in the place of the moment.
  func sessionFilename(for file: NewFile, suffix: String) -> String {
    guard let purpose = file.purpose, purposes[purpose.rawValue]?.suffixed == true else {
      return file.filename
    }
    guard let dot = file.filename.lastIndex(of: "."), dot > file.filename.startIndex else {
      return file.filename + suffix
    }
    return file.filename[..<dot] + suffix + file.filename[dot...]
  }

  /// Whether the sessions of this purpose refuse bytes where there are some already (`if-none-match: *`).
  package func refusesOverwrite(_ purpose: Purpose?) -> Bool {
    purpose.flatMap { purposes[$0.rawValue] }?.suffixed ?? false
  }
}
