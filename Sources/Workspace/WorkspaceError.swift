import Glibc

/// Why the file system did not do what was asked.
///
/// `message` is for people: what is wrong, with which path, and what to do about it.
package struct WorkspaceError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kind of failure, for programs.
  package enum Code: String, Sendable, CaseIterable {
    /// There is nothing of that name.
    case notFound
    /// It was there when its directory was listed, and was gone when it was looked at.
    case vanished
    /// There is something already, and nothing is overwritten.
    case exists
    /// The system does not allow it to this user, or the file system is read-only.
    case permission
    /// The path, or a link on its way, leads out of the project.
    case outside
    /// The place belongs to Moontide itself.
    case protected
    /// Not a regular file: a directory, a link, a pipe, a socket or a device.
    case notRegular
    /// Not a directory.
    case notDirectory
    /// More than 40 links on the way, or links in a circle.
    case tooManyLinks
    /// A name that no file can have, or that is not UTF-8.
    case invalidName
    /// More bytes than the caller wanted to have.
    case tooLarge
    /// The file or the way to it changed meanwhile.
    case changed
    /// The disk, or the user's share of it, is full.
    case noSpace
    /// The process has as many files open as it may have.
    case tooManyOpenFiles
    /// libmagic could not be used.
    case typeDetection
    /// Anything else that the system reported.
    case io
  }

  package let code: Code
  /// The path as it was asked for, relative to the project where it lies below it.
  package let path: String
  package let message: String
  /// The system's error number, where there was one.
  package let systemError: Int32?

  package init(_ code: Code, path: String, _ message: String, systemError: Int32? = nil) {
    self.code = code
    self.path = path
    self.message = message
    self.systemError = systemError
  }

  package var description: String { message }
}

extension WorkspaceError {
  /// An error of the system: "cannot `action` `path`: reason", and what to do.
  init(_ error: SystemError, path: String, cannot action: String) {
    let (code, advice) = Self.classify(error.number)
    let sentence = "cannot \(action) \(quoted(path)): \(error.text)"
    self.init(
      code, path: path, advice.map { "\(sentence); \($0)" } ?? sentence, systemError: error.number)
  }

  static func protected(_ path: String) -> Self {
    Self(
      .protected, path: path,
      "\(quoted(path)) belongs to Moontide itself (the state directory \(quoted(Workspace.stateName))): "
        + "it is neither read nor written from here; use another place")
  }

  static func outside(_ path: String) -> Self {
    Self(
      .outside, path: path,
      "\(quoted(path)) is outside of the project; use a path below the project directory")
  }

  static func outside(_ path: String, link: String, target: String) -> Self {
    Self(
      .outside, path: path,
      "\(quoted(path)) is outside of the project: the link \(quoted(link)) leads to \(quoted(target)); "
        + "put the file itself below the project directory")
  }

  static func notRegular(_ path: String, _ kind: FileKind, cannot action: String) -> Self {
    Self(
      .notRegular, path: path,
      "cannot \(action) \(quoted(path)): it is \(kind.phrase); name a regular file")
  }

  static func notDirectory(_ path: String, _ kind: FileKind, cannot action: String) -> Self {
    Self(
      .notDirectory, path: path,
      "cannot \(action) \(quoted(path)): it is \(kind.phrase); name a directory")
  }

  static func exists(_ path: String, cannot action: String) -> Self {
    Self(
      .exists, path: path,
      "cannot \(action) \(quoted(path)): there is one already, and nothing is overwritten; "
        + "choose another name or remove it first",
      systemError: EEXIST)
  }

  static func changed(_ path: String, cannot action: String) -> Self {
    Self(
      .changed, path: path, "cannot \(action) \(quoted(path)): it changed meanwhile; try again")
  }

  private static func classify(_ number: Int32) -> (Code, advice: String?) {
    switch number {
    case ENOENT: (.notFound, "check the path")
    case EEXIST, ENOTEMPTY: (.exists, "choose another name or remove it first")
    case EACCES, EPERM: (.permission, "give the user that runs Moontide the right to do this")
    case EROFS: (.permission, "mount the file system for writing")
    case ENOTDIR: (.notDirectory, "a part of the path is not a directory")
    case EISDIR: (.notRegular, "name a regular file")
    case ELOOP: (.tooManyLinks, "look for links that lead in a circle")
    case ENAMETOOLONG: (.invalidName, "use a shorter name (255 bytes at most)")
    case ENOSPC, EDQUOT: (.noSpace, "free some space")
    case EMFILE, ENFILE: (.tooManyOpenFiles, "raise the limit (ulimit -n) or do less at once")
    default: (.io, nil)
    }
  }
}

/// The path as it is printed: in quotes, with control characters escaped.
func quoted(_ path: String) -> String {
  var text = "\""
  for scalar in path.unicodeScalars {
    let isControl = scalar.properties.generalCategory == .control
    text += isControl || scalar == "\"" || scalar == "\\" ? scalar.escaped(asASCII: false) : String(scalar)
  }
  return text + "\""
}

/// Bytes as text; what is not UTF-8 becomes `\xNN`, so that different names stay different.
func repaired(_ bytes: some Sequence<UInt8>) -> String {
  let bytes = Array(bytes)
  if let text = String(validating: bytes, as: UTF8.self) { return text }
  return bytes.reduce(into: "") { text, byte in
    if byte < 0x80 {
      text.unicodeScalars.append(Unicode.Scalar(byte))
    } else {
      text += "\\x" + String(byte, radix: 16)
    }
  }
}
