import FileSessions
import Glibc
import LuaHost
import LuaLibrary
import Testing
import Workspace

/// What a script may, and what it is told when it may not.
@Suite struct PermissionsTests {
  /// Reads the `permissions` of a recipe.
  private func declaration(_ lua: String) async throws -> PermissionDeclaration {
    let script = try LuaScript(LuaConfiguration(name: "test"))
    let values = try await script.load(source: "return " + lua, name: "test.lua")
    let table = try #require(values.first?.table)
    return try PermissionDeclaration(LuaFields(table, place: "slack.lua: field 'permissions'"))
  }

  private let slack = Access.net(host: "hooks.slack.com", port: 443)

  @Test("A recipe may read and write below the project, and nothing else")
  func baseline() throws {
    let path = try ProjectPath("a.md")
    for access in [Access.read(path), .write(path)] { #expect(Permissions.recipe.denial(of: access) == nil) }
    let others: [Access] = [
      .readOutside("/a"), .writeOutside("/a"), slack, .env("HOME"), .run("sh"), .service(scope: "files:read"),
    ]
    for access in others { #expect(Permissions.recipe.denial(of: access) == .notGranted) }
  }

  @Test("A plain script may use the local service without a flag, a remote one only with it")
  func plainScripts() throws {
    let project = try LibraryProject()
    for scope in ServiceScope.all {
      let access = Access.service(scope: scope)
      #expect(try project.permissions(baseline: .plainScript(local: true)).denial(of: access) == nil)
      #expect(try project.permissions(baseline: .plainScript(local: false)).denial(of: access) == .notGranted)
      #expect(
        try project.permissions(["--allow-service=\(scope)"], baseline: .plainScript(local: false))
          .denial(of: access) == nil)
    }
  }

  @Test("A declaration permits nothing, but the error says that it was made")
  func declared() async throws {
    let project = try LibraryProject()
    let declared = try await declaration("{ net = { 'hooks.slack.com' } }")
    let permissions = try project.permissions(declared: declared)
    #expect(permissions.denial(of: slack) == .declaredOnly)
    #expect(permissions.denial(of: .net(host: "other.example", port: 443)) == .notGranted)
    let error = #expect(throws: PermissionError.self) {
      try permissions.check(slack, by: "moontide.http.get")
    }
    #expect(
      error?.description
        == "moontide.http.get: not permitted: net \"hooks.slack.com\": declared, not granted; "
        + "allow it with --allow-net=hooks.slack.com, or with moontide trust recipes/slack.lua")
  }

  @Test("What is trusted is permitted, with paths as they led when it was trusted")
  func trusted() async throws {
    let project = try LibraryProject()
    project.link("project/in", to: project.outside)
    let declared = try await declaration("{ net = 'hooks.slack.com', read = 'in' }")
    let trusted = PermissionDeclaration(declared.wanted.resolved(project.pathBase))
    let permissions = try project.permissions(declared: declared, trusted: trusted)
    #expect(permissions.denial(of: slack) == nil)
    #expect(permissions.denial(of: .readOutside(project.outside + "/a")) == nil)

    try project.make("secret/a")
    #expect(unlink(project.directory + "/in") == 0)
    project.link("project/in", to: project.base + "/secret")
    let later = try project.permissions(declared: declared, trusted: trusted)
    #expect(later.denial(of: .readOutside(project.base + "/secret/a")) == .declaredOnly)
    #expect(later.denial(of: .readOutside(project.outside + "/a")) == nil)
  }

  @Test(
    "A denial names the permission and the flag, fit for a shell",
    arguments: [
      (Access.net(host: "hooks.slack.com", port: 443), "--allow-net=hooks.slack.com"),
      (.net(host: "hooks.slack.com", port: 80), "--allow-net=hooks.slack.com"),
      (.net(host: "localhost", port: 8080), "--allow-net=localhost:8080"),
      (.net(host: "::1", port: 8080), "--allow-net='[::1]:8080'"),
      (.readOutside("/etc/passwd"), "--allow-read=/etc/passwd"),
      (.writeOutside("/my dir/it's"), "--allow-write='/my dir/it'\\''s'"),
      (.env("SLACK_TOKEN"), "--allow-env=SLACK_TOKEN"),
      (.run("pandoc"), "--allow-run=pandoc"),
      (.service(scope: "meetings:create"), "--allow-service=meetings:create"),
    ])
  func flags(_ access: Access, _ flag: String) {
    #expect(access.flag == flag)
    let error = #expect(throws: PermissionError.self) { try Permissions.recipe.check(access, by: "f") }
    #expect(error?.description.hasSuffix("allow it with \(flag)") == true)
    #expect(error?.description.contains("not permitted: \(access.kind.rawValue) ") == true)
  }

  @Test("A script catches a denial like any error, with fields")
  func fields() async throws {
    let project = try LibraryProject()
    let values = try await runScript(
      """
      local ok, err = pcall(moontide.fs.read, "/etc/passwd")
      return ok, err.kind, err.permission, err.wanted, err.flag, tostring(err)
      """, project.context())
    #expect(
      values == [
        false, "permission", "read", "/etc/passwd", "--allow-read=/etc/passwd",
        "moontide.fs.read: not permitted: read \"/etc/passwd\"; allow it with --allow-read=/etc/passwd",
      ])
  }

  @Test("No flag and no trust gives the API key, the trust itself, or the files of the system")
  func never() async throws {
    let project = try LibraryProject()
    let permissions = try project.permissions(
      ["--allow-all"], trusted: try await declaration("{ env = true, read = true, write = true }"),
      withholding: [project.base + "/config"])
    let accesses: [Access] = [
      .env("LIGHTFIELD_API_KEY"), .readOutside("/proc/self/environ"), .readOutside("/sys/a"),
      .writeOutside("/dev/null"), .readOutside(project.base + "/config/trust.json"),
      .writeOutside(project.base + "/config/trust.json"),
    ]
    for access in accesses {
      guard case .never = permissions.denial(of: access) else {
        Issue.record("\(access) is permitted")
        continue
      }
      let error = #expect(throws: PermissionError.self) { try permissions.check(access, by: "f") }
      #expect(error?.description.contains("--allow") == false)
    }
  }

  @Test("A declaration takes a text, a list, or true for everything")
  func forms() async throws {
    let declared = try await declaration(
      "{ read = { '../in', '/data' }, net = 'a.example:81', env = true, run = false, service = { 'files:read' } }"
    )
    #expect(
      declared.wanted.lines == [
        "env: everything", "net: a.example:81", "read: ../in, /data", "service: files:read",
      ])
    #expect(try await declaration("{}").isEmpty)
  }

  @Test(
    "A declaration that is written wrongly names the field and what was meant",
    arguments: [
      ("{ nett = { 'a' } }", "slack.lua: field 'permissions': unknown field 'nett' (did you mean 'net'?)"),
      ("{ 'net' }", "slack.lua: field 'permissions': a value without a name (write name = value)"),
      ("{ net = 3 }", "slack.lua: field 'permissions': field 'net': list of strings wanted, got number 3"),
      ("{ net = { 3 } }", "slack.lua: field 'permissions': field 'net[1]': string wanted, got number 3"),
      ("{ service = { 'file:read' } }", "\"file:read\" is no scope of the API; did you mean files:read?"),
      ("{ net = { 'https://a' } }", "field 'net': \"https://a\" is no host"),
      ("{ env = { '' } }", "field 'env': a name wanted, got an empty one"),
    ])
  func mistakes(_ lua: String, _ message: String) async throws {
    let error = await #expect(throws: LuaValueError.self) { try await declaration(lua) }
    #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
  }

  @Test("A handler looks at its own job's session; another session takes the scope")
  func ownSession() async throws {
    let project = try LibraryProject()
    let context = try project.context()
    let session = FileSession(
      id: "fil_1", filename: "a", mimeType: "text/plain", sizeBytes: 1, status: .completed,
      createdAt: Timestamp(milliseconds: 0), expiresAt: nil, completedAt: nil)
    let source = "local s = ...; return s:refresh()"
    let own = SessionHandle(session, context: context, isOfJob: true).value
    let other = SessionHandle(session, context: context).value
    let missing = await #expect(throws: LuaError.self) { try await runScript(source, context, [own]) }
    #expect(missing?.underlying is ServiceError)
    let denied = await #expect(throws: LuaError.self) { try await runScript(source, context, [other]) }
    #expect((denied?.underlying as? PermissionError)?.access == .service(scope: "files:read"))
  }

  @Test("moontide.files takes the scopes of the API")
  func scopes() async throws {
    let project = try LibraryProject()
    try project.make("project/a.txt", "a")
    let denied = try project.context()
    let create = "moontide.files.create { filename = 'a', mime_type = 'text/plain', size_bytes = 1 }"
    for (source, scope) in [
      (create, "files:create"), ("moontide.files.upload('a.txt')", "files:create"),
      ("moontide.files.get('x')", "files:read"), ("moontide.files.list()", "files:read"),
      ("for s in moontide.files.each() do end", "files:read"),
    ] {
      let error = try await scriptFailure(source, denied)
      #expect((error?.underlying as? PermissionError)?.access == .service(scope: scope), "\(source)")
    }
    let reader = try project.context(project.permissions(["--allow-service=files:read"]))
    #expect(try await runScript("return moontide.files.list().total_count", reader) == [0])
  }
}
