import LuaHost
import LuaLibrary
import Testing
import Workspace

/// Attempts to get at what was not permitted. A new one is a new row.
@Suite struct EscapeTests {
  /// What has to be the end of it.
  enum End: Sendable, Equatable {
    /// A `PermissionError`.
    case denied
    /// A `PermissionError` that no flag would help against.
    case never
    /// A `WorkspaceError` with this code.
    case file(WorkspaceError.Code)
    /// An argument that is refused before anything is done.
    case refused
    /// No error, and this value.
    case value(LuaValue)
  }

  struct Attempt: Sendable, CustomTestStringConvertible {
    var name: String
    var flags: [String] = []
    var source: String
    var end: End = .denied

    var testDescription: String { name }
  }

  /// In all: `project/in.txt`, `project/.moontide/ledger`, links `project/out` and `project/outfile` that lead to
  /// `outside` and `outside/secret.txt`; `outside/in` with a link `up` to `..`; a key in the environment.
  static let attempts: [Attempt] = files + grantedFiles + state + environment + programs + network + modules

  static let files = [
    Attempt(name: "an absolute path", source: "moontide.fs.read('/etc/passwd')"),
    Attempt(name: "..", source: "moontide.fs.read('../outside/secret.txt')"),
    Attempt(name: ".. in the middle", source: "moontide.fs.read('a/b/../../../outside/secret.txt')"),
    Attempt(name: "a link to a directory outside", source: "moontide.fs.read('out/secret.txt')"),
    Attempt(name: "a link to a file outside", source: "moontide.fs.read('outfile')"),
    Attempt(
      name: ".. after a link", source: "moontide.fs.read('out/../outside/secret.txt')", end: .file(.notFound)),
    Attempt(
      name: "a NUL", source: "moontide.fs.read('in.txt\\0/../../outside/secret.txt')",
      end: .file(.invalidName)),
    Attempt(
      name: "a NUL in an absolute path", source: "moontide.fs.read('/etc\\0/passwd')",
      end: .file(.invalidName)),
    Attempt(name: "no UTF-8", source: "moontide.fs.read('\\xff/../../x')", end: .refused),
    Attempt(name: "a number for a path", source: "moontide.fs.read(1)", end: .refused),
    Attempt(name: "listing outside", source: "moontide.fs.list('..')"),
    Attempt(name: "globbing outside", source: "moontide.fs.glob('**', { root = '..' })"),
    Attempt(name: "globbing through a link", source: "moontide.fs.glob('**', { root = 'out' })"),
    Attempt(
      name: "a pattern with ..", source: "return #moontide.fs.glob('../outside/*')", end: .refused),
    Attempt(name: "whether it is there", source: "moontide.fs.exists('/etc/passwd')"),
    Attempt(name: "how large it is", source: "moontide.fs.stat('out/secret.txt')"),
    Attempt(name: "writing outside", source: "moontide.fs.write('../outside/new.txt', 'x')"),
    Attempt(name: "writing through a link", source: "moontide.fs.write('outfile', 'x')"),
    Attempt(name: "writing below a link", source: "moontide.fs.write('out/new.txt', 'x')"),
    Attempt(name: "making a directory outside", source: "moontide.fs.mkdir('out/made')"),
    Attempt(name: "removing outside", source: "moontide.fs.remove('out/secret.txt')"),
    Attempt(name: "copying in", source: "moontide.fs.copy('out/secret.txt', 'mine.txt')"),
    Attempt(name: "copying out", source: "moontide.fs.copy('in.txt', 'out/')"),
    Attempt(name: "moving in", source: "moontide.fs.move('out/secret.txt', 'mine.txt')"),
    Attempt(name: "moving out", source: "moontide.fs.move('in.txt', '../outside/')"),
    Attempt(name: "hashing", source: "moontide.hash.file('/etc/passwd')"),
    Attempt(
      name: "sending", flags: ["--allow-service=files:create"],
      source: "moontide.files.upload('../outside/secret.txt')"),
    Attempt(name: "a home directory", source: "moontide.fs.read('~/secret.txt')", end: .file(.notFound)),
  ]

