import AsyncHTTPClient
import FileSessions
import Logging
import NIOHTTP1

/// Lightfield, or a service that speaks its API, over HTTP.
///
/// Each call is one attempt. The key goes to the origin of the base URL and nowhere else: not along a redirect, none
/// of which is followed, and not to the presigned URLs that bytes are sent to and fetched from.
package final class LightfieldClient: Sendable {
  let service: ServiceURL
  let key: APIKey
  package let configuration: Configuration
  /// What its calls wait for.
  package let pacer: Pacer
  let transport: Transport
  let clock: WallClock
  let steadyClock: SteadyClock

  /// The version of the API that is spoken.
  package static let apiVersion = "2026-03-01"
  /// No answer of the API is near this long.
  private static let longestAnswer = 16 << 20
  /// More of an error nobody reads.
  static let longestError = 64 << 10

  /// Opens no connection yet. Throws where the configuration cannot be used.
  ///
  /// - Parameters:
  ///   - pacer: what all clients of one service in one process share, since it counts their calls together.
  ///   - clock: the time of day, for what a service says in dates.
  ///   - steadyClock: measures waits and pauses.
  package init(
    key: APIKey, configuration: Configuration = Configuration(), pacer: Pacer,
    clock: WallClock = .system, steadyClock: SteadyClock = .system
  ) throws(ServiceError) {
    service = try ServiceURL(base: configuration.baseURL)
    self.key = key
    self.configuration = configuration
    self.pacer = pacer
    self.clock = clock
    self.steadyClock = steadyClock
    transport = try Transport(configuration)
  }

  /// Closes all connections; the client is of no use afterwards. To be called before the last reference goes.
  package func shutdown() async {
    await transport.shutdown()
  }

  /// Who answers, such as `https://api.lightfield.app`.
  package var origin: String { service.origin }

  var refusal: Refusal { Refusal(key: key, origin: service.origin, clock: clock) }

  /// Makes a call and reads its answer.
  func call<Value: Decodable>(_ request: APIRequest, _ type: Value.Type) async throws(ServiceError) -> Value {
    let answer = try await send(request)
    let error: ServiceError
    if answer.isSuccess {
      if let value = try? answer.decoded(type) { return value }
      error = refusal.unreadable(answer, to: request)
    } else {
      error = refusal.error(answer, to: request)
    }
    configuration.logger.debug("\(request.name) failed", metadata: error.metadata)
    throw error
  }

  private func send(_ request: APIRequest) async throws(ServiceError) -> Answer {
    let message = try message(of: request)
    var call = Timed(name: request.name)
    do {
      let pass = try await pacer.admit(request.category)
      call.begins(at: steadyClock.now)
      let response: HTTPClientResponse
      do {
        response = try await transport.begin(message, to: service, within: configuration.answerTimeout)
      } catch {
        await pacer.answered(pass, nil)
        throw error
      }
      await pacer.answered(pass, RateReport(response, now: clock.now))
      let answer = try await transport.finish(response, limit: Self.longestAnswer, cuts: false)
      note(call, answer)
      return answer
    } catch {
      let error = failure(error, of: request.name, host: service.origin)
      note(call, error)
      throw error
    }
  }

  /// The error that a failure on the way is, once it is in the log.
  func failure(_ reason: any Error, of name: String, host: String) -> ServiceError {
    let error =
      Task.isCancelled ? .cancelled : ServiceError(transport: reason, host: host, limits: configuration)
    configuration.logger.debug("\(name) got no answer", metadata: error.metadata)
    return error
  }

  private func message(of request: APIRequest) throws(ServiceError) -> HTTPClientRequest {
    var message = HTTPClientRequest(url: service.origin + service.path + request.target)
    message.method = request.method
    message.headers = [
      "Accept": "application/json", "Authorization": "Bearer \(key.secret)",
      "Lightfield-Version": Self.apiVersion, "User-Agent": configuration.userAgent,
    ]
    if let key = request.idempotencyKey {
      guard key.utf8.allSatisfy({ (0x20...0x7e).contains($0) }), !key.isEmpty else {
        throw .invalid("Idempotency-Key", code: .invalidValue, "The idempotency key is not plain ASCII text.")
      }
      message.headers.add(name: "Idempotency-Key", value: key)
    }
    switch request.body {
    case .none:
      break
    case .empty:
      message.headers.add(name: "Content-Type", value: "application/json")
    case .json(let bytes):
      message.headers.add(name: "Content-Type", value: "application/json")
      message.body = .bytes(bytes)
    }
    return message
  }
}

extension ServiceError {
  var metadata: Logger.Metadata { ["error": "\(self)"] }
}
