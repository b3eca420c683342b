import Workspace

/// A file of the project as it is named on the command line.
enum ProjectFile {
  /// The path relative to the current directory where that is below the project, else to the project.
  static func resolve(_ path: String, in workspace: Workspace) throws(CommandFailure) -> ProjectPath {
    if path.isEmpty { throw CommandFailure(.usage, "The path is empty; name a file.") }
    do throws(WorkspaceError) {
      if path.hasPrefix("/") { return try workspace.path(path) }
      let here = try? workspace.path(CurrentDirectory.path)
      let local = try here?.appending(path)
      if let local, (try? workspace.exists(local)) == true { return local }
      let fromRoot = try workspace.path(path)
      return (try? workspace.exists(fromRoot)) == true ? fromRoot : local ?? fromRoot
    } catch {
      throw CommandFailure(.usage, error.message)
    }
  }
}
