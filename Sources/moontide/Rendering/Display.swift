import Glibc
import Ingestion
import Synchronization

/// Shows a run: as JSON lines, as a line for each event, or with a progress line on a terminal.
final class Display: Sendable {
  enum Style: Sendable {
    case json
    case lines
    case terminal
    /// Only what went wrong.
    case quiet
  }

  private struct State {
    var recipe = ""
    var sent = 0
    var failed = 0
    var bytes: Int64 = 0
    /// Files being read for sending, with the part that is done.
    var underWay: [String: (bytes: Int64, of: Int64)] = [:]
    var isLineDrawn = false
    var lastDrawn = ContinuousClock.now - .seconds(1)
  }

  private let style: Style
  private let access: RemoteAccess?
  private let state = Mutex(State())

  /// - Parameter access: what the run sends to; nil for the embedded service.
  init(style: Style, access: RemoteAccess?) {
    self.style = style
    self.access = access
  }

  /// The style for this standard output and these flags.
  static func style(json: Bool, quiet: Bool) -> Style {
    if json { return .json }
    if quiet { return .quiet }
    return StandardStream.output.isTerminal ? .terminal : .lines
  }

  /// Shows an event. Called from any thread.
  func show(_ event: RunEvent) {
    state.withLock { state in
      if case .began(let recipe, _) = event { state.recipe = recipe }
      switch style {
      case .json:
        if let object = EventJSON(event, at: access) { emit(object.line) }
      case .quiet:
        if EventText.isTrouble(event), let line = EventText.line(for: event) { emit(line) }
      case .lines:
        if let line = text(event, state.recipe) { emit(line) }
      case .terminal:
        count(event, &state)
        draw(event, &state)
      }
    }
  }

  /// Shows a line of a script's own, or of ours, beside the events.
  func note(_ line: String) {
    state.withLock { state in
      erase(&state)
      StandardStream.error.write(line.printableLines + "\n")
    }
  }

  /// Shows a first or last line that belongs to no event; JSON has none.
  func headline(_ line: String) {
    guard style == .lines || style == .terminal else { return }
    state.withLock { _ in emit(line) }
  }

  private func text(_ event: RunEvent, _ recipe: String) -> String? {
    switch event {
    case .caughtUp(let summary), .ended(let summary): return summary.text(recipe: recipe)
    default: break
    }
    return EventText.line(for: event)
  }

  private func count(_ event: RunEvent, _ state: inout State) {
    switch event {
    case .progress(let path, let bytes, let total):
      state.underWay[path.string] = (bytes, total)
    case .sent(let path, let session):
      state.sent += 1
      state.bytes += session.sizeBytes
      state.underWay[path.string] = nil
    case .failed(let path, _, _):
      state.failed += 1
      state.underWay[path.string] = nil
    case .comesBack(let path, _, _):
      state.underWay[path.string] = nil
    case .began, .resuming, .problem, .skipped, .deferred, .waiting, .opened, .touched, .finished,
      .stepFailed, .answered, .watching, .caughtUp, .ended:
      break
    }
  }

  /// On a terminal the routine goes into one progress line, and what a person has to see stands above it.
  private func draw(_ event: RunEvent, _ state: inout State) {
    switch event {
    case .caughtUp, .ended, .watching:
      erase(&state)
      if let line = text(event, state.recipe) { emit(line) }
      return
    default: break
    }
    if EventText.isTrouble(event), let line = EventText.line(for: event) {
      erase(&state)
      emit(line)
    }
    let now = ContinuousClock.now
    guard now - state.lastDrawn >= .milliseconds(100) else { return }
    state.lastDrawn = now
    state.isLineDrawn = true
    StandardStream.output.write("\r\u{1B}[K" + progressLine(state))
  }

  private func progressLine(_ state: State) -> String {
    var line = "\(state.recipe): \(state.sent) sent, \(Format.bytes(state.bytes))"
    if state.failed > 0 { line += ", \(state.failed) failed" }
    // The largest of those under way is the one that a person waits for.
    if let (path, part) = state.underWay.max(by: { $0.value.of < $1.value.of }), part.of > 0 {
      line += "  \(path.printable) \(part.bytes * 100 / part.of) %"
    }
    return String(line.prefix(Self.terminalWidth - 1))
  }

  private static var terminalWidth: Int {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 1 else { return 80 }
    return Int(size.ws_col)
  }

  private func erase(_ state: inout State) {
    if state.isLineDrawn { StandardStream.output.write("\r\u{1B}[K") }
    state.isLineDrawn = false
  }

  private func emit(_ line: String) {
    say(line)
  }
}
