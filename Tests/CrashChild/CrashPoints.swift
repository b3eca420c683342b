import Glibc
import Synchronization

/// The instants of a run that have a name, at one of which the process ends as in a power cut.
///
/// An instant is named by what stands before or after it, and by how often that has come: `before complete#2`; or, if
/// it does not matter what that is, by how many have come: `any#17`.
final class CrashPoints: Sendable {
  /// Where the process ends.
  private let end: String?
  /// The file that is told of each instant; -1: none.
  private let record: Int32
  private let counts = Mutex<[String: Int]>([:])

  /// - Parameters:
  ///   - end: the instant at which the process ends; nil: it is not ended.
  ///   - record: a file to which the names of the instants are added, one a line.
  init(endingAt end: String?, recordingIn record: String?) {
    self.end = end
    self.record = record.map { open($0, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600) } ?? -1
  }

  /// An instant is here.
  func pass(_ name: String) {
    let (count, number) = counts.withLock { counts in
      counts[name, default: 0] += 1
      counts["any", default: 0] += 1
      return (counts[name] ?? 0, counts["any"] ?? 0)
    }
    let point = "\(name)#\(count)"
    if record >= 0 { append(point + "\n", to: record) }
    // Nothing is flushed, closed or told to anybody.
    if point == end || end == "any#\(number)" { _exit(137) }
  }

  /// Does something with an instant before and one after it.
  func around<Value, Failure: Error>(
    _ name: String, _ body: () async throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    pass("before \(name)")
    let value = try await body()
    pass("after \(name)")
    return value
  }
}

/// Adds a text to a file in one piece.
func append(_ text: String, to descriptor: Int32) {
  let bytes = Array(text.utf8)
  _ = write(descriptor, bytes, bytes.count)
}
