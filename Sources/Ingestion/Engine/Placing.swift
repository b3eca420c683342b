import FileSessions
import Workspace

/// Putting a file somewhere, in a way that may be begun again after a crash at any point.
struct Placing: Sendable {
  enum Operation: String, Sendable {
    case move = "moved"
    case copy = "copied"
  }

  enum Outcome: Sendable {
    /// It is there now, or was put there before a crash.
    case placed(Trace)
    /// The source is another file than the one that was settled: it stays.
    case changed
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

  /// Blocks.
  func perform(in workspace: Workspace) throws(WorkspaceError) -> Outcome {
    if try workspace.exists(target) {
      guard let trace = try traceOfEarlierTry(in: workspace) else { return .taken }
      if operation == .move { try removeSource(in: workspace) }
      return .placed(trace)
    }
    guard try workspace.info(source).stamp == stamp else { return .changed }
    do throws(WorkspaceError) {
      let placed =
        switch operation {
        case .move: try workspace.move(from: source, to: target)
        case .copy: try workspace.copy(from: source, to: target)
        }
      let digest = if let md5 { md5 } else { try workspace.fingerprint(of: target)?.md5 }
      return digest.map { .placed(Trace(path: target, stamp: placed.stamp, md5: $0)) } ?? .changed
    } catch {
      guard error.code == .exists else { throw error }
      return .taken
    }
  }

  /// The trace of the file at the target, when it is ours: the very one, or one with its content.
  private func traceOfEarlierTry(in workspace: Workspace) throws(WorkspaceError) -> Trace? {
    guard let there = try workspace.fingerprint(of: target) else { return nil }
    let isSame = there.stamp == stamp || (there.stamp.size == stamp.size && there.md5 == md5)
    return isSame ? Trace(path: target, stamp: there.stamp, md5: there.md5) : nil
  }

  /// Ends a move whose copy had arrived: the content is at the target, so nothing is lost.
  private func removeSource(in workspace: Workspace) throws(WorkspaceError) {
    guard source != target, try workspace.exists(source), try workspace.info(source).stamp == stamp else {
      return
    }
    try workspace.remove(source)
  }
}