  static let grantedFiles = [
    Attempt(
      name: "beside what is granted", flags: ["--allow-read=../outside/in"],
      source: "moontide.fs.read('../outside/secret.txt')"),
    Attempt(
      name: ".. out of what is granted", flags: ["--allow-read=../outside/in"],
      source: "moontide.fs.read('../outside/in/../secret.txt')"),
    Attempt(
      name: "a link out of what is granted", flags: ["--allow-read=../outside/in"],
      source: "moontide.fs.read('../outside/in/up/secret.txt')"),
    Attempt(
      name: "the same beginning as what is granted", flags: ["--allow-read=../outside/in"],
      source: "moontide.fs.read('../outside/inner.txt')"),
    Attempt(
      name: "writing where reading is granted", flags: ["--allow-read"],
      source: "moontide.fs.write('../outside/new.txt', 'x')"),
    Attempt(
      name: "reading where writing is granted", flags: ["--allow-write"],
      source: "moontide.fs.read('../outside/secret.txt')"),
    Attempt(
      name: "moving away what may only be read", flags: ["--allow-read"],
      source: "moontide.fs.move('../outside/secret.txt', 'mine.txt')"),
    Attempt(
      name: "what another script is granted", flags: ["--allow-read=handbook:../outside"],
      source: "moontide.fs.read('../outside/secret.txt')"),
  ]

  static let state = [
    Attempt(name: "the ledger", source: "moontide.fs.read('.moontide/ledger')", end: .file(.protected)),
    Attempt(
      name: "the ledger, spelled ./", source: "moontide.fs.read('./.moontide//ledger')",
      end: .file(.protected)),
    Attempt(
      name: "the ledger through ..", source: "moontide.fs.read('a/../.moontide/ledger')",
      end: .file(.protected)),
    Attempt(
      name: "the ledger with all flags", flags: ["--allow-all"],
      source: "moontide.fs.read('.moontide/ledger')",
      end: .file(.protected)),
    Attempt(
      name: "the ledger from outside, with all flags", flags: ["--allow-all"],
      source: "moontide.fs.read('../project/.moontide/ledger')", end: .file(.protected)),
    Attempt(
      name: "the ledger through a link", flags: ["--allow-all"], source: "moontide.fs.read('state/ledger')",
      end: .file(.protected)),
    Attempt(
      name: "writing the ledger", source: "moontide.fs.write('.moontide/ledger', 'x')", end: .file(.protected)
    ),
    Attempt(
      name: "removing the ledger", source: "moontide.fs.remove('.moontide/ledger')", end: .file(.protected)),
    Attempt(
      name: "moving the ledger away", source: "moontide.fs.move('.moontide/ledger', 'mine')",
      end: .file(.protected)),
    Attempt(
      name: "another project's ledger", flags: ["--allow-all"],
      source: "moontide.fs.read('../outside/.moontide/ledger')", end: .file(.protected)),
    Attempt(
      name: "the trust of the user", flags: ["--allow-all"],
      source: "moontide.fs.write('../config/trust.json', '{}')", end: .never),
    Attempt(
      name: "the trust of the user through a link", flags: ["--allow-all"],
      source: "moontide.fs.read('../outside/config/trust.json')", end: .never),
  ]

