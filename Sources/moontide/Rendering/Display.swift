import FileSessions
import Ingestion
import LuaLibrary
import Synchronization
import Workspace

/// Shows a run: as JSON lines, as a line for each event, or with progress on a terminal.
final class Display: Sendable {
  enum Style: Sendable {
    case json
    case lines
    case terminal
    /// Only what went wrong.
    case quiet
  }

  /// How much is told.
  enum Detail: Int, Sendable {
    /// What became of each file.
    case outcomes
    /// Each step of a file too, and what handlers log for debugging.
    case steps
    /// And each call of the service.
    case calls
  }

  fileprivate struct State {
    var profile = ""
    /// What went wrong with each recipe; and what is begun with, where nothing has yet.
    var failures: [String: FailureRollup] = [:]
    let none: FailureRollup
    /// Recipes whose discovery has not come to its end.
    var searching: Set<String> = []
    /// What keeps recipes from beginning anything.
    var holds: [String: String] = [:]
  }

  private let style: Style
  private let detail: Detail
  private let access: RemoteAccess?
  /// Whether lines name their recipe.
  private let hasSeveral: Bool
  private let look: TerminalLook
  private let screen: ProgressScreen
  private let state: Mutex<State>
  private let listeners = Mutex<[@Sendable (RunEvent, String) -> Void]>([])

  /// - Parameters:
  ///   - access: what the run sends to; nil for the embedded service.
  ///   - hasSeveral: whether events of several recipes are shown.
  ///   - projectFlags: what names the project in another command.
  init(
    style: Style, detail: Detail = .outcomes, access: RemoteAccess?, hasSeveral: Bool = false,
    projectFlags: String = ""
  ) {
    self.style = style
    self.detail = detail
    self.hasSeveral = hasSeveral
    self.access = access
    look = StandardStream.output.isScreen ? TerminalLook(LaunchEnvironment.variables) : .plain
    screen = ProgressScreen(on: style == .terminal ? .output : nil, look)
    let command = CommandLine.arguments.dropFirst().map(\.shellWord).joined(separator: " ")
    state = Mutex(State(none: FailureRollup(command: command, projectFlags: projectFlags)))
  }

  /// The style for this standard output and these flags.
  static func style(json: Bool, quiet: Bool) -> Style {
    if json { return .json }
    if quiet { return .quiet }
    return StandardStream.output.isScreen ? .terminal : .lines
  }

  /// How far everything is.
  var progress: ProgressBoard { screen.board }

  /// What keeps files from being begun; nil where nothing does that the engines have told of.
  var hold: String? {
    let holds = state.withLock { $0.holds }.sorted { $0.key < $1.key }
    if holds.isEmpty { return nil }
    return holds.map { hasSeveral ? "\($0.key.printable): \($0.value)" : $0.value }.joined(separator: "; ")
  }

  // MARK: - What happens

  /// Has `listener` told of every event too, on any thread.
  func tell(_ listener: @escaping @Sendable (_ event: RunEvent, _ recipe: String) -> Void) {
    listeners.withLock { $0.append(listener) }
  }

  /// Shows an event of a recipe. Called from any thread.
  func show(_ event: RunEvent, of recipe: String) {
    for listener in listeners.withLock({ $0 }) { listener(event, recipe) }
    switch event {
    case .alive: return
    case .heldUp:
      // Another event tells it; this one is for those who ask how it stands.
      _ = state.withLock { $0.take(event, of: recipe) }
      return
    default: break
    }
    let (rollup, isEndKnown) = state.withLock { $0.take(event, of: recipe) }
    screen.count(event, of: recipe, isEndKnown: isEndKnown)
    if style == .terminal, EventText.isPause(event) { screen.clear() }
    if let rollup { show(rollup) }
    switch style {
    case .json:
      if let object = EventJSON(event, of: recipe, at: access) { emit(object.line) }
    case .quiet:
      if EventText.level(of: event).rawValue <= Level.warning.rawValue { showLine(of: event, recipe) }
    case .lines:
      showLine(of: event, recipe)
    case .terminal:
      // The routine goes into what is drawn, and what a person has to see stands above it.
      let isSeen = EventText.isPause(event) || EventText.level(of: event).rawValue <= Level.warning.rawValue
      if isSeen || detail != .outcomes { showLine(of: event, recipe) }
    }
  }

  /// Shows what a call of the service came to, where that is wanted.
  func show(_ call: CallRecord) {
    guard detail == .calls else { return }
    if style == .json { emit(EventJSON(call).line) } else { emit(EventText.line(for: call), .debug) }
  }

  /// Shows a line of ours beside the events.
  func note(_ line: String) { note(line, .notice) }

  /// The same for what somebody has to see to.
  func complain(_ line: String) { note(line, .error) }

  /// Shows a line that a script logged.
  func show(_ line: LogLine) {
    if line.level == .debug, detail == .outcomes { return }
    if style == .quiet, line.level == .info || line.level == .debug { return }
    let level = line.level == .info ? "" : "\(line.level.rawValue): "
    note("\(line.script): \(level)\(line.text)", Level(line.level))
  }

