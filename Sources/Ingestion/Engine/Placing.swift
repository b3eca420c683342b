import FileSessions
import Workspace

/// Putting a file somewhere, in a way that may be begun again after a crash at any point.
struct Placing: Sendable {
  enum Operation: String, Sendable {
    case move = "moved"
    case copy = "copied"
  }

  enum Outcome: Sendable {
    /// It is there now, or was put there before a crash. No trace where its content could not be read.
    case placed(Trace?)
    /// The source is another file than the one that was settled: it stays.
    case changed
    /// There is no source, and nothing at the target that could be it.
    case gone
    /// Another file is there.
    case taken
  }

  let operation: Operation
  let source: ProjectPath
  /// The stamp that the source must have.
  let stamp: FileStamp
  /// The content's md5, where it is known.
  let md5: MD5Digest?
  let target: ProjectPath
  /// Whether an earlier run chose this target: only then can a file that is there be its work.
  let isRepeated: Bool

  /// Blocks.
  func perform(in workspace: Workspace) throws(WorkspaceError) -> Outcome {
    if try workspace.exists(target) { return try meet(in: workspace) }
    guard try workspace.exists(source) else { return .gone }
    guard try workspace.info(source).stamp == stamp else { return .changed }
    do throws(WorkspaceError) {
      let placed =
        switch operation {
        case .move: try workspace.move(from: source, to: target)
        case .copy: try workspace.copy(from: source, to: target)
        }
      guard isSettledContent(placed.stamp) else {
        // It changed between the look and the deed. What is there now was never sent: it goes back.
        try undo(in: workspace)
        return .changed
      }
      return .placed(trace(placed.stamp, in: workspace))
    } catch {
      guard error.code == .exists else { throw error }
      return .taken
    }
  }

  /// There is something at the target already.
  private func meet(in workspace: Workspace) throws(WorkspaceError) -> Outcome {
    let there = try workspace.info(target)
    let here = try workspace.exists(source) ? workspace.info(source) : nil
    // The same file under two paths, through a link or a mount: it is where it should be.
    if let here, here.path == there.path || (here.stamp == there.stamp && there.links == 1) {
      return .placed(trace(there.stamp, in: workspace))
    }
    guard isRepeated, there.kind == .file, try isOwnWork(there, in: workspace) else { return .taken }
    // A move that was cut off after its copy, or its link, had arrived.
    // Looked at anew: telling whose work it is may have taken minutes.
    if operation == .move, try workspace.exists(source), try workspace.info(source).stamp == stamp {
      try workspace.remove(source)
    }
    return .placed(trace(there.stamp, in: workspace))
  }

  private func isOwnWork(_ there: FileInfo, in workspace: Workspace) throws(WorkspaceError) -> Bool {
    if there.stamp == stamp { return true }
    guard there.stamp.size == stamp.size else { return false }
    // A file that was given up has no md5 yet. Once the source is gone, nothing is removed for a likeness.
    let known: MD5Digest? = if let md5 { md5 } else { try sourceMD5(in: workspace) }
    guard let known else { return isSettledContent(there.stamp) }
    return try workspace.fingerprint(of: target)?.md5 == known
  }

  /// nil where the source is gone, or another file by now.
  private func sourceMD5(in workspace: Workspace) throws(WorkspaceError) -> MD5Digest? {
    guard try workspace.exists(source), let fingerprint = try workspace.fingerprint(of: source),
      fingerprint.stamp == stamp
    else { return nil }
    return fingerprint.md5
  }

  /// Whether what was placed is what was looked at. Across devices the inode is another.
  private func isSettledContent(_ placed: FileStamp) -> Bool {
    placed.size == stamp.size && placed.modified == stamp.modified
  }

  private func undo(in workspace: Workspace) throws(WorkspaceError) {
    switch operation {
    case .move: try workspace.move(from: target, to: source)
    case .copy: try workspace.remove(target)
    }
  }

  private func trace(_ placed: FileStamp, in workspace: Workspace) -> Trace? {
    let digest = md5 ?? (try? workspace.fingerprint(of: target))?.md5
    return digest.map { Trace(path: target, stamp: placed, md5: $0, origin: source) }
  }
}