  static let environment = [
    Attempt(name: "a variable", source: "return moontide.env.HOME"),
    Attempt(name: "the key", source: "return moontide.env.LIGHTFIELD_API_KEY", end: .never),
    Attempt(
      name: "the key with its flag", flags: ["--allow-env=LIGHTFIELD_API_KEY"],
      source: "return moontide.env.LIGHTFIELD_API_KEY", end: .never),
    Attempt(
      name: "the key with all flags", flags: ["--allow-all"],
      source: "return moontide.env['LIGHTFIELD_API_KEY']",
      end: .never),
    Attempt(
      name: "a copy of the key", flags: ["--allow-all"], source: "return moontide.env.COPY_OF_KEY",
      end: .value(.nil)),
    Attempt(name: "all variables", source: "return next(moontide.env)", end: .value(.nil)),
    Attempt(name: "os.getenv", flags: ["--allow-all"], source: "return os.getenv == nil", end: .value(true)),
    Attempt(
      name: "the environment of the process", flags: ["--allow-all"],
      source: "return moontide.fs.read('/proc/self/environ')", end: .never),
    Attempt(
      name: "the environment, through ..", flags: ["--allow-all"],
      source: "return moontide.fs.read('../../../../../../proc/self/environ')", end: .never),
    Attempt(
      name: "copying the environment", flags: ["--allow-all"],
      source: "return moontide.fs.copy('/proc/self/environ', 'mine')", end: .never),
    Attempt(
      name: "the process through a link", flags: ["--allow-all"],
      source: "return moontide.fs.read('../outside/proc/environ')", end: .never),
  ]

  static let programs = [
    Attempt(name: "a program", source: "moontide.process.run { 'true' }"),
    Attempt(name: "another program", flags: ["--allow-run=true"], source: "moontide.process.run { 'false' }"),
    Attempt(
      name: "a path where a name is granted", flags: ["--allow-run=true"],
      source: "moontide.process.run { '/bin/true' }"),
    Attempt(
      name: "a program of the project", flags: ["--allow-run=true"],
      source: "moontide.process.run { './true' }"),
    Attempt(
      name: "a shell's syntax", flags: ["--allow-run=true"],
      source: "moontide.process.run { 'true; cat /etc/passwd' }"),
    Attempt(
      name: "starting outside", flags: ["--allow-run=pwd"],
      source: "moontide.process.run { 'pwd', cwd = '..' }"),
    Attempt(
      name: "starting behind a link", flags: ["--allow-run=pwd"],
      source: "moontide.process.run { 'pwd', cwd = 'out' }"),
    Attempt(
      name: "other code in the program", flags: ["--allow-run=true"],
      source: "moontide.process.run { 'true', env = { LD_PRELOAD = './evil.so' } }", end: .refused),
    Attempt(
      name: "the key for the program", flags: ["--allow-all"],
      source: "moontide.process.run { 'true', env = { LIGHTFIELD_API_KEY = 'x' } }", end: .refused),
    Attempt(
      name: "a variable in a value", flags: ["--allow-run=true"],
      source: "moontide.process.run { 'true', env = { A = 'x\\0LD_PRELOAD=y' } }", end: .refused),
    Attempt(
      name: "a variable in a name", flags: ["--allow-run=true"],
      source: "moontide.process.run { 'true', env = { ['A=B'] = 'x' } }", end: .refused),
    Attempt(
      name: "a NUL in an argument", flags: ["--allow-run=true"],
      source: "moontide.process.run { 'true', 'a\\0b' }",
      end: .refused),
    Attempt(
      name: "another search path", flags: ["--allow-run=evil"],
      source: """
        local ok, err = pcall(moontide.process.run, { 'evil', env = { PATH = 'bin' } })
        return err.code
        """, end: .value("not_found")),
    Attempt(
      name: "the key in a program's environment", flags: ["--allow-run=env", "--allow-env"],
      source: """
        local out = moontide.process.run { 'env' }.stdout
        return (out:find("KEY") or out:find("sk_lf")) == nil and out:find("OTHER=o") ~= nil
        """, end: .value(true)),
  ]

