import Dispatch
import Glibc
import Synchronization

/// Keeps a ``ProgressBoard``, and shows it at the lower end of a terminal while other lines pass above.
///
/// Between two frames the cursor rests at the beginning of the first line that is drawn, and a terminal keeps it
/// there when its size changes and it wraps lines anew. So everything from the cursor on is ours, in whatever shape,
/// and is drawn over. Whoever writes there next, after a `kill -9` say, finds an ordinary cursor in an ordinary place.
final class ProgressScreen: Sendable {
  private struct State {
    var board: ProgressBoard
    /// What stands there now.
    var drawn: [String] = []
    var size = TerminalSize(columns: 0, rows: 0)
    /// Whether something has changed since it was drawn.
    var isStale = false
    var isTicking = false
  }

  /// Ten frames a second at the most.
  private static let interval = DispatchTimeInterval.milliseconds(100)
  private static let queue = DispatchQueue(label: "moontide.progress")

  private let stream: StandardStream?
  private let look: TerminalLook
  private let state: Mutex<State>
  // Not marked Sendable; made here, and afterwards only kept alive.
  private nonisolated(unsafe) var resizes: (any DispatchSourceSignal)?

  /// - Parameters:
  ///   - stream: where it is drawn; nil: it is only counted.
  ///   - look: what the terminal can show.
  init(on stream: StandardStream?, _ look: TerminalLook = .plain, expecting expected: Int? = nil) {
    self.stream = stream
    self.look = look
    state = Mutex(State(board: ProgressBoard(expecting: expected)))
    guard stream != nil else { return }
    // Its usual effect is none, so that it need not be ignored first.
    let resizes = DispatchSource.makeSignalSource(signal: SIGWINCH, queue: Self.queue)
    resizes.setEventHandler { [weak self] in
      self?.state.withLock { state in if !state.drawn.isEmpty { self?.draw(&state) } }
    }
    resizes.resume()
    self.resizes = resizes
  }

  /// How far everything is.
  var board: ProgressBoard { state.withLock { $0.board } }

  /// Notes what happened; it is drawn soon after. Called from any thread.
  func update(_ change: (inout ProgressBoard) -> Void) {
    state.withLock { state in
      change(&state.board)
      state.isStale = true
      guard stream != nil, !state.isTicking else { return }
      state.isTicking = true
      tickLater()
    }
  }

  /// Writes lines, with their ends, above what is drawn.
  func write(_ text: String, to target: StandardStream) {
    state.withLock { state in
      guard let stream, !state.drawn.isEmpty, target.isTerminal else { return target.write(text) }
      if target == stream {
        stream.write(Self.together(Self.erasure + text + frame(of: state.drawn)))
      } else {
        stream.write(Self.erasure)
        target.write(text)
        stream.write(Self.together(frame(of: state.drawn)))
      }
    }
  }

  /// Takes away what is drawn, until something happens again.
  func clear() {
    state.withLock { state in
      state.isStale = false
      if state.drawn.isEmpty { return }
      state.drawn = []
      stream?.write(Self.erasure)
    }
  }

  // MARK: - Drawing

  private func tickLater() {
    Self.queue.asyncAfter(deadline: .now() + Self.interval) { [weak self] in self?.tick() }
  }

  private func tick() {
    state.withLock { state in
      let isBusy = !state.board.transfers.isEmpty
      // A transfer that stands still has a rate that falls.
      if state.isStale || isBusy && !state.drawn.isEmpty { draw(&state) }
      state.isTicking = isBusy
      if isBusy { tickLater() }
    }
  }

  private func draw(_ state: inout State) {
    guard let stream else { return }
    state.isStale = false
    let size = TerminalSize.of(stream)
    let lines = state.board.lines(on: size, look, now: .now)
    if lines == state.drawn, size == state.size { return }
    let isResized = size != state.size
    (state.drawn, state.size) = (lines, size)
    // Drawn over rather than erased first, so that nothing flickers where a terminal cannot draw at once. But lines
    // that a terminal has wrapped anew would stay joined in its eyes.
    stream.write(Self.together((isResized ? Self.erasure : "\r") + frame(of: lines)))
  }

  /// The lines, with the cursor back at the beginning of the first; what stood below is gone. None of them wraps:
  /// a character may be wider than was thought.
  private func frame(of lines: [String]) -> String {
    let up = lines.count > 1 ? "\u{1B}[\(lines.count - 1)A" : ""
    return "\u{1B}[?7l" + lines.joined(separator: "\u{1B}[K\n") + "\u{1B}[J\r" + up + "\u{1B}[?7h"
  }

  private static let erasure = "\r\u{1B}[J"

  /// What a terminal is to show at once; those that do not know how take no notice.
  private static func together(_ text: String) -> String { "\u{1B}[?2026h\(text)\u{1B}[?2026l" }
}
