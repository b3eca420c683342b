import Workspace

/// A directory of one job's own: its handlers use it without being granted it, and nobody else's do.
package struct WorkPlace: Sendable {
  /// The absolute path, as scripts get it.
  package let directory: String
  private let project: Workspace

  /// - Parameter project: the project of the job; where that is overlaid, the directory is too.
  package init(directory: String, of project: Workspace) {
    self.directory = directory
    self.project = project
  }

  /// The path below the directory that a text means; nil where it means another place.
  ///
  /// - Parameter current: what relative paths begin from.
  package func path(_ text: String, from current: String) -> ProjectPath? {
    let absolute = PathBase(directory: current).absolute(text)
    if absolute == directory { return .root }
    guard absolute.hasPrefix(directory + "/") else { return nil }
    return try? ProjectPath(String(absolute.dropFirst(directory.count + 1)))
  }

  func absolute(_ path: ProjectPath) -> String {
    path.isRoot ? directory : directory + "/" + path.string
  }

  /// The directory as a workspace: no link leads out of it.
  package func open() throws(WorkspaceError) -> Workspace { try project.enclosed(directory) }
}
