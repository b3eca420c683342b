import LuaHost

extension LuaLibrary {
  /// `moontide.http`: `get(url, options)`, `post(url, options)`, `request { url =, method =, … }`.
  static func http(_ context: LibraryContext) -> LuaModule {
    LuaModule("moontide.http") { module in
      for (name, method) in [("get", "GET"), ("post", "POST")] {
        module.waiting(name) { call in
          let web = try WebCall(method, try call.string(1), call.optionalFields(2), function: call.name)
          return try context.asking(web, from: call)
        }
      }
      module.waiting("request") { call in
        let web = try WebCall(nil, nil, call.fields(1), function: call.name)
        return try context.asking(web, from: call)
      }
      module.script(responses)
    }
  }

  /// JSON crosses as text, so that the Lua side of `moontide.json` keeps lists and objects apart.
  private static let responses = """
    local http = ...
    local encode, decode = moontide.json.encode, moontide.json.decode
    local pairs, type = pairs, type
    local get, post, request = http.get, http.post, http.request

    local function prepared(options)
      if type(options) ~= "table" or options.json == nil then return options end
      local copy = {}
      for name, value in pairs(options) do copy[name] = value end
      copy.json = encode(options.json)
      return copy
    end

    local function finished(response)
      local body = response.body
      function response.json() return decode(body) end
      return response
    end

    function http.get(url, options) return finished(get(url, prepared(options))) end
    function http.post(url, options) return finished(post(url, prepared(options))) end
    function http.request(options) return finished(request(prepared(options))) end
    """
}

extension LibraryContext {
  fileprivate func asking(_ call: WebCall, from caller: borrowing LuaCall) throws -> LuaOperation {
    try require(call.request.address, by: call.function)
    try caller.requireKnowable("http", in: self)
    guard let web else {
      throw LuaValueError(place: call.function, problem: "there is no network here")
    }
    return LuaOperation {
      try await withThrowingTaskGroup(of: [LuaValue]?.self) { group in
        group.addTask { [try await ask(call, web)] }
        group.addTask {
          try await sleep(call.timeout)
          return nil
        }
        defer { group.cancelAll() }
        if let values = try await group.next() ?? nil { return values }
        throw WebError(
          .timeout, call.request.address,
          "no whole answer within \(call.timeout); give it more with timeout = seconds")
      }
    }
  }

  private func require(_ address: WebAddress, by function: String) throws(PermissionError) {
    try require(.net(host: address.host, port: address.port), by: function)
  }

  /// Asks, and follows redirects: each one is permitted by itself or ends the call.
  private func ask(_ call: WebCall, _ web: any WebTransport) async throws -> LuaValue {
    var request = call.request
    var redirects = 0
    while true {
      let response = try await web.exchange(request, limit: call.limit)
      guard call.redirects > 0, let next = try following(response, request) else {
        return value(response, of: request.address)
      }
      redirects += 1
      guard redirects <= call.redirects else {
        throw WebError(
          .redirect, call.request.address,
          "more than \(call.redirects) redirects; the last led to \(next.address.origin)")
      }
      try require(next.address, by: call.function)
      request = next
    }
  }

  private func following(_ response: WebResponse, _ request: WebRequest) throws(WebError) -> WebRequest? {
    do throws(WebAddress.Malformed) {
      return try request.following(response)
    } catch {
      throw WebError(
        .redirect, request.address, "it redirects to an address that cannot be asked: \(error.problem)")
    }
  }

  private func value(_ response: WebResponse, of address: WebAddress) -> LuaValue {
    var headers: [String: String] = [:]
    for header in response.headers {
      let name = header.name.lowercased()
      headers[name] = headers[name].map { "\($0), \(header.value)" } ?? header.value
    }
    return .fields([
      "status": .int(response.status), "url": .string(address.description), "body": .bytes(response.body),
      "headers": .fields(headers.mapValues { .string($0) }),
    ])
  }
}
