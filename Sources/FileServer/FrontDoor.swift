import FileSessions
import HummingbirdCore
import LocalService
import MetricsServer
import NIOCore

/// What happens to every request, in this order: the route, the key (401), the rate (429), the version (400), the
/// idempotency key (400), the content type (415), the body (400), the scope (403), and then the call itself.
struct FrontDoor: Sendable {
  let store: LocalStore
  let configuration: FileServerConfiguration
  let surroundings: FileServerSurroundings
  let signer: URLSigner
  let limiter: RateLimiter?
  let registry: PrometheusRegistry
  let metrics: ServerMetrics
  let connections: ConnectionTable
  let identifiers: IdentifierSource

  /// The version of the API that is served.
  static let version = "2026-03-01"

  /// What is to be done about a request once its head is read.
  enum Plan: Sendable {
    /// Nothing more is needed.
    case answer(Answer)
    /// The body is read, and gives the answer.
    case read(@Sendable (RequestBody) async -> Reading)
  }

  /// What came of a request's body.
  struct Reading: Sendable {
    var answer: Answer
    /// How many bytes were taken.
    var received: Int64
    /// Whether the body was read to its end, so that the connection can go on.
    var isWhole: Bool
  }

  /// Decides about a request from its head.
  func plan(_ call: Call) async -> (
    plan: Plan, headers: [(name: String, value: String)], organisation: String?
  ) {
    switch call.route.access {
    case .open:
      return (.answer(await open(call)), [], nil)
    case .signature:
      return (await signed(call), [], nil)
    case .key(let category):
      return await keyed(call, category)
    }
  }

  private func open(_ call: Call) async -> Answer {
    if call.route == .metrics {
      metrics.connections(connections.count)
      return Answer(text: registry.text, type: "text/plain; version=0.0.4; charset=utf-8")
    }
    do throws(ServiceError) {
      // Any read that is cheap: that no key is empty is known.
      _ = try await store.caller(forKey: "")
      return Answer(text: "ok\n", type: "text/plain; charset=utf-8")
    } catch _ {
      return Answer(ServiceError(.serviceUnavailable, "The store cannot be read now."))
    }
  }

  private func signed(_ call: Call) async -> Plan {
    do throws(ServiceError) {
      guard call.route == .upload else {
        let download = DownloadCall(store: store, signer: signer, clock: surroundings.clock)
        return .answer(try await download.answer(call))
      }
      let upload = UploadCall(store: store, signer: signer, clock: surroundings.clock)
      let (writer, length) = (try await upload.begin(call), call.headers.contentLength ?? 0)
      return .read { body in await upload.receive(body, length: length, into: writer) }
    } catch {
      return .answer(Answer(error))
    }
  }

  private func keyed(
    _ call: Call, _ category: RateCategory
  ) async -> (plan: Plan, headers: [(name: String, value: String)], organisation: String?) {
    var (headers, organisation): ([(name: String, value: String)], String?) = ([], nil)
    do throws(ServiceError) {
      let caller = try await caller(of: call)
      organisation = caller.organisation
      if let limiter, let rate = configuration.rateLimit {
        let ruling = limiter.take(category, for: caller.organisation)
        headers = ruling.headers(rate: rate, at: surroundings.clock.now)
        guard ruling.isAllowed else {
          metrics.limited(category)
          throw ruling.refusal(rate: rate, category)
        }
      }
      try checkVersion(call)
      let key = try idempotencyKey(of: call)
      return (try await plan(call, for: caller, key: key), headers, organisation)
    } catch {
      return (.answer(Answer(error)), headers, organisation)
    }
  }

  private func plan(_ call: Call, for caller: Caller, key: String?) async throws(ServiceError) -> Plan {
    guard call.route.body != .none else {
      return .answer(try await perform(call, for: caller, body: [], key: key))
    }
    try checkContentType(call)
    let maximum = configuration.maximumJSONBytes
    guard (call.headers.contentLength ?? 0) <= Int64(maximum) else { throw Self.tooLarge(maximum) }
    return .read { body in
      let bytes: [UInt8]
      do throws(ServiceError) {
        bytes = try await collect(body, call)
      } catch {
        return Reading(answer: Answer(error), received: 0, isWhole: false)
      }
      do throws(ServiceError) {
        let answer = try await perform(call, for: caller, body: bytes, key: key)
        return Reading(answer: answer, received: Int64(bytes.count), isWhole: true)
      } catch {
        return Reading(answer: Answer(error), received: Int64(bytes.count), isWhole: true)
      }
    }
  }

