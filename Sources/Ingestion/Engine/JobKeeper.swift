import FileSessions
import Workspace

/// Does with recorded jobs what somebody asked for; for the ledger's owner, while none of them is under way.
///
/// Asked twice, after a crash say, it comes to the same.
package struct JobKeeper: Sendable {
  /// What came of a request.
  package struct Outcome: Sendable {
    package var request: JobRequest
    /// The jobs that it was done with.
    package var keys: [JobKey] = []
    /// How many there were; `keys` holds the first of them.
    package var count = 0
    /// Files that were put back where they were found.
    package var putBack = 0
    package var problems: [(path: String, message: String)] = []

    /// `3 files are tried again`
    package var sentence: String {
      let files = "\(count) file\(count == 1 ? " is" : "s are")"
      switch request {
      case .retry: return "\(files) tried again" + (putBack == 0 ? "" : ", \(putBack) put back already")
      case .forget: return "\(files) forgotten"
      }
    }
  }

  /// The phases from which a job can be tried again. What is under way goes on by itself, and what was sent is
  /// never sent again.
  package static let retriable: Set<Phase> = [.failed, .skipped, .deferred]

  private static let pageSize = 256
  private static let mostKeys = 10_000
  private static let mostProblems = 100

  private let ledger: any Ledger
  private let workspace: Workspace

  package init(ledger: any Ledger, workspace: Workspace) {
    self.ledger = ledger
    self.workspace = workspace
  }

  /// Does what is asked for.
  package func perform(_ request: JobRequest) async throws(LedgerError) -> Outcome {
    switch request {
    case .retry(let selection): try await retry(selection, request)
    case .forget(let selection, let sentToo): try await forget(selection, sentToo: sentToo, request)
    }
  }

  // MARK: - Retrying

  private func retry(_ selection: JobSelection, _ request: JobRequest) async throws(LedgerError) -> Outcome {
    var outcome = Outcome(request: request)
    var position: Int64? = 0
    while let start = position {
      let page = try await ledger.jobs(selection, after: start, limit: Self.pageSize)
      var changes: [LedgerChange] = []
      for var job in try await wholes(of: page.entries.map(\.job)) where Self.retriable.contains(job.phase) {
        do throws(WorkspaceError) {
          if try await putBack(job) {
            outcome.putBack += 1
          } else if await isGone(job) {
            outcome.note(
              job, "It is not there. Put it back and ask again, or have it forgotten.",
              limit: Self.mostProblems)
            continue
          }
        } catch {
          outcome.note(job, error.message, limit: Self.mostProblems)
          continue
        }
        outcome.add(job.key, limit: Self.mostKeys)
        job.retry()
        changes.append(LedgerChange(job))
      }
      if !changes.isEmpty { _ = try await ledger.record(changes) }
      position = page.next
    }
    return outcome
  }

  /// The jobs, with its whole in the place of each part: parts are made anew with that. None comes twice, nor one
  /// that is to be tried again already because of its parts.
  private func wholes(of jobs: [Job]) async throws(LedgerError) -> [Job] {
    if !jobs.contains(where: \.isPart) { return jobs }
    var result = jobs.filter { !$0.isPart }
    var keys = Set(result.map(\.key))
    for part in jobs where part.isPart && keys.insert(part.workKey).inserted {
      let key = part.workKey
      let found = try await ledger.jobs(profile: key.profile, recipe: key.recipe, paths: [key.path])
      if let whole = found[key.path], !whole.isToBeRetried { result.append(whole) }
    }
    return result
  }

  /// Whether there is nothing to ask the recipe about.
  private func isGone(_ job: Job) async -> Bool {
    await offload { [workspace] in (try? workspace.exists(job.key.path)) == false }
  }

  /// Puts a file that was moved away back where it was found, if that is where it is missing.
  private func putBack(_ job: Job) async throws(WorkspaceError) -> Bool {
    guard job.phase == .failed, let text = job.failure?.movedTo ?? job.step?.destination,
      let place = try? workspace.path(text)
    else { return false }
    let trace = try? await ledger.traces(profile: job.key.profile, paths: [place])[place]
    let (workspace, path, stamp) = (workspace, job.key.path, job.stamp)
    return try await offload { () throws(WorkspaceError) -> Bool in
      guard try !workspace.exists(path), try workspace.exists(place) else { return false }
      let there = try workspace.info(place).stamp
      var isSame = there == trace?.stamp || there == stamp
      if !isSame, let digest = trace?.md5 { isSame = try workspace.fingerprint(of: place)?.md5 == digest }
      guard isSame else {
        throw WorkspaceError(
          .changed, path: place.string,
          "\(place) has changed since it was moved there from \(path); move it back by hand")
      }
      _ = try workspace.move(from: place, to: path)
      return true
    }
  }

  // MARK: - Forgetting

  /// Whether anything was sent for one of them.
  private func wasSent(_ keys: [JobKey]) async throws(LedgerError) -> Bool {
    for key in keys {
      if try await !ledger.sentVersions(of: key).isEmpty { return true }
    }
    return false
  }

  private func forget(
    _ selection: JobSelection, sentToo: Bool, _ request: JobRequest
  ) async throws(LedgerError) -> Outcome {
    var outcome = Outcome(request: request)
    var position: Int64? = 0
    while let start = position {
      let page = try await ledger.jobs(selection, after: start, limit: Self.pageSize)
      var keys: [JobKey] = []
      for entry in page.entries {
        if entry.job.phase.isUnderWay {
          outcome.note(
            entry.job,
            "It is \(entry.job.phase.rawValue), and a session may be open: let a run end it first.",
            limit: Self.mostProblems)
        } else if !sentToo, try await wasSent([entry.job.key] + entry.job.partKeys) {
          outcome.note(
            entry.job, "It has been sent meanwhile: say --yes to have it sent a second time.",
            limit: Self.mostProblems)
        } else {
          keys += [entry.job.key] + entry.job.partKeys
          outcome.add(entry.job.key, limit: Self.mostKeys)
        }
      }
      if !keys.isEmpty { try await ledger.forget(keys) }
      position = page.next
    }
    return outcome
  }
}

extension JobKeeper.Outcome {
  fileprivate mutating func add(_ key: JobKey, limit: Int) {
    count += 1
    if keys.count < limit { keys.append(key) }
  }

  fileprivate mutating func note(_ job: Job, _ message: String, limit: Int) {
    if problems.count < limit { problems.append((job.key.path.string, message)) }
  }
}
