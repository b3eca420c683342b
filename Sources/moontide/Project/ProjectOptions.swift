import ArgumentParser
import FoundationEssentials
import Workspace

/// Which project a command works on.
struct ProjectOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The project directory.",
      discussion: "Else the nearest directory upward that has a .moontide/, else the current one.",
      valueName: "dir"))
  var project: String?

  @Option(
    help: ArgumentHelp("Keeps the state there instead of in the project's .moontide/.", valueName: "dir"))
  var state: String?

  @Flag(
    help: ArgumentHelp(
      "The project was moved, and its state directory is to go on as its own.",
      discussion: "Needed once, where --state names a directory outside of the project."))
  var adoptState = false

  /// The same options for another command that is meant for the same project, each with a space before it.
  var flags: String {
    (project.map { " --project \($0.shellWord)" } ?? "") + (state.map { " --state \($0.shellWord)" } ?? "")
  }

  /// Opens the project's directory; throws when its state directory is another project's.
  func openWorkspace() throws(CommandFailure) -> Workspace {
    let workspace = try openPlace()
    if adoptState, FileManager.default.fileExists(atPath: workspace.statePath) {
      try StateOwner.note(workspace, adopting: true)
    }
    try StateOwner.require(in: workspace)
    return workspace
  }

  /// The same for what is not about the project's files: the state directory may be any project's.
  func openPlace() throws(CommandFailure) -> Workspace {
    do throws(WorkspaceError) {
      return try Workspace(root: project ?? Self.nearestProject(), state: state)
    } catch {
      throw CommandFailure(.usage, error.message)
    }
  }

  private static func nearestProject() -> String {
    let current = FileManager.default.currentDirectoryPath
    var directory = current
    while true {
      var isDirectory = false
      let candidate = (directory == "/" ? "" : directory) + "/" + Workspace.stateName
      if FileManager.default.fileExists(atPath: candidate, isDirectory: &isDirectory), isDirectory {
        return directory
      }
      guard directory != "/", let slash = directory.lastIndex(of: "/") else { return current }
      directory = slash == directory.startIndex ? "/" : String(directory[..<slash])
    }
  }
}

/// Makes a directory for this user only, and those that it is in, where they are not there yet.
///
/// - Parameter name: what it is called where it cannot be made.
func ownDirectory(_ path: String, named name: String) throws(CommandFailure) {
  var isDirectory = false
  if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), !isDirectory {
    throw CommandFailure(.usage, "\(name) cannot be made: there is a file of this name. Name another place.")
  }
  do {
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
  } catch {
    throw CommandFailure(.usage, "\(name) cannot be made: \(systemMessage(of: error)).")
  }
}

extension Workspace {
  /// Makes the state directory, for this user only.
  func makeStateDirectory() throws(CommandFailure) {
    try ownDirectory(statePath, named: "The state directory \(statePath)")
  }
}
