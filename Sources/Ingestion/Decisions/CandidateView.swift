import FileSessions
import Workspace

/// Why a recipe takes a path as a candidate, or why not; for paths that never became one too.
package enum CandidateView: Hashable, Sendable, CustomStringConvertible {
  case taken
  /// Discovery does not offer it: hidden, a link, left out by a glob…
  case unseen(Visibility)
  /// It is offered, and left alone for now.
  case withheld(Withholding)

  package var description: String {
    switch self {
    case .taken: "it is taken"
    case .unseen(let visibility): visibility.description
    case .withheld(let reason): reason.description
    }
  }
}

extension Workspace {
  /// Says whether a recipe that looks for files in this way takes `path`, and if not, the first reason why. Blocks.
  package func explain(
    _ path: ProjectPath, walk: WalkSettings, settling: Settling, now: Timestamp
  ) -> CandidateView {
    let visibility = explain(path, root: walk.root, globs: walk.globs, hidden: walk.hidden)
    guard visibility == .visible else { return .unseen(visibility) }
    if let reason = settling.withholding(path) { return .withheld(reason) }
    do throws(WorkspaceError) {
      if let marker = settling.ready?.path(for: path), try !exists(marker) {
        return .withheld(.waiting(for: marker))
      }
      let stamp = try info(path).stamp
      let quiet = try settling.quiet(on: fileSystem(of: walk.root))
      var stillness = Stillness(now: now)
      let answer = stillness.look(stamp, now: now, quiet: quiet, trustsTimes: true)
      return answer == .settled ? .taken : .withheld(.changing)
    } catch {
      return .unseen(.unreadable(error))
    }
  }
}
