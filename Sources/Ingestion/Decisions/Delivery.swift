import FileSessions
import Workspace

/// The way of one file from its decision to its completed session: decides, and does nothing itself.
///
/// It takes what happened and gives the next ``Action``. Whoever carries the actions out records ``job``
/// whenever it has changed, **before** the action is begun; that keeps the ledger ahead of the service:
///
/// | recorded | before | so that after a crash |
/// |---|---|---|
/// | `decided`, key, request | a session is opened | the same key opens no second one |
/// | `opened`, id, target | the first byte | the bytes are sent again, or the session is cancelled |
/// | `uploaded`, md5 | `complete` | the session is asked for, and its status decides |
/// | `completed` | steps afterwards | they are done, the upload never again |
package struct Delivery: Sendable {
  /// What is to be done next. After each, one of the methods below is called with what came of it.
  package enum Action: Hashable, Sendable {
    /// Open a session: ``Delivery/created(_:)`` or ``Delivery/createFailed(_:)``.
    case create(NewFile, key: String)
    /// Send the file: ``Delivery/sent(_:)``, ``Delivery/fileChanged()``, ``Delivery/fileUnreadable(_:)`` or
    /// ``Delivery/sendFailed(_:)``.
    case send(OpenedSession)
    /// Compute the file's md5 without sending: ``Delivery/hashed(_:)``, ``Delivery/fileChanged()`` or
    /// ``Delivery/fileUnreadable(_:)``.
    case hash
    /// Ask for the session: ``Delivery/retrieved(_:)`` or ``Delivery/retrieveFailed(_:)``.
    case retrieve(String)
    /// Finish it: ``Delivery/completed(_:)`` or ``Delivery/completeFailed(_:)``.
    case complete(String, md5: MD5Digest)
    /// Give it up: ``Delivery/cancelled(_:)`` or ``Delivery/cancelFailed(_:)``.
    case cancel(String)
    /// Nothing more.
    case end(Ending)
  }

  /// How a delivery ends.
  package enum Ending: Hashable, Sendable {
    /// The session is `COMPLETED`.
    case delivered
    /// The file, or the recipe, is another than the one that was decided about. No session is left open.
    case decideAgain
    /// Given up. No session is left open.
    case failed(Failure)
    /// The service is away or refuses everything; the job stays as it is recorded.
    case away(ServiceError)
  }

  /// What has become of the file since it was decided about.
  package enum Situation: Hashable, Sendable {
    /// It was decided about just now.
    case fresh
    /// An earlier run began; the file is the same.
    case resumed
    /// An earlier run began; the file is gone or another, or the recipe is.
    case overtaken
  }

  /// The most sessions that are opened for one content before it is given up.
  package static let mostOpens = 5
  /// How often a session is asked for before its service counts as confused.
  private static let mostQuestions = 3

  /// The record as it should be now.
  package private(set) var job: Job
  private let situation: Situation
  private let newKey: @Sendable () -> String
  private var afterCancel = Ending.decideAgain
  /// Whether a cancelled session is followed by a new one, instead of by `afterCancel`.
  private var reopens = false
  private var questions = 0

  package init(_ job: Job, situation: Situation, newKey: @escaping @Sendable () -> String) {
    self.job = job
    self.situation = situation
    self.newKey = newKey
  }

  /// The first action, from wherever the record stands.
  package mutating func start(now: Timestamp) -> Action {
    switch job.phase {
    case .decided:
      return create()
    case .opened:
      guard let session = job.session, let target = job.target else { return reopen() }
      if situation == .overtaken { return cancel(then: .decideAgain) }
      // By this machine's clock, which may be wrong: the service decides whether it has expired.
      if let expiry = session.expiresAt, expiry <= now { return ask(session.id) }
      return .send(OpenedSession(session: session, target: target))
    case .uploaded:
      guard let session = job.session else { return reopen() }
      return ask(session.id)
    case .completed, .done, .skipped, .deferred, .failed:
      return .end(.delivered)
    }
  }

  // MARK: - Opening

  /// The file cannot be read: no session is opened for it.
  package mutating func cannotBegin(_ message: String) -> Action {
    fail(Failure(.file, message))
  }

  package mutating func created(_ opened: OpenedSession) -> Action {
    if situation == .overtaken {
      // The replayed request gave the session of the file as it was; the record still leads here if the
      // cancel does not arrive.
      afterCancel = .decideAgain
      return .cancel(opened.session.id)
    }
    job.session = opened.session
    job.target = opened.target
    job.phase = .opened
    job.opens += 1
    return .send(opened)
  }

  package mutating func createFailed(_ error: ServiceError) -> Action {
    switch error.kind {
    case .notFound, .unsupportedMediaType, .unexpected:
      // Whatever answers there, it is not the file that it objects to.
      return .end(.away(error))
    case .badRequest where error.code == ServiceError.Code.versionHeader.rawValue:
      return .end(.away(error))
    default:
      if isAway(error) { return .end(.away(error)) }
    }
    if situation == .overtaken { return .end(.decideAgain) }
    return fail(Failure(error))
  }

  private mutating func create() -> Action {
    guard let request = job.request, let key = job.idempotencyKey else { return .end(.decideAgain) }
    return .create(request, key: key)
  }

  /// Begins anew with a new key: the old session has ended.
  private mutating func reopen() -> Action {
    if situation == .overtaken { return .end(.decideAgain) }
    guard job.opens < Self.mostOpens else {
      return fail(
        Failure(
          .service, "\(job.opens) sessions were opened for this file, and none of them could be completed."))
    }
    questions = 0
    job.phase = .decided
    job.session = nil
    job.target = nil
    job.md5 = nil
    job.idempotencyKey = newKey()
    return create()
  }

  // MARK: - Sending

  package mutating func sent(_ receipt: Receipt) -> Action {
    guard receipt.bytes == job.contentStamp.size else { return fileChanged() }
    return uploaded(receipt.md5)
  }

  package mutating func fileChanged() -> Action {
    cancel(then: .decideAgain)
  }

  package mutating func fileUnreadable(_ message: String) -> Action {
    cancel(then: .failed(Failure(.file, message)))
  }

  package mutating func sendFailed(_ error: ServiceError) -> Action {
    switch error.kind {
    case .objectExists:
      // An earlier try may have arrived although its answer did not. The md5 tells.
      return .hash
    case .conflict, .notFound:
      return job.session.map { ask($0.id) } ?? reopen()
    case .uploadRefused, .unauthorized, .forbidden:
      // The signature of the upload URL ran out before the session did.
      return cancel(reopening: true)
    case .tooLarge:
      return cancel(then: .decideAgain)
    case .source:
      return cancel(then: .failed(Failure(error)))
    case .requestTimeout, .idempotencyConflict, .tooManyRequests, .internalServerError, .serviceUnavailable,
      .gatewayTimeout, .unreachable:
      return .end(.away(error))
    case .badRequest, .unsupportedMediaType, .unprocessableContent, .unexpected:
      return cancel(then: .failed(Failure(error)))
    }
  }

  package mutating func hashed(_ md5: MD5Digest) -> Action {
    uploaded(md5)
  }

  private mutating func uploaded(_ md5: MD5Digest) -> Action {
    guard let session = job.session else { return reopen() }
    job.md5 = md5
    job.phase = .uploaded
    return .complete(session.id, md5: md5)
  }

  // MARK: - Completing

  package mutating func completed(_ session: FileSession) -> Action {
    job.session = session
    job.phase = .completed
    return .end(.delivered)
  }

  package mutating func completeFailed(_ error: ServiceError) -> Action {
    guard let session = job.session else { return reopen() }
    switch error.kind {
    case .conflict, .unexpected:
      // It may be completed: an answer that cannot be read is no refusal.
      return ask(session.id)
    case .notFound:
      return reopen()
    case .unprocessableContent:
      // What arrived is not what was sent, and a knowledge object cannot be replaced.
      return cancel(reopening: true)
    case .unauthorized, .forbidden, .requestTimeout, .idempotencyConflict, .tooManyRequests,
      .internalServerError, .serviceUnavailable, .gatewayTimeout, .unreachable:
      return .end(.away(error))
    case .badRequest, .objectExists, .uploadRefused, .tooLarge, .unsupportedMediaType, .source:
      return cancel(then: .failed(Failure(error)))
    }
  }

  private mutating func ask(_ id: String) -> Action {
    questions += 1
    guard questions <= Self.mostQuestions else {
      return .end(.away(ServiceError(.unexpected, "The service contradicts itself about the session \(id).")))
    }
    return .retrieve(id)
  }

  package mutating func retrieved(_ session: FileSession) -> Action {
    job.session = session
    switch session.status {
    case .completed:
      // Without an md5 of ours the record cannot tell what was completed; the file still can.
      return job.md5 == nil ? .hash : completed(session)
    case .pending:
      guard let md5 = job.md5, job.phase == .uploaded else { return cancel(reopening: true) }
      return .complete(session.id, md5: md5)
    case .cancelled, .expired:
      return reopen()
    }
  }

  package mutating func retrieveFailed(_ error: ServiceError) -> Action {
    // Nothing about the file can be wrong with asking.
    error.kind == .notFound ? reopen() : .end(.away(error))
  }

  // MARK: - Giving up a session

  /// - Parameter session: as it is now, where the service told.
  package mutating func cancelled(_ session: FileSession? = nil) -> Action {
    if reopens {
      reopens = false
      return reopen()
    }
    // Whatever follows, it is not open any more.
    if let session, job.session != nil { job.session = session }
    if case .failed(let failure) = afterCancel { return fail(failure) }
    return .end(afterCancel)
  }

  package mutating func cancelFailed(_ error: ServiceError) -> Action {
    switch error.kind {
    case .conflict, .notFound:
      // It has ended by itself, which is all that was wanted.
      cancelled()
    case .badRequest, .unauthorized, .forbidden, .requestTimeout, .idempotencyConflict, .objectExists,
      .uploadRefused, .tooLarge, .unsupportedMediaType, .unprocessableContent, .tooManyRequests,
      .internalServerError,
      .serviceUnavailable, .gatewayTimeout, .unreachable, .source, .unexpected:
      // The record stays, so that the next run cancels it.
      .end(.away(error))
    }
  }

  private mutating func cancel(then ending: Ending) -> Action {
    afterCancel = ending
    reopens = false
    return job.session.map { .cancel($0.id) } ?? cancelled()
  }

  private mutating func cancel(reopening: Bool) -> Action {
    reopens = reopening
    return job.session.map { .cancel($0.id) } ?? cancelled()
  }

  private mutating func fail(_ failure: Failure) -> Action {
    job.phase = .failed
    job.failure = failure
    return .end(.failed(failure))
  }

  /// Whether the answer concerns the service or the key, not this file.
  private func isAway(_ error: ServiceError) -> Bool {
    // A 403 is a missing scope, except where only admins may do what was asked.
    if error.kind == .forbidden { return job.request?.purpose != .knowledgeWorkspace }
    return error.kind.concernsService || error.kind == .idempotencyConflict
  }
}