  static let network = [
    Attempt(name: "a server", source: "moontide.http.get('https://a.example/')"),
    Attempt(
      name: "another server", flags: ["--allow-net=a.example"],
      source: "moontide.http.get('https://b.example/')"),
    Attempt(
      name: "another port", flags: ["--allow-net=a.example:443"],
      source: "moontide.http.get('https://a.example:8443/')"),
    Attempt(
      name: "another scheme's port", flags: ["--allow-net=a.example:443"],
      source: "moontide.http.get('http://a.example/')"),
    Attempt(
      name: "a server below", flags: ["--allow-net=a.example"],
      source: "moontide.http.get('https://x.a.example/')"),
    Attempt(
      name: "a server that ends alike", flags: ["--allow-net=a.example"],
      source: "moontide.http.get('https://evila.example/')"),
    Attempt(
      name: "a user name like a server", flags: ["--allow-net=a.example"],
      source: "moontide.http.get('https://a.example@b.example/')", end: .refused),
    Attempt(
      name: "a backslash", flags: ["--allow-net=a.example"],
      source: "moontide.http.get('https://b.example\\\\@a.example/')", end: .refused),
    Attempt(
      name: "a host with a NUL", flags: ["--allow-net=a.example"],
      source: "moontide.http.get('https://a.example\\0.b.example/')", end: .refused),
    Attempt(
      name: "a host with a space", flags: ["--allow-net=a.example"],
      source: "moontide.http.get('https://a.example b.example/')", end: .refused),
    Attempt(
      name: "a full-width point in the host", flags: ["--allow-net=a.example"],
      source: "moontide.http.get('https://a．example/')", end: .refused),
    Attempt(
      name: "a number for an address", flags: ["--allow-net=127.0.0.1"],
      source: "moontide.http.get('http://2130706433/')"),
    Attempt(
      name: "a file", flags: ["--allow-all"], source: "moontide.http.get('file:///etc/passwd')", end: .refused
    ),
    Attempt(
      name: "another protocol", flags: ["--allow-all"], source: "moontide.http.get('gopher://a.example/')",
      end: .refused),
    Attempt(
      name: "a unix socket", flags: ["--allow-all"], source: "moontide.http.get('http+unix://%2Ftmp%2Fs/')",
      end: .refused),
    Attempt(
      name: "a redirect elsewhere", flags: ["--allow-net=a.example"],
      source: "moontide.http.get('https://a.example/away')"),
    Attempt(
      name: "a redirect to another port", flags: ["--allow-net=a.example:443"],
      source: "moontide.http.get('https://a.example/port')"),
    Attempt(
      name: "a redirect to a file", flags: ["--allow-all"],
      source: "return select(2, pcall(moontide.http.get, 'https://a.example/file')).code",
      end: .value("redirect")),
    Attempt(
      name: "redirects in a circle", flags: ["--allow-all"],
      source: "return select(2, pcall(moontide.http.get, 'https://a.example/circle')).code",
      end: .value("redirect")),
    Attempt(
      name: "a header in a header", flags: ["--allow-all"],
      source: "moontide.http.get('https://a.example/', { headers = { A = 'x\\r\\nHost: b' } })", end: .refused
    ),
    Attempt(
      name: "a header in a header's name", flags: ["--allow-all"],
      source: "moontide.http.get('https://a.example/', { headers = { ['A: x\\r\\nB'] = 'y' } })",
      end: .refused),
    Attempt(
      name: "another host in the header", flags: ["--allow-all"],
      source: "moontide.http.get('https://a.example/', { headers = { hOST = 'b.example' } })", end: .refused),
    Attempt(
      name: "a second request in the body", flags: ["--allow-all"],
      source: "moontide.http.post('https://a.example/', { headers = { ['Transfer-Encoding'] = 'chunked' } })",
      end: .refused),
    Attempt(
      name: "a line end in the address", flags: ["--allow-all"],
      source: "moontide.http.get('https://a.example/ HTTP/1.1\\r\\nHost: b.example\\r\\n')", end: .refused),
    Attempt(
      name: "a line end in the method", flags: ["--allow-all"],
      source: "moontide.http.request { url = 'https://a.example/', method = 'GET / HTTP/1.1\\r\\nX' }",
      end: .refused),
  ]

