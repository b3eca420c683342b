import LuaHost

/// A call of `moontide.http`, checked as far as it can be before anything is sent.
struct WebCall: Sendable {
  var request: WebRequest
  let function: String
  let timeout: Duration
  let limit: Int
  /// How many redirects are followed.
  let redirects: Int

  static let usualTimeout = Duration.seconds(30)
  static let usualLimit = 8 << 20
  static let mostRedirects = 5
  private static let mostHeaderBytes = 32 << 10

  /// Headers that frame the message or name the server: they are the transport's alone.
  private static let reserved: Set<String> = [
    "host", "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "te", "trailer",
    "expect", "proxy-authorization", "proxy-connection",
  ]

  /// - Parameters:
  ///   - method: nil where the options name it.
  ///   - url: nil where the options have it.
  init(_ method: String?, _ url: String?, _ options: LuaFields, function: String) throws {
    self.function = function
    let own = (method == nil ? ["method"] : []) + (url == nil ? ["url"] : [])
    try options.onlyKnown(["headers", "body", "json", "timeout", "max_size", "redirects"] + own)
    let text = try url ?? options.string("url")
    let address: WebAddress
    do throws(WebAddress.Malformed) {
      address = try WebAddress(text)
    } catch {
      throw LuaValueError(
        place: function,
        problem: "\"\(escapingControls(String(text.prefix(200))))\" cannot be asked: \(error.problem)")
    }
    request = WebRequest(
      method: try method ?? Self.method(options), address: address, headers: try Self.headers(options),
      body: [])
    try Self.addBody(options, to: &request)

    let seconds = try options.optionalNumber("timeout")
    guard seconds.map({ $0 > 0 && $0 <= 3600 }) ?? true else {
      throw options.error("timeout", wanted: "number of seconds, more than 0 and at most 3600")
    }
    timeout = seconds.map { .seconds($0) } ?? Self.usualTimeout
    limit = try options.optionalInt("max_size", in: 0...FileContent.largestRead) ?? Self.usualLimit
    redirects = try options.optionalInt("redirects", in: 0...Self.mostRedirects) ?? Self.mostRedirects
  }

  private static func method(_ options: LuaFields) throws -> String {
    let method = try options.optionalString("method") ?? "GET"
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    guard known.contains(method.uppercased()) else {
      throw options.error("method", wanted: "one of \(known.joined(separator: ", "))")
    }
    return method.uppercased()
  }

  private static func headers(_ options: LuaFields) throws -> [WebHeader] {
    guard let given = try options.optionalFields("headers") else { return [] }
    guard given.table.array.isEmpty else {
      throw LuaValueError(
        place: given.place, problem: "a value without a name", hint: "write [\"X-Name\"] = value")
    }
    let headers = try given.table.fields.keys.sorted { $0.description < $1.description }.flatMap { key in
      guard case .string(let string) = key, let name = string.text, !name.isEmpty,
        name.utf8.allSatisfy(isTokenByte)
      else { throw LuaValueError(place: given.place, problem: "\"\(key)\" is no name of a header") }
      guard !reserved.contains(name.lowercased()) else {
        throw LuaValueError(place: given.place, problem: "\(name) is not for scripts to set")
      }
      return try (given.optionalStrings(name) ?? []).map { value in
        guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }) else {
          throw LuaValueError(
            place: "\(given.place): field '\(name)'", problem: "there is a control character in it",
            hint: "a header is one line")
        }
        return WebHeader(name, value)
      }
    }
    guard headers.reduce(0, { $0 + $1.name.utf8.count + $1.value.utf8.count }) <= mostHeaderBytes else {
      throw LuaValueError(
        place: given.place, problem: "together they have more than \(mostHeaderBytes) bytes")
    }
    return headers
  }

  /// The characters of a token in RFC 9110.
  private static func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
  }

  private static func addBody(_ options: LuaFields, to request: inout WebRequest) throws {
    let (body, json) = (options["body"], options["json"])
    guard body == nil || json == nil else {
      throw LuaValueError(
        place: options.place, problem: "there are both body and json", hint: "give one of them")
    }
    guard let value = body ?? json else { return }
    guard case .string(let text) = value else { throw options.error("body", wanted: "string") }
    request.body = text.bytes
    if json != nil, !request.headers.contains(where: { $0.name.lowercased() == "content-type" }) {
      request.headers.append(WebHeader("Content-Type", "application/json"))
    }
  }
}

/// What a redirect makes of a request; no I/O.
extension WebRequest {
  private static let secrets: Set<String> = ["authorization", "cookie", "x-api-key"]

  /// The next request after an answer, or nil where it is the last one.
  func following(_ response: WebResponse) throws(WebAddress.Malformed) -> WebRequest? {
    guard [301, 302, 303, 307, 308].contains(response.status), let location = response.header("location")
    else {
      return nil
    }
    var next = self
    next.address = try address.following(location)
    if next.address.origin != address.origin {
      // What was meant for one server is not told to another.
      next.headers.removeAll { Self.secrets.contains($0.name.lowercased()) }
    }
    let becomesGet = response.status == 303 ? method != "HEAD" : method == "POST" && response.status < 303
    if becomesGet {
      next.method = "GET"
      next.body = []
      next.headers.removeAll { $0.name.lowercased().hasPrefix("content-") }
    }
    return next
  }
}
