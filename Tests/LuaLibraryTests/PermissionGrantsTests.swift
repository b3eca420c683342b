import LuaLibrary
import Testing

/// The flags of the command line.
@Suite struct PermissionGrantsTests {
  struct Row: Sendable, CustomTestStringConvertible {
    var flags: [String]
    var access: Access
    var script = "slack"
    var isGranted: Bool

    var testDescription: String { "\(flags) \(access) for \(script)" }
  }

  static let rows = [
    Row(flags: ["--allow-net"], access: .net(host: "a.example", port: 1), isGranted: true),
    Row(flags: ["--allow-net=a.example"], access: .net(host: "a.example", port: 8080), isGranted: true),
    Row(flags: ["--allow-net=A.Example."], access: .net(host: "a.example", port: 443), isGranted: true),
    Row(flags: ["--allow-net=a.example:443"], access: .net(host: "a.example", port: 443), isGranted: true),
    Row(flags: ["--allow-net=a.example:443"], access: .net(host: "a.example", port: 80), isGranted: false),
    Row(flags: ["--allow-net=a.example"], access: .net(host: "b.a.example", port: 443), isGranted: false),
    Row(flags: ["--allow-net=a.example"], access: .net(host: "xa.example", port: 443), isGranted: false),
    Row(flags: ["--allow-net=[::1]:80"], access: .net(host: "::1", port: 80), isGranted: true),
    Row(flags: ["--allow-net=[0:0::1]"], access: .net(host: "::1", port: 80), isGranted: true),
    Row(
      flags: ["--allow-net=a.example,b.example:81"], access: .net(host: "b.example", port: 81),
      isGranted: true),
    Row(flags: ["--allow-net=localhost:8080"], access: .net(host: "localhost", port: 8080), isGranted: true),
    Row(flags: ["--allow-net=slack:a.example"], access: .net(host: "a.example", port: 443), isGranted: true),
    Row(
      flags: ["--allow-net=slack:a.example"], access: .net(host: "a.example", port: 443), script: "other",
      isGranted: false),
    Row(
      flags: ["--allow-net=slack:a.example:81"], access: .net(host: "a.example", port: 81), isGranted: true),
    Row(
      flags: ["--allow-net=slack:a.example,b.example"], access: .net(host: "b.example", port: 443),
      script: "other", isGranted: false),
    Row(
      flags: ["--allow-net=b.example,slack:a.example"], access: .net(host: "b.example", port: 443),
      script: "other", isGranted: true),
    Row(flags: ["--allow-net=slack:"], access: .net(host: "any.example", port: 443), isGranted: true),
    Row(flags: ["--allow-env=TOKEN"], access: .env("TOKEN"), isGranted: true),
    Row(flags: ["--allow-env=TOKEN"], access: .env("TOKENS"), isGranted: false),
    Row(flags: ["--allow-env=slack:TOKEN"], access: .env("TOKEN"), isGranted: true),
    Row(flags: ["--allow-run=pandoc"], access: .run("pandoc"), isGranted: true),
    Row(flags: ["--allow-run=pandoc"], access: .run("/usr/bin/pandoc"), isGranted: false),
    Row(flags: ["--allow-run=/usr/bin/pandoc"], access: .run("/usr/bin/pandoc"), isGranted: true),
    Row(flags: ["--allow-run=/usr/bin/pandoc"], access: .run("pandoc"), isGranted: false),
    Row(flags: ["--allow-service=files:create"], access: .service(scope: "files:create"), isGranted: true),
    Row(flags: ["--allow-service=files:create"], access: .service(scope: "files:read"), isGranted: false),
    Row(flags: ["--allow-service=slack:files:read"], access: .service(scope: "files:read"), isGranted: true),
    Row(
      flags: ["--allow-service=slack:files:read"], access: .service(scope: "files:read"), script: "x",
      isGranted: false),
    Row(flags: ["--allow-read=/nowhere/in"], access: .readOutside("/nowhere/in/a"), isGranted: true),
    Row(flags: ["--allow-read=/nowhere/in"], access: .readOutside("/nowhere/in"), isGranted: true),
    Row(flags: ["--allow-read=/nowhere/in"], access: .readOutside("/nowhere/inner"), isGranted: false),
    Row(flags: ["--allow-read=/nowhere/in"], access: .writeOutside("/nowhere/in/a"), isGranted: false),
    Row(
      flags: ["--allow-read=/nowhere/in/../on/./x"], access: .readOutside("/nowhere/on/x/a"), isGranted: true),
    Row(flags: ["--allow-read=slack:/nowhere"], access: .readOutside("/nowhere/a"), isGranted: true),
    Row(
      flags: ["--allow-read=slack:/nowhere"], access: .readOutside("/nowhere/a"), script: "x",
      isGranted: false),
    Row(flags: ["--allow-write"], access: .writeOutside("/nowhere/a"), isGranted: true),
    Row(flags: ["--allow-write"], access: .readOutside("/nowhere/a"), isGranted: false),
    Row(flags: ["--allow-all"], access: .run("pandoc"), isGranted: true),
    Row(flags: ["--allow-all=slack"], access: .run("pandoc"), isGranted: true),
    Row(flags: ["--allow-all=slack,b"], access: .run("pandoc"), script: "b", isGranted: true),
    Row(flags: ["--allow-all=slack"], access: .run("pandoc"), script: "other", isGranted: false),
  ]

