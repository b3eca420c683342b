import FileSessions
import Workspace

/// Carries out what a ``Delivery`` decides, and records its job before each action.
struct Courier: Sendable {
  let service: any FileService
  let ledger: any Ledger
  let workspace: Workspace
  let retry: Retrier
  let clock: WallClock
  let newKey: @Sendable () -> String
  let report: @Sendable (RunEvent) -> Void
  /// Tells the recipe of statuses; nil where it does not want to know.
  let teller: StatusTeller?
  /// Whether something is to follow on files that are completed.
  let followsCompleted: Bool
  /// Takes a failure into a job's record.
  let fail: @Sendable (inout Job, Failure) -> Void
  /// The file's place.
  let ticket: Ticket

  /// Brings a file to its end, or to where it cannot go on.
  func deliver(
    _ job: Job, situation: Delivery.Situation
  ) async throws(LedgerError) -> (job: Job, ending: Delivery.Ending) {
    var delivery = Delivery(job, situation: situation, newKey: newKey)
    var recorded = situation == .fresh ? nil : job
    // Whether it was told before a crash is not known.
    if situation != .fresh, job.phase != .decided, let session = job.session { teller?.tell(job, session) }
    var action = delivery.start(now: clock.now)
    if situation == .fresh, let problem = await whyUnreadable(job) { action = delivery.cannotBegin(problem) }
    while true {
      let current = try await record(delivery.job, over: recorded)
      recorded = current
      if case .end(let ending) = action { return (current, ending) }
      action = await perform(action, &delivery)
    }
  }

  /// Records the job if it differs from what was recorded last.
  private func record(_ job: Job, over recorded: Job?) async throws(LedgerError) -> Job {
    var next = job
    next.revision = recorded?.revision ?? job.revision
    if next == recorded { return next }
    guard next.phase != recorded?.phase else { return try await ledger.record(LedgerChange(next)) }
    var sent: SentVersion?
    if next.phase == .completed, let md5 = next.md5, let session = next.session {
      (next.tries, next.rounds) = (0, 0)
      sent = SentVersion(of: next, md5: md5, sessionID: session.id)
      if followsCompleted { next.step = AfterStep() } else { next.phase = .done }
    }
    // What follows on a part that failed follows on its whole.
    if next.phase == .failed, !next.isPart, let failure = next.failure { fail(&next, failure) }
    return try await ledger.record(LedgerChange(next, sent: sent))
  }

  private func perform(_ action: Delivery.Action, _ delivery: inout Delivery) async -> Delivery.Action {
    switch action {
    case .create(let request, let key):
      do throws(ServiceError) {
        let opened = try await retry(onRetry: noting("create", delivery)) { () async throws(ServiceError) in
          try await service.create(request, key: key)
        }
        report(.opened(delivery.job.key.path, opened.session))
        teller?.tell(delivery.job, opened.session)
        return delivery.created(opened)
      } catch {
        return delivery.createFailed(error)
      }
    case .send(let opened):
      return await send(opened, &delivery)
    case .hash:
      return await hash(&delivery)
    case .retrieve(let id):
      do throws(ServiceError) {
        let session = try await retry(onRetry: noting("retrieve", delivery)) {
          () async throws(ServiceError) in
          try await service.retrieve(id)
        }
        // A completed one is told of once that is recorded.
        if session.status != .completed { await tellEnd(of: session, delivery.job) }
        return delivery.retrieved(session)
      } catch {
        return delivery.retrieveFailed(error)
      }
    case .complete(let id, let md5):
      do throws(ServiceError) {
        let key = delivery.job.key(for: "complete.\(md5)")
        let session = try await retry(onRetry: noting("complete", delivery)) {
          () async throws(ServiceError) in
          try await service.complete(id, md5: md5, key: key)
        }
        return delivery.completed(session)
      } catch {
        return delivery.completeFailed(error)
      }
    case .cancel(let id):
      do throws(ServiceError) {
        let key = delivery.job.key(for: "cancel")
        let session = try await retry(onRetry: noting("cancel", delivery)) { () async throws(ServiceError) in
          try await service.cancel(id, key: key)
        }
        await tellEnd(of: session, delivery.job)
        return delivery.cancelled(session)
      } catch {
        if teller != nil, error.kind == .conflict, let session = try? await service.retrieve(id) {
          await tellEnd(of: session, delivery.job)
        }
        return delivery.cancelFailed(error)
      }
    case .end:
      return action
    }
  }

