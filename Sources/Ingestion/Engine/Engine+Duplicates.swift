import FileSessions
import Workspace

/// `dedupe = "content"`: the same bytes are sent once for a recipe.
extension Engine {
  /// Has a file pass those that send their content once; gives its place among them, which it has to leave again, and
  /// its record where it is a duplicate. Both are nil where every file is sent.
  func admit(
    _ job: Job, isResumed: Bool, _ ticket: Ticket
  ) async throws(LedgerError) -> (entry: ContentGate.Entry?, duplicate: Job?) {
    guard recipe.sendsContentOnce else { return (nil, nil) }
    let entry = contents.enter(job, isResumed: isResumed)
    if isResumed { return (entry, nil) }
    do throws(LedgerError) {
      guard let duplicate = try await duplicate(job, entry, ticket) else { return (entry, nil) }
      return (entry, try await ledger.record(LedgerChange(duplicate)))
    } catch {
      contents.leave(entry)
      throw error
    }
  }

  /// The record of a file whose content was sent, or is about to be, under another path; nil where it is to be sent.
  ///
  /// Waits for files under way that have the same content, where that can be without a place. What the answer rests on
  /// is always the record of what was sent, read last: whatever became of those files, it is in there.
  private func duplicate(
    _ job: Job, _ entry: ContentGate.Entry, _ ticket: Ticket
  ) async throws(LedgerError) -> Job? {
    let (profile, recipe, size) = (profile, recipe.name, job.stamp.size)
    let rivals = contents.rivals(of: entry)
    if rivals.isEmpty, try await !ledger.hasContent(ofSize: size, profile: profile, recipe: recipe) {
      return nil
    }
    // One that cannot be read, or has changed, is left to those who would send it.
    guard let md5 = await entry.md5(in: workspace) else { return nil }
    for rival in rivals where await rival.md5(in: workspace) == md5 {
      await ticket.without { await rival.end() }
    }

    let others = try await ledger.unfinished(profile: profile, recipe: recipe, ofSize: size)
    var next = job
    next.md5 = md5
    (next.idempotencyKey, next.deciders) = (nil, nil)
    for other in others where other.key != job.key && !other.isPart && other.stamp.size == size {
      guard await content(of: other) == md5 else { continue }
      // Its session is open and nobody sees to it now, since the service was away say.
      next.phase = .deferred
      next.dueAt = clock.now + Self.patience
      next.reason = "same content as \(other.key.path), which is under way"
      return next
    }
    guard let path = try await ledger.sentPath(size: size, md5: md5, profile: profile, recipe: recipe) else {
      return nil
    }
    next.phase = .skipped
    next.sameAs = path
    next.reason = "same content as \(path)"
    return next
  }

  /// For how long a file waits whose content is that of a session which an earlier run left open.
  private static let patience = Duration.seconds(30)

  /// The md5 of the bytes that a job is going to complete, as far as that is known.
  private func content(of job: Job) async -> MD5Digest? {
    if let md5 = job.preparation?.origin ?? job.md5 { return md5 }
    return await offload { [workspace] in workspace.md5(of: job.key.path, stamp: job.stamp) }
  }
}
