import Foundation
import Glibc

/// The streams of the process, written at once: a log that is followed, or that a crash cuts off, has every line.
enum StandardStream: Int32 {
  case output = 1
  case error = 2

  var isTerminal: Bool { isatty(rawValue) == 1 }

  /// Writes all of the text. What cannot be written, to a closed pipe say, is let go.
  func write(_ text: String) {
    try? write(bytes: Array(text.utf8))
  }

  /// Writes all of the bytes; throws when nobody takes them any more.
  func write(bytes: [UInt8]) throws(CommandFailure) {
    try Self.write(bytes, to: rawValue)
  }

  /// Writes all of the bytes to any descriptor.
  static func write(_ bytes: [UInt8], to descriptor: Int32) throws(CommandFailure) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      guard count >= 0 || errno == EINTR else {
        throw CommandFailure(.service, "The bytes cannot be written: \(systemMessage()).")
      }
      rest = rest.dropFirst(max(count, 0))
    }
  }
}

/// A line to standard output.
func say(_ line: String) {
  StandardStream.output.write(line + "\n")
}

/// A sentence for the person on standard error, behind the program's name, marked where the journal reads it.
func complain(_ sentence: String, _ level: Level = .error) {
  StandardStream.error.write(LineFormat.of(.error).text("moontide: \(sentence)", level) + "\n")
}

/// What the system says of the last call that failed.
func systemMessage() -> String {
  String(cString: strerror(errno))
}

/// What the system says of a file operation that failed.
func systemMessage(of error: any Error) -> String {
  let cause = (error as? CocoaError)?.userInfo[NSUnderlyingErrorKey] ?? error
  guard let cause = cause as? POSIXError else { return "\(error)" }
  return String(cString: strerror(cause.code.rawValue))
}
