import FileSessions
import Workspace

/// A file that goes in parts, in a dry run: each part is a row of its own after that of the whole.
extension Plan {
  /// Begins with the parts of a file; what was noted of others, that it would have gone in, is forgotten.
  func begin(_ parts: [(job: Job, isRecorded: Bool)], of whole: Job) {
    let path = whole.key.path
    state.withLock { state in
      for part in state.parts[path] ?? [] { state.partPlaces[part.path] = nil }
      state.parts[path] = parts.enumerated().map { index, part in
        state.partPlaces[part.job.key.path] = (path, index)
        var draft = Draft(path: part.job.key.path, size: part.job.bytesToSend, whole: path, job: part.job)
        if part.isRecorded {
          if part.job.phase == .done { draft.remark = .alreadySent }
          draft.isResumed = part.job.phase.isUnderWay
        }
        return draft
      }
    }
  }
}
