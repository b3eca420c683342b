import FoundationEssentials
import Glibc
import Workspace

/// Whose state a state directory is: `project.json` in it.
///
/// A ledger knows files by their paths below the project, so that with another project's what was sent from there would
/// count for here. A state directory inside of its project notes the way up, and so may be moved together with it.
struct StateOwner: Codable {
  private var version = 1
  /// The project: an absolute path, or the way there from the state directory.
  private let project: String

  private init(of workspace: Workspace) {
    let state = Self.real(workspace.statePath) ?? workspace.statePath
    let root = workspace.rootPath == "/" ? "/" : workspace.rootPath + "/"
    let isInside = state.hasPrefix(root)
    let depth = state.dropFirst(root.count).split(separator: "/").count
    project = isInside ? Array(repeating: "..", count: depth).joined(separator: "/") : workspace.rootPath
  }

  /// Throws when the state directory is another project's. Writes nothing.
  static func require(in workspace: Workspace) throws(CommandFailure) {
    let file = file(of: workspace)
    if let data = try file.read() { try check(data, file, workspace) }
  }

  /// Notes that the state directory, which has to be there, is this project's; throws when it is another's.
  ///
  /// - Parameter adopting: whether another's becomes this one's.
  static func note(_ workspace: Workspace, adopting: Bool = false) throws(CommandFailure) {
    if adopting { try checkIsFree(workspace) }
    let file = file(of: workspace)
    try file.change { data throws(CommandFailure) in
      if let data, !adopting {
        try check(data, file, workspace)
        return nil
      }
      return Data((JSONText.line(StateOwner(of: workspace)) + "\n").utf8)
    }
  }

  /// Throws when the state directory lies in another project, whose own it then is.
  private static func checkIsFree(_ workspace: Workspace) throws(CommandFailure) {
    let state = real(workspace.statePath) ?? workspace.statePath
    let suffix = "/" + Workspace.stateName
    guard state.hasSuffix(suffix), state != workspace.rootPath + suffix else { return }
    throw CommandFailure(
      .usage,
      "The state directory \(workspace.statePath) is the one of the project \(state.dropLast(suffix.count)) itself, "
        + "and stays that. Move it out of there first.")
  }

  private static func file(of workspace: Workspace) -> StateFile {
    StateFile(path: workspace.statePath + "/project.json")
  }

  private static func check(
    _ data: Data, _ file: StateFile, _ workspace: Workspace
  ) throws(CommandFailure) {
    guard let owner = try? JSONDecoder().decode(StateOwner.self, from: data), owner.version == 1 else {
      throw CommandFailure(
        .usage,
        "\(file.path) cannot be understood. It says whose state this is; if it is this project's, say so with "
          + "--adopt-state.")
    }
    let state = real(workspace.statePath) ?? workspace.statePath
    let path = owner.project.hasPrefix("/") ? owner.project : state + "/" + owner.project
    let known = real(path)
    if known == workspace.rootPath { return }
    throw CommandFailure(
      .usage,
      "The state directory \(workspace.statePath) belongs to the project \(known ?? path)"
        + (known == nil ? ", which is not there any more" : "")
        + "; this is \(workspace.rootPath), where what was sent from there would count as sent. Name another directory "
        + "with --state. If it is the same project and was moved, say so with --adopt-state.")
  }

  private static func real(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}
