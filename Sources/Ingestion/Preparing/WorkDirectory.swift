import Digests
import FoundationEssentials
import Glibc
import Workspace

/// Where what `prepare` makes of one file is kept until that is sent: `.moontide/work/…/JOB`.
///
/// Over an overlay it is there as everything else that is written: in memory.
package struct WorkDirectory: Sendable {
  /// The absolute path.
  package let path: String
  private let shelf: String
  private let workspace: Workspace

  package init(of key: JobKey, in workspace: Workspace) {
    self.workspace = workspace
    shelf = Self.shelf(profile: key.profile, recipe: key.recipe, workspace)
    path = shelf + "/" + key.id
  }

  /// A recipe's name may be anything where it is not one of Lua's.
  private static func shelf(profile: String, recipe: String, _ workspace: Workspace) -> String {
    workspace.statePath + "/work/" + SHA256.hex(profile + "\0" + recipe).prefix(16)
  }

  /// Makes it, empty. Blocks.
  package func make() throws(WorkspaceError) -> Workspace {
    if let overlay = workspace.overlay {
      overlay.makeEnclosed(path)
      return try open()
    }
    remove()
    do {
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw WorkspaceError(.io, path: path, "cannot make the directory \(path): \(error)")
    }
    return try open()
  }

  /// Its files. Blocks.
  package func open() throws(WorkspaceError) -> Workspace { try workspace.enclosed(path) }

  /// Takes it away with all that is in it. Blocks.
  ///
  /// What cannot be taken away is tried again by the next run's ``sweep(profile:recipe:keeping:in:)``.
  package func remove() {
    if let overlay = workspace.overlay { return overlay.removeEnclosed(path) }
    try? FileManager.default.removeItem(atPath: path)
  }

  /// Removes what a crash left, all but what belongs to `jobs`. Blocks.
  static func sweep(profile: String, recipe: String, keeping jobs: Set<String>, in workspace: Workspace) {
    if workspace.overlay != nil { return }
    let shelf = shelf(profile: profile, recipe: recipe, workspace)
    for name in (try? FileManager.default.contentsOfDirectory(atPath: shelf)) ?? [] where !jobs.contains(name)
    {
      try? FileManager.default.removeItem(atPath: shelf + "/" + name)
    }
  }
}