  private func note(_ line: String, _ level: Level) {
    screen.write(LineFormat.of(.error).text(line.printableLines, level) + "\n", to: .error)
  }

  /// Shows a first or last line that belongs to no event; JSON has none.
  func headline(_ line: String) {
    guard style == .lines || style == .terminal else { return }
    emit(line, .notice)
  }

  /// Shows what several recipes amounted to together.
  func total(_ summary: RunSummary) {
    screen.clear()
    switch style {
    case .json: emit(EventJSON(total: summary).line)
    case .lines, .terminal: emit(summary.text(recipe: "total"), .notice)
    case .quiet: break
    }
  }

  /// Takes away what is drawn, before the process ends in the middle.
  func clear() { screen.clear() }

  // MARK: - Lines

  private func showLine(of event: RunEvent, _ recipe: String) {
    switch event {
    case .caughtUp(let summary), .ended(let summary):
      emit(summary.text(recipe: recipe), EventText.level(of: event))
    default:
      guard var line = EventText.line(for: event, detail) else { return }
      if style == .terminal { line = EventText.painted(line, event, look) }
      emit(hasSeveral ? "\(recipe.printable): \(line)" : line, EventText.level(of: event))
    }
  }

  private func show(_ rollup: FailureRollup) {
    if style == .json {
      for group in rollup.groups where group.count > 0 { emit(EventJSON(group).line) }
    } else if let text = rollup.text {
      emit(text, .warning)
    }
  }

  private func emit(_ line: String, _ level: Level? = nil) {
    let text = level.map { LineFormat.of(.output).text(line, $0) } ?? line
    screen.write(text + "\n", to: .output)
  }
}

extension Display.State {
  /// Notes what an event tells; gives what went wrong since the last time, where a summary follows, and whether
  /// all that is to be sent is known.
  fileprivate mutating func take(
    _ event: RunEvent, of recipe: String
  ) -> (failures: FailureRollup?, isEndKnown: Bool) {
    var rollup: FailureRollup?
    heed(event, of: recipe)
    switch event {
    case .began(_, let profile):
      self.profile = profile
      searching.insert(recipe)
    case .foundAll:
      searching.remove(recipe)
    case .failed(let path, let failure, _):
      failures[recipe, default: none].add(failure, path: path, recipe: recipe, profile: profile)
    case .deferred(let path, _, _), .sent(let path, _), .skipped(let path, _), .touched(let path),
      .comesBack(let path, _, _):
      failures[recipe]?.remove(path: path.string)
    case .finished(let path, _):
      // Of a file that was given up it says only where that one went.
      failures[recipe]?.removeStep(path: path.string)
    case .stepFailed(let path, let message, _):
      failures[recipe, default: none].addStep(message, path: path, recipe: recipe)
    case .caughtUp(let summary), .ended(let summary):
      rollup = failures.removeValue(forKey: recipe)
      if summary.stepsFailed == 0 { rollup?.forgetSteps() }
    default:
      break
    }
    return (rollup, searching.isEmpty)
  }

  /// Notes what keeps a recipe from beginning anything, until it does.
  private mutating func heed(_ event: RunEvent, of recipe: String) {
    switch event {
    case .heldUp(let why, let until):
      holds[recipe] = "\(why.printable), asked again at \(Format.timeOfDay(until))"
    case .began, .opened, .progress, .sent, .caughtUp, .ended:
      if !holds.isEmpty { holds[recipe] = nil }
    default:
      break
    }
  }
}

extension Level {
  fileprivate init(_ level: LogLine.Level) {
    self =
      switch level {
      case .debug: .debug
      case .info: .info
      case .warn: .warning
      case .error: .error
      }
  }
}

extension ProgressScreen {
  /// Counts what an event tells.
  fileprivate func count(_ event: RunEvent, of recipe: String, isEndKnown: Bool) {
    let now = ContinuousClock.now
    // Several recipes may take the same file.
    func id(_ path: ProjectPath) -> String { "\(recipe)\n\(path)" }
    switch event {
    case .decided(let path, let request):
      update { $0.enqueue(id(path), bytes: request.sizeBytes) }
    case .foundAll:
      update { $0.isEndKnown = isEndKnown }
    case .opened(let path, let session):
      update { $0.begin(id(path), name: path.string.printable, of: session.sizeBytes, at: now) }
    case .progress(let path, let bytes, let total):
      update { $0.advance(id(path), name: path.string.printable, to: bytes, of: total, at: now) }
    case .sent(let path, let session):
      update { $0.finish(id(path), bytes: session.sizeBytes) }
    case .failed(let path, _, _):
      update { $0.fail(id(path)) }
    case .skipped(let path, _), .deferred(let path, _, _), .touched(let path), .comesBack(let path, _, _):
      update { $0.settle(id(path)) }
    case .left(let path), .cancelled(let path, _):
      update { $0.end(id(path)) }
    case .began, .alive, .heldUp, .resuming, .problem, .waiting, .finished, .stepFailed, .noted, .retrying,
      .answered, .watching, .caughtUp, .ended:
      break
    }
  }
}