  static let modules = [
    Attempt(
      name: "taking the checks away",
      source: """
        moontide.permissions = nil
        pcall(function() moontide.fs.list = nil end)
        return moontide.fs.read('/etc/passwd')
        """),
    Attempt(
      name: "a table that lies about its fields", flags: ["--allow-run=true"],
      source: "moontide.process.run(setmetatable({}, { __index = { 'false' } }))", end: .refused),
    Attempt(
      name: "the key in an error",
      source: """
        local ok, err = pcall(function() return moontide.env.LIGHTFIELD_API_KEY end)
        return tostring(err):find("sk_lf") == nil
        """, end: .value(true)),
  ]

  private func project() throws -> LibraryProject {
    let project = try LibraryProject()
    try project.make("project/in.txt", "inside")
    try project.make("project/.moontide/ledger", "state")
    try project.make("project/bin/evil", "#!/bin/sh\necho evil\n")
    try project.make("outside/secret.txt", "SECRET")
    try project.make("outside/inner.txt", "SECRET")
    try project.make("outside/in/a.txt", "granted")
    try project.make("outside/.moontide/ledger", "state")
    try project.make("config/trust.json", "{}")
    project.link("project/out", to: project.outside)
    project.link("project/outfile", to: "../outside/secret.txt")
    project.link("project/state", to: ".moontide")
    project.link("outside/in/up", to: "..")
    project.link("outside/config", to: "../config")
    project.link("outside/proc", to: "/proc/self")
    return project
  }

  private let web = ScriptedWeb([
    "https://a.example/away": ScriptedWeb.redirect(to: "https://b.example/"),
    "https://a.example/port": ScriptedWeb.redirect(to: "//a.example:8443/"),
    "https://a.example/file": ScriptedWeb.redirect(to: "file:///etc/passwd"),
    "https://a.example/circle": ScriptedWeb.redirect(to: "circle"),
  ])

  @Test("Nothing gets out", arguments: attempts)
  func attempt(_ attempt: Attempt) async throws {
    let project = try project()
    let permissions = try project.permissions(attempt.flags, withholding: [project.base + "/config"])
    let key = "sk_lf_0123456789abcdef"
    let context = try project.context(
      permissions,
      environment: [
        "LIGHTFIELD_API_KEY": key, "COPY_OF_KEY": "Bearer \(key)", "HOME": "/root", "OTHER": "o",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
      ], web: web)
    if case .value(let wanted) = attempt.end {
      #expect(try await runScript(attempt.source, context).first ?? .nil == wanted)
    } else {
      let error = try #require(try await scriptFailure(attempt.source, context)?.underlying)
      switch (attempt.end, error) {
      case (.denied, let error as PermissionError):
        if case .never = error.reason { Issue.record("\(error)") }
      case (.never, let error as PermissionError):
        guard case .never = error.reason else {
          Issue.record("\(error)")
          return
        }
      case (.file(let code), let error as WorkspaceError): #expect(error.code == code)
      case (.refused, is LuaValueError): break
      default: Issue.record("\(type(of: error)): \(error)")
      }
      #expect(!"\(error)".contains(key))
      #expect(!"\(error)".contains("SECRET"))
    }
    // And nothing was done.
    #expect(project.content("outside/secret.txt") == "SECRET")
    #expect(project.content("project/in.txt") == "inside")
    #expect(project.content("project/.moontide/ledger") == "state")
    #expect(project.content("config/trust.json") == "{}")
    #expect(project.content("outside/new.txt") == nil)
    #expect(project.content("project/mine.txt") == nil)
    #expect(web.requests.allSatisfy { $0.address.host == "a.example" && $0.address.port == 443 })
  }
}