  @Test("A flag grants what it says and nothing else", arguments: rows)
  func grants(_ row: Row) throws {
    let project = try LibraryProject()
    let permissions = Permissions(
      script: "dir/\(row.script).lua", grants: try project.grants(row.flags), project: project.pathBase)
    #expect((permissions.denial(of: row.access) == nil) == row.isGranted)
  }

  @Test("Relative paths in flags are those of the current directory, and ~ is the home")
  func relative() throws {
    let project = try LibraryProject()
    let permissions = try project.permissions(["--allow-read=../outside,~/in"])
    #expect(permissions.denial(of: .readOutside(project.outside + "/a")) == nil)
    #expect(permissions.denial(of: .readOutside(project.base + "/home/in/a")) == nil)
    #expect(permissions.denial(of: .readOutside(project.base + "/home/b")) == .notGranted)
  }

  @Test(
    "A flag that is written wrongly says what to write instead",
    arguments: [
      ("--allow-nett=a.example", "did you mean --allow-net?"),
      ("--allow-everything", "there are --allow-read, --allow-write"),
      ("--allow-net=https://a.example/x", "write host or host:port"),
      ("--allow-net=a.example:0", "from 1 to 65535"),
      ("--allow-net=slack:a.example:y", "from 1 to 65535"),
      ("--allow-net=", "got an empty one"),
      ("--allow-net=a.example,,b.example", "got an empty one"),
      ("--allow-net=user@a.example", "letters, digits, points and hyphens"),
      ("--allow-net=*", "letters, digits, points and hyphens"),
      ("--allow-env=A-B", "no name of an environment variable"),
      ("--allow-service=files:reed", "did you mean files:read?"),
      ("--allow-service=everything", "there are files:create"),
      ("--allow-all=", "the name of a script wanted"),
    ])
  func mistakes(_ flag: String, _ advice: String) throws {
    var grants = PermissionGrants()
    let error = #expect(throws: PermissionSyntaxError.self) {
      _ = try grants.take(flag, base: PathBase(directory: "/"))
    }
    #expect(error?.problem.contains(advice) == true, "\(error?.problem ?? "")")
    #expect(grants.isEmpty || flag.contains(","))
  }

  @Test("Other flags are left alone")
  func others() throws {
    var grants = PermissionGrants()
    #expect(try grants.take("--watch", base: PathBase(directory: "/")) == false)
    #expect(grants.isEmpty)
  }
}
