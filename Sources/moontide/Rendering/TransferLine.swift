import Glibc
import Synchronization

/// The progress of files that are sent by hand, as one line on a terminal that is redrawn.
final class TransferLine: Sendable {
  private struct State {
    var ended = 0
    /// Bytes of files that have ended.
    var bytes: Int64 = 0
    var underWay: [String: (bytes: Int64, of: Int64)] = [:]
    var isDrawn = false
    var lastDrawn: ContinuousClock.Instant?
  }

  private let total: Int
  private let isShown: Bool
  private let began = ContinuousClock.now
  private let state = Mutex(State())

  /// - Parameters:
  ///   - total: how many files there are.
  ///   - isShown: whether there is somebody to see it.
  init(of total: Int, isShown: Bool) {
    self.total = total
    self.isShown = isShown
  }

  /// So many bytes of a file have been read for sending. Called from any thread.
  func progress(_ path: String, _ bytes: Int64, of length: Int64) {
    guard isShown else { return }
    state.withLock { state in
      state.underWay[path] = (bytes, length)
      let now = ContinuousClock.now
      if let last = state.lastDrawn, now - last < .milliseconds(100) { return }
      state.lastDrawn = now
      state.isDrawn = true
      StandardStream.error.write("\r\u{1B}[K" + line(state, now))
    }
  }

  /// A file has come to its end.
  func end(_ path: String) {
    state.withLock { state in
      state.ended += 1
      state.bytes += state.underWay.removeValue(forKey: path)?.bytes ?? 0
    }
  }

  /// Erases the line for what `body` prints.
  func aside(_ body: () -> Void) {
    state.withLock { state in
      if state.isDrawn { StandardStream.error.write("\r\u{1B}[K") }
      state.isDrawn = false
      body()
    }
  }

  private func line(_ state: State, _ now: ContinuousClock.Instant) -> String {
    let bytes = state.underWay.values.reduce(state.bytes) { $0 + $1.bytes }
    let seconds = max((now - began).inSeconds, 0.001)
    var line = "\(state.ended)/\(total) files, \(Format.bytes(bytes))"
    line += ", \(Format.bytes(Int64(Double(bytes) / seconds)))/s"
    // The largest of those under way is the one that a person waits for.
    if let (path, part) = state.underWay.max(by: { $0.value.of < $1.value.of }), part.of > 0 {
      line += "  \(path.printable) \(part.bytes * 100 / part.of) %"
    }
    return String(line.prefix(Self.width - 1))
  }

  private static var width: Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 1 else { return 80 }
    return Int(size.ws_col)
  }
}