  private func perform(
    _ call: Call, for caller: Caller, body: [UInt8], key: String?
  ) async throws(ServiceError) -> Answer {
    guard !body.isEmpty || call.route.body != .json else {
      throw .invalid("body", code: .parameterMissing, "The request has no body; it takes an object of JSON.")
    }
    let service = store.service(for: caller)
    let files = FileCalls(service: service, policy: store.policy, signer: signer)
    let meetings = MeetingCalls(service: service)
    switch call.route {
    case .createFile: return try await files.create(body, call, key: key)
    case .completeFile: return try await files.complete(body, call, key: key)
    case .cancelFile: return try await files.cancel(body, call, key: key)
    case .retrieveFile: return try await files.retrieve(call)
    case .listFiles: return try await files.list(call)
    case .fileURL: return try await files.url(call)
    case .validateAuthorization: return try Answer(json: try await service.validateAuthorization())
    case .createMeeting: return try await meetings.create(body, call, key: key)
    case .updateMeeting: return try await meetings.update(body, call, key: key)
    case .retrieveMeeting: return try await meetings.retrieve(call)
    case .listMeetings: return try await meetings.list(call)
    case .upload, .download, .downloadHead, .health, .metrics:
      throw ServiceError(.internalServerError, "The route \(call.route) takes no key.")
    }
  }
}

extension FrontDoor {
  private func caller(of call: Call) async throws(ServiceError) -> Caller {
    let words = call.headers["authorization"]?.split(separator: " ") ?? []
    guard words.count == 2, words[0].lowercased() == "bearer" else {
      throw ServiceError(
        .unauthorized, "The request has no key. Send the header Authorization: Bearer sk_lf_…")
    }
    guard let caller = try await store.caller(forKey: String(words[1])) else {
      throw ServiceError(.unauthorized, "The key is not known here, or was revoked.")
    }
    return caller
  }

  private func checkVersion(_ call: Call) throws(ServiceError) {
    let name = "Lightfield-Version"
    guard let version = call.headers["lightfield-version"] else {
      throw .invalid(name, code: .versionHeader, "The header \(name) is missing; send \(Self.version).")
    }
    guard version == Self.version else {
      throw .invalid(name, code: .versionHeader, "The \(name) is not known; send \(Self.version).")
    }
  }

  /// The key of a POST; an empty one is none.
  private func idempotencyKey(of call: Call) throws(ServiceError) -> String? {
    guard call.route.body != .none, let key = call.headers["idempotency-key"], !key.isEmpty else {
      return nil
    }
    let length = key.unicodeScalars.count
    guard length <= FileServiceLimits.idempotencyKeyLength else {
      throw .invalid(
        "Idempotency-Key", code: .idempotencyKeyTooLong,
        "The idempotency key has \(length) characters; it may have \(FileServiceLimits.idempotencyKeyLength)."
      )
    }
    return key
  }

  private func checkContentType(_ call: Call) throws(ServiceError) {
    let type = call.headers["content-type"]?.split(separator: ";").first?.lowercased()
    let isJSON = type?.split(separator: " ").first.map { $0 == Answer.json } ?? !call.headers.announceBody
    guard isJSON else {
      throw ServiceError(.unsupportedMediaType, "The body must be \(Answer.json).")
    }
  }

  /// The whole body.
  private func collect(_ body: RequestBody, _ call: Call) async throws(ServiceError) -> [UInt8] {
    var bytes: [UInt8] = []
    do {
      for try await buffer in body {
        bytes.append(contentsOf: buffer.readableBytesView)
        if bytes.count > configuration.maximumJSONBytes {
          throw Self.tooLarge(configuration.maximumJSONBytes)
        }
      }
    } catch {
      throw ServiceError(receiving: error)
    }
    if let announced = call.headers.contentLength, announced != bytes.count {
      throw ServiceError(receiving: ChannelError.eof)
    }
    return bytes
  }

  private static func tooLarge(_ maximum: Int) -> ServiceError {
    ServiceError(.tooLarge, "The body has more than \(maximum) bytes.")
  }
}