  /// Tells of the tries of a call that failed and are followed by another.
  private func noting(_ call: String, _ delivery: Delivery) -> (ServiceError, Duration) -> Void {
    let path = delivery.job.key.path
    return { [report] error, wait in report(.retrying(path, call: call, error, after: wait)) }
  }

  /// Tells the recipe of a session that has ended, before the record forgets it.
  private func tellEnd(of session: FileSession, _ job: Job) async {
    guard let teller, session.status.isFinal else { return }
    teller.tell(job, session)
    await teller.settle()
  }

  /// Sends the file if it still is the one that was decided about, and stays so while it is read.
  private func send(_ opened: OpenedSession, _ delivery: inout Delivery) async -> Delivery.Action {
    let job = delivery.job
    let content: Content
    let file: StableFile
    do throws(WorkspaceError) {
      (content, file) = try await open(job)
    } catch {
      return error.code == .notFound ? delivery.fileChanged() : delivery.fileUnreadable(error.message)
    }
    guard file.stamp == content.stamp, await isOriginUnchanged(job) else { return delivery.fileChanged() }
    ticket.opened(opened.session)
    let source = MeteredSource(base: ticket.paced(file)) { [report, ticket] bytes in
      ticket.progress(bytes)
      report(.progress(job.key.path, bytes: bytes, of: content.stamp.size))
    }
    do throws(ServiceError) {
      let receipt = try await retry(onRetry: noting("upload", delivery)) { () async throws(ServiceError) in
        try await service.upload(opened, source)
      }
      guard await isUnchanged(file), await isOriginUnchanged(job) else { return delivery.fileChanged() }
      return delivery.sent(receipt)
    } catch {
      // A service that finds more or fewer bytes than announced is right when the file has changed.
      guard await isUnchanged(file) else { return delivery.fileChanged() }
      return delivery.sendFailed(error)
    }
  }

  /// Why no session is to be opened for a file; nil when it can be read, and when it is gone, which is found soon enough.
  private func whyUnreadable(_ job: Job) async -> String? {
    await offload { [workspace] in
      do throws(WorkspaceError) {
        let content = try job.content(in: workspace)
        try content.workspace.open(content.path).probe()
        return nil
      } catch {
        return error.code == .notFound ? nil : error.message
      }
    }
  }

  private func hash(_ delivery: inout Delivery) async -> Delivery.Action {
    let job = delivery.job
    do throws(WorkspaceError) {
      let fingerprint = try await offload { [workspace] () throws(WorkspaceError) in
        let content = try job.content(in: workspace)
        return try content.workspace.fingerprint(of: content.path)
      }
      guard let fingerprint, fingerprint.stamp == job.contentStamp else { return delivery.fileChanged() }
      return delivery.hashed(fingerprint.md5)
    } catch {
      return error.code == .notFound ? delivery.fileChanged() : delivery.fileUnreadable(error.message)
    }
  }

  private func open(_ job: Job) async throws(WorkspaceError) -> (Content, StableFile) {
    try await offload { [workspace] () throws(WorkspaceError) in
      let content = try job.content(in: workspace)
      return (content, try StableFile(content.path, in: content.workspace))
    }
  }

  /// Whether what is sent was made from the file as it is now; the file itself is looked at by ``isUnchanged(_:)``.
  private func isOriginUnchanged(_ job: Job) async -> Bool {
    guard job.preparation != nil else { return true }
    return await offload { [workspace] in (try? workspace.info(job.origin).stamp) == job.stamp }
  }

  private func isUnchanged(_ file: StableFile) async -> Bool {
    await offload { (try? file.isUnchanged()) ?? false }
  }
}

extension Job {
  /// The idempotency key of what follows on opening the session: the same in each try, and after a crash.
  fileprivate func key(for call: String) -> String? {
    idempotencyKey.map { "\($0).\(call)" }
  }
}
