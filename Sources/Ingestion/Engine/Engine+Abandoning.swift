import FileSessions

extension Engine {
  /// How long a service may take to cancel what a cancelled run leaves open.
  private static let abandoning = Duration.seconds(10)
  /// How many are cancelled at once.
  private static let abandonedAtOnce = 8

  /// Cancels the sessions that are open for files of this recipe, so that the next run opens new ones.
  ///
  /// For a run that was cancelled itself: what is done here goes on nevertheless. What cannot be cancelled stays as
  /// it is recorded, and the next run takes it up.
  func abandonSessions() async {
    await Task {
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await cancelSessions() }
        group.addTask { try? await retry.sleep(Self.abandoning) }
        await group.next()
        group.cancelAll()
      }
    }.value
  }

  private func cancelSessions() async {
    let jobs = (try? await ledger.unfinished(profile: profile, recipe: recipe.name)) ?? []
    await withTaskGroup(of: Void.self) { group in
      for (index, job) in jobs.enumerated() where job.phase == .opened || job.phase == .uploaded {
        if index >= Self.abandonedAtOnce { await group.next() }
        group.addTask { await cancelSession(of: job) }
      }
    }
  }

  private func cancelSession(of job: Job) async {
    guard let session = job.session else { return }
    do throws(ServiceError) {
      _ = try await service.cancel(session.id, key: job.idempotencyKey.map { "\($0).cancel" })
    } catch {
      // It may have been completed just now: the next run asks.
      return
    }
    var job = job
    job.reopen(key: newKey())
    if (try? await ledger.record(LedgerChange(job))) != nil {
      report(.cancelled(job.key.path, session))
    }
  }
}

extension Job {
  /// Goes back to before its session, which was cancelled for no fault of the file.
  fileprivate mutating func reopen(key: String) {
    phase = .decided
    session = nil
    target = nil
    md5 = nil
    idempotencyKey = key
    opens = max(opens - 1, 0)
  }
}
