import FileSessions
import LuaHost
import Workspace

/// What the `moontide.*` modules of one script work with; everything that acts on the world comes in here.
package struct LibraryContext: Sendable {
  /// What the script is called in logs: `handbook.lua`.
  package var script: String
  package var workspace: Workspace
  package var types: MIMETypes
  /// The file API. Scripts do not retry by themselves: hand in a `RetryingService`.
  package let service: any LightfieldService
  /// Finds meetings of the service; the listing that it fetches is shared by all that the context is copied to.
  package let meetings: MeetingFinder
  /// What the script may do.
  package var permissions: Permissions
  /// What `moontide.args` holds.
  package var arguments: ScriptArguments
  /// The variables that `moontide.env` and child processes are given from.
  package var environment: ScriptEnvironment
  /// What `moontide.store` keeps; nil where scripts have none.
  package var store: (any ScriptStore)?
  /// What `moontide.http` goes through; nil where scripts cannot connect.
  package var web: (any WebTransport)?
  /// The time of day, for `moontide.time`.
  package let clock: WallClock
  /// Waits; throws when the task is cancelled.
  package var sleep: @Sendable (Duration) async throws -> Void
  /// Gives idempotency keys that were never given before.
  package var newKey: @Sendable () -> String
  /// Takes what the script logs. Called on the script's thread: it must not block for long.
  package var log: @Sendable (LogLine) -> Void
  /// Takes what the script prints, as it is and without the line break; nil: it is logged.
  package var output: (@Sendable (String) -> Void)?
  /// Is told of every file that the script wrote, moved or copied, so that it is not discovered again.
  package var recordWrite: @Sendable (ProjectPath) async throws -> Void
  /// Is told of every session that the script opened, so that none is left pending unseen.
  package var sessionOpened: @Sendable (FileSession) async throws -> Void
  /// What is different in a dry run; nil in a real one.
  package var planning: Planning?

  /// Is told how long each handler took; nil where nobody wants to know.
  package var observer: HandlerObserver?

  package init(
    script: String = "script", workspace: Workspace, types: MIMETypes, service: any LightfieldService,
    permissions: Permissions = .project, arguments: ScriptArguments = .named([:]),
    environment: ScriptEnvironment = ScriptEnvironment([:]), store: (any ScriptStore)? = nil,
    web: (any WebTransport)? = nil, clock: WallClock = .system,
    sleep: @escaping @Sendable (Duration) async throws -> Void,
    newKey: @escaping @Sendable () -> String,
    log: @escaping @Sendable (LogLine) -> Void = { _ in }, output: (@Sendable (String) -> Void)? = nil,
    recordWrite: @escaping @Sendable (ProjectPath) async throws -> Void = { _ in },
    sessionOpened: @escaping @Sendable (FileSession) async throws -> Void = { _ in }
  ) {
    self.script = script
    self.workspace = workspace
    self.types = types
    self.service = service
    meetings = MeetingFinder(service, clock: clock)
    self.permissions = permissions
    self.arguments = arguments
    self.environment = environment
    self.store = store
    self.web = web
    self.clock = clock
    self.sleep = sleep
    self.newKey = newKey
    self.log = log
    self.output = output
    self.recordWrite = recordWrite
    self.sessionOpened = sessionOpened
  }
}

/// What a script was started with.
package enum ScriptArguments: Hashable, Sendable {
  /// A recipe's `--arg name=value`.
  case named([String: String])
  /// A plain script's words, in order.
  case list([String])

  var value: LuaValue {
    switch self {
    case .named(let named): .fields(named.mapValues { .string($0) })
    case .list(let words): .list(words.map { .string($0) })
    }
  }
}

extension LibraryContext {
  /// The one place where a library function asks whether it may do what it was called for.
  ///
  /// - Parameter function: the function as scripts know it: `moontide.fs.read`.
  package func require(_ access: Access, by function: String) throws(PermissionError) {
    try permissions.check(access, by: function)
  }

  /// Logs lines in the script's name.
  package func log(_ level: LogLine.Level, _ text: String) {
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      log(LogLine(level: level, script: script, text: printable(line)))
    }
  }
}

/// A line as a terminal or a log may have it: control characters are escaped, tabs stay.
private func printable(_ line: Substring) -> String {
  line.split(separator: "\t", omittingEmptySubsequences: false).map { escapingControls(String($0)) }
    .joined(separator: "\t")
}

/// One line that a script logged or printed; safe to show.
package struct LogLine: Hashable, Sendable {
  package enum Level: String, CaseIterable, Sendable {
    case debug, info, warn, error
  }

  package var level: Level
  /// The script that wrote it: `handbook.lua`.
  package var script: String
  package var text: String

  package init(level: Level, script: String, text: String) {
    self.level = level
    self.script = script
    self.text = text
  }
}
