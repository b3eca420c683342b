import LuaHost
import LuaLibrary
import Testing

/// What `moontide.http` asks, over a network of answers told beforehand.
@Suite struct WebTests {
  private func context(_ project: LibraryProject, _ web: ScriptedWeb, _ flags: [String] = ["--allow-net"])
    throws
    -> LibraryContext
  {
    try project.context(project.permissions(flags), web: web)
  }

  @Test("An answer has status, headers, body, and JSON read when asked")
  func answers() async throws {
    let project = try LibraryProject()
    let web = ScriptedWeb([
      "https://a.example/x?q=%C3%A9%20b": WebResponse(
        status: 404, headers: [WebHeader("X-A", "1"), WebHeader("x-a", "2")], body: Array(#"{"n":[1]}"#.utf8))
    ])
    let values = try await runScript(
      """
      local r = moontide.http.get("HTTPS://A.example:443/x?q=é b#part", { headers = { Accept = "*/*" } })
      return r.status, r.headers["x-a"], r.body, r:json().n[1], r.url
      """, context(project, web))
    #expect(values == [404, "1, 2", "{\"n\":[1]}", 1, "https://a.example/x?q=%C3%A9%20b"])
    #expect(web.requests.map(\.method) == ["GET"])
    #expect(web.requests.first?.headers == [WebHeader("Accept", "*/*")])
  }

  @Test("JSON is sent as JSON, with its type unless it is named")
  func json() async throws {
    let project = try LibraryProject()
    let web = ScriptedWeb(["http://a.example/": WebResponse(status: 200)])
    try await runScript(
      """
      local http = moontide.http
      http.post("http://a.example", { json = { a = moontide.json.array {} } })
      http.request { url = "http://a.example", method = "put", json = 1, headers = { ["content-type"] = "a/b" } }
      http.post("http://a.example", { body = "text" })
      """, context(project, web))
    #expect(web.requests.map { String(decoding: $0.body, as: UTF8.self) } == [#"{"a":[]}"#, "1", "text"])
    #expect(web.requests.map(\.method) == ["POST", "PUT", "POST"])
    #expect(
      web.requests.map(\.headers) == [
        [WebHeader("Content-Type", "application/json")], [WebHeader("content-type", "a/b")], [],
      ])
  }

  @Test("Redirects are followed as browsers do, without secrets for another server")
  func redirects() async throws {
    let project = try LibraryProject()
    let web = ScriptedWeb([
      "https://a.example/1": ScriptedWeb.redirect(to: "/dir/2?x=1", status: 307),
      "https://a.example/dir/2?x=1": ScriptedWeb.redirect(to: "3", status: 308),
      "https://a.example/dir/3": ScriptedWeb.redirect(to: "https://b.example/4", status: 302),
      "https://b.example/4": WebResponse(status: 200, body: Array("end".utf8)),
    ])
    let values = try await runScript(
      """
      local r = moontide.http.post("https://a.example/1",
        { body = "b", headers = { authorization = "secret", Cookie = "c", ["X-Other"] = "o", ["Content-Type"] = "t" } })
      return r.body, r.url
      """, context(project, web))
    #expect(values == ["end", "https://b.example/4"])
    let requests = web.requests
    #expect(requests.map(\.method) == ["POST", "POST", "POST", "GET"])
    #expect(requests.map(\.body.count) == [1, 1, 1, 0])
    #expect(requests.dropLast().allSatisfy { $0.headers.contains(WebHeader("authorization", "secret")) })
    #expect(requests.last?.headers == [WebHeader("X-Other", "o")])
  }

  @Test("A downgrade to http is another server")
  func downgrade() async throws {
    let project = try LibraryProject()
    let web = ScriptedWeb([
      "https://a.example/": ScriptedWeb.redirect(to: "http://a.example/"),
      "http://a.example/": WebResponse(status: 200),
    ])
    try await runScript(
      "moontide.http.get('https://a.example/', { headers = { Authorization = 's' } })", context(project, web))
    #expect(web.requests.last?.headers == [])
  }

  @Test("Five redirects are followed, a sixth is an error, and none when the script says so")
  func counted() async throws {
    let project = try LibraryProject()
    var answers = ["https://a.example/end": WebResponse(status: 200)]
    for number in 1...6 {
      answers["https://a.example/\(number)"] = ScriptedWeb.redirect(to: number == 1 ? "end" : "\(number - 1)")
    }
    let web = ScriptedWeb(answers)
    #expect(
      try await runScript(
        "return moontide.http.get('https://a.example/5').status, "
          + "moontide.http.get('https://a.example/5', { redirects = 0 }).status", context(project, web))
        == [200, 302])
    let error = try await scriptFailure("moontide.http.get('https://a.example/6')", context(project, web))
    #expect((error?.underlying as? WebError)?.code == .redirect)
  }

  @Test("Each redirect is permitted by itself, and the error names its flag")
  func redirectPermission() async throws {
    let project = try LibraryProject()
    let web = ScriptedWeb(["https://a.example/": ScriptedWeb.redirect(to: "http://localhost:8080/")])
    let error = try await scriptFailure(
      "moontide.http.get('https://a.example/')", context(project, web, ["--allow-net=a.example"]))
    #expect(error?.message.hasSuffix("allow it with --allow-net=localhost:8080") == true)
    #expect(web.requests.count == 1)
  }

  @Test("No whole answer in time is an error, and the call ends")
  func timeouts() async throws {
    struct Silence: WebTransport {
      func exchange(_ request: WebRequest, limit: Int) async throws -> WebResponse {
        try await Task.sleep(for: .seconds(3600))
        return WebResponse(status: 200)
      }
    }
    let project = try LibraryProject()
    let context = try project.context(
      project.permissions(["--allow-net"]), web: Silence(), sleep: { #expect($0 == .seconds(2)) })
    let error = try await scriptFailure(
      "moontide.http.get('http://a.example/?secret', { timeout = 2 })", context)
    #expect((error?.underlying as? WebError)?.code == .timeout)
    #expect(error?.message.contains("secret") == false)
  }

  @Test(
    "A call that is written wrongly says so",
    arguments: [
      ("get()", "string wanted"), ("get('a.example')", "begins with http:// or https://"),
      ("get('http:a.example')", "// is missing"), ("get('http:///x')", "there is no host in it"),
      ("get('http://a:0/')", "its port is no number"),
      ("get('http://a.example', { body = 'x', json = 1 })", "both body and json"),
      ("get('http://a.example', { timout = 1 })", "did you mean 'timeout'?"),
      ("get('http://a.example', { timeout = 0 })", "more than 0"),
      ("get('http://a.example', { redirects = 6 })", "integer from 0 to 5"),
      ("get('http://a.example', { headers = { 'X' } })", "value without a name"),
      ("get('http://a.example', { headers = { X = ('v'):rep(40000) } })", "more than 32768 bytes"),
      ("request { url = 'http://a.example', method = 'BREW' }", "one of GET"),
      ("request { method = 'GET' }", "field 'url'"), ("request('http://a.example')", "table wanted"),
    ])
  func mistakes(_ source: String, _ message: String) async throws {
    let project = try LibraryProject()
    let web = ScriptedWeb()
    let error = try await scriptFailure("moontide.http.\(source)", context(project, web))
    let told = "\(error?.message ?? "") \(error?.hint ?? "")"
    #expect(told.contains(message), "\(told)")
    #expect(web.requests.isEmpty)
  }
}
