import Foundation
import NIOHTTP1
import Synchronization

/// A file of JSON lines, one for each exchange, that `Tests/SDKTests/check_messages.py` holds against the
/// published description of the API.
///
/// There is one where `MOONTIDE_MESSAGES` names a directory.
package final class MessageLog: Sendable {
  private struct Line: Encodable {
    var method: String
    var target: String
    var version: String?
    var request: String
    var status: UInt
    var contentType: String?
    var response: String
  }

  private let file: Mutex<FileHandle>

  /// A new file of its own in the directory that `MOONTIDE_MESSAGES` names; nil when it names none.
  package static func ifWanted() throws -> MessageLog? {
    guard let directory = ProcessInfo.processInfo.environment["MOONTIDE_MESSAGES"] else { return nil }
    let path = "\(directory)/\(UUID().uuidString).jsonl"
    try Data().write(to: URL(filePath: path))
    return MessageLog(try FileHandle(forWritingTo: URL(filePath: path)))
  }

  private init(_ file: FileHandle) {
    self.file = Mutex(file)
  }

  /// Writes an exchange down, unless it is one of bytes and not of the API.
  package func write(_ exchange: Exchange) {
    guard exchange.request.uri.hasPrefix("/v1/") else { return }
    let line = Line(
      method: exchange.request.method.rawValue, target: exchange.request.uri,
      version: exchange.request.headers.first(name: "lightfield-version"),
      request: String(buffer: exchange.requestBody), status: exchange.response.status.code,
      contentType: exchange.response.headers.first(name: "content-type"),
      response: String(buffer: exchange.responseBody))
    guard let data = try? JSONEncoder().encode(line) else { return }
    file.withLock { try? $0.write(contentsOf: data + Data("\n".utf8)) }
  }
}
