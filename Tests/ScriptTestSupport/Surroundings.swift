import FileSessions
import LuaLibrary
import Workspace

/// What a script under test works with: a project, a service in memory, and a record of what it did.
package struct Surroundings: Sendable {
  package let project: Project
  package let service = FakeService()
  package let logged = Recorded<LogLine>()
  /// The files that the script wrote.
  package let written = Recorded<ProjectPath>()
  /// The sessions that the script opened.
  package let opened = Recorded<FileSession>()
  private let keys = Recorded<Void>()
  private static let types = MIMETypes()

  package init() throws {
    project = try Project()
  }

  /// The lines that were logged: `info: text`.
  package var log: [String] { logged.items.map { "\($0.level): \($0.text)" } }

  /// A context for one script.
  package func context(
    _ arguments: ScriptArguments = .named([:]), permissions: Permissions = .project,
    sleep: @escaping @Sendable (Duration) async throws -> Void = { _ in await Task.yield() }
  ) -> LibraryContext {
    LibraryContext(
      script: "t.lua", workspace: project.workspace, types: Self.types, service: service,
      permissions: permissions, arguments: arguments, sleep: sleep,
      newKey: { [keys] in
        keys.add(())
        return "key-\(keys.items.count)"
      },
      log: { [logged] in logged.add($0) }, recordWrite: { [written] in written.add($0) },
      sessionOpened: { [opened] in opened.add($0) })
  }
}
