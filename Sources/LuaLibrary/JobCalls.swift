import Digests
import FileSessions
import FoundationEssentials
import LuaHost
import Synchronization

/// The calls of one run of a handler that must not be made twice for its file.
///
/// Each is known by its label, or by its place among the calls of its kind that have none. From that and the job
/// its idempotency key derives, so that a repeated handler asks the service for the same thing again and not for
/// another one; and what it gave is recorded, so that once it is, the service is not even asked.
package final class JobCalls: Sendable {
  /// Those of the handler that the current task runs; nil where no handler of a file is running.
  @TaskLocal package static var current: JobCalls?

  /// Gives what is recorded under a label, or calls the function and records what that gives.
  package typealias Once =
    @Sendable (
      _ label: String, _ body: @escaping @Sendable () async throws -> [UInt8]
    ) async throws -> [UInt8]

  /// What labels in the record begin with; no script can use it.
  package static let prefix = "moontide:"

  private let job: [String]
  private let version: String
  private let once: Once
  private let counts = Mutex<[String: Int]>([:])
  private let reached = Mutex<UnknownPoint?>(nil)

  /// - Parameters:
  ///   - job: what names the job, the same in every run.
  ///   - version: which content of the file it is about.
  package init(job: [String], version: String, once: @escaping Once) {
    self.job = job
    self.version = version
    self.once = once
  }

  /// Where the handlers first reached for what a dry run cannot know; nil where they did not.
  package var unknown: UnknownPoint? { reached.withLock { $0 } }

  /// Notes that a handler reached for what a dry run cannot know, whatever it makes of the error.
  func reach(_ point: UnknownPoint) {
    reached.withLock { $0 = $0 ?? point }
  }

  /// Enters a call, in the order in which the script makes them.
  ///
  /// - Parameters:
  ///   - kind: which function it is, and what it is about where that tells calls apart.
  ///   - label: what the script calls it, if it does.
  func enter(_ kind: [String], label: String?) -> Call {
    let name = kind.joined(separator: " ")
    let place = label.map { "\"\($0)\"" } ?? "#\(count(name))"
    let digest = SHA256.hex((job + [version, name, place]).joined(separator: "\0"))
    return Call(label: "\(Self.prefix)\(version) \(name) \(place)", key: "moontide-" + digest, once: once)
  }

  private func count(_ name: String) -> Int {
    counts.withLock { counts in
      counts[name, default: 0] += 1
      return counts[name, default: 0]
    }
  }

  /// One call.
  struct Call: Sendable {
    /// What its result is recorded under.
    let label: String
    /// Its idempotency key.
    let key: String
    fileprivate let once: Once
  }
}

extension LibraryContext {
  /// Makes a call to the service; in a handler of a file at most once, as ``JobCalls`` tells.
  ///
  /// - Parameter body: is given the idempotency key.
  func calling<Answer: Codable & Sendable>(
    _ call: JobCalls.Call?, _ body: @escaping @Sendable (_ key: String) async throws(ServiceError) -> Answer
  ) async throws -> Answer {
    guard let call else { return try await body(newKey()) }
    let bytes = try await call.once(call.label) {
      [UInt8](try JSONEncoder().encode(try await body(call.key)))
    }
    return try JSONDecoder().decode(Answer.self, from: Data(bytes))
  }
}
