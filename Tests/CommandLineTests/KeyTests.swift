import FileSessions
import Foundation
import LocalService
import Testing

@Suite("The key")
struct KeyTests {
  private func sandbox() throws -> Sandbox {
    let sandbox = try Sandbox()
    try sandbox.write("content", to: "in/a.md")
    try sandbox.write("return { name = 'all', discover = 'in/*.md' }", to: "all.lua")
    return sandbox
  }

  enum Place: String, CaseIterable {
    case flag, variable, file, credential
  }

  @Test("comes from where a profile says", arguments: Place.allCases)
  func sources(place: Place) async throws {
    try await withRemote { remote in
      let (sandbox, secrets) = (try sandbox(), try Sandbox())
      try secrets.write(remote.key + "\n", to: "key")
      chmod(secrets.path("key"), 0o600)
      let run: Finished
      switch place {
      case .flag:
        run = try await sandbox.moontide(
          "run", "all.lua", "--service", remote.url, "--api-key-file", secrets.path("key"))
      case .variable:
        try await add(remote, "--key-env", "STAGING_KEY", to: sandbox)
        run = try await sandbox.moontide(
          "run", "all.lua", "--profile", "staging", environment: ["STAGING_KEY": remote.key])
      case .file:
        try await add(remote, "--key-file", secrets.path("key"), to: sandbox)
        run = try await sandbox.moontide("run", "all.lua", "--profile", "staging")
      case .credential:
        try await add(remote, "--key-credential", "key", to: sandbox)
        run = try await sandbox.moontide(
          "run", "all.lua", "--profile", "staging", environment: ["CREDENTIALS_DIRECTORY": secrets.root])
      }
      #expect(run.status == 0 && run.lastLine.contains("1 sent"), "\(run)")
      #expect(run.output.contains("key \(remote.keyHint)") && run.errors.isEmpty)
    }
  }

  private func add(_ remote: Remote, _ flag: String, _ place: String, to sandbox: Sandbox) async throws {
    let added = try await sandbox.moontide(
      "profiles", "add", "staging", "--service", remote.url, flag, place)
    #expect(added.status == 0, "\(added)")
  }

  @Test("is warned of in a file that others can read, and refused from one that they can write")
  func openFile() async throws {
    try await withRemote { remote in
      let (sandbox, secrets) = (try sandbox(), try Sandbox())
      try secrets.write(remote.key, to: "key")
      let arguments = ["files", "list", "--service", remote.url, "--api-key-file", secrets.path("key")]
      chmod(secrets.path("key"), 0o644)
      let readable = try await Running(arguments, in: sandbox.root, environment: [:]).finished()
      #expect(readable.status == 0 && readable.errors.contains("chmod 600"), "\(readable)")
      chmod(secrets.path("key"), 0o666)
      let writable = try await Running(arguments, in: sandbox.root, environment: [:]).finished()
      #expect(writable.status == 2 && writable.errors.contains("chmod 600"), "\(writable)")
    }
  }

  @Test("is refused from a file in the project, where recipes send")
  func fileInProject() async throws {
    let sandbox = try sandbox()
    try sandbox.write("sk_lf_0123456789a1b2", to: "key.txt")
    let run = try await sandbox.moontide("run", "all.lua", "--api-key-file", "key.txt")
    #expect(run.status == 2 && run.errors.contains("key.txt") && !sandbox.has(".moontide"), "\(run)")
  }

  @Test(
    "that is no key is not shown", arguments: ["two words", "", "  ", String(repeating: "x", count: 5000)])
  func noKey(text: String) async throws {
    let (sandbox, secrets) = (try sandbox(), try Sandbox())
    try secrets.write(text, to: "key")
    chmod(secrets.path("key"), 0o600)
    let run = try await sandbox.moontide("run", "all.lua", "--api-key-file", secrets.path("key"))
    #expect(run.status == 2 && run.errors.contains("holds"), "\(run)")
    #expect(!run.errors.contains("two words") && !sandbox.has(".moontide"))
  }

  @Test(
    "appears in no output, no ledger, no state file, and nowhere that scripts and their programs can look")
  func nowhere() async throws {
    try await withRemote { remote in
      let sandbox = try sandbox()
      try await add(remote, "--key-env", "STAGING_KEY", to: sandbox)
      try sandbox.write(
        """
        return { name = "nosy", discover = "in/*.md", completed = function(file, session)
          for _, name in ipairs { "STAGING_KEY", "LIGHTFIELD_API_KEY", "COPY_OF_KEY" } do
            local ok, value = pcall(function() return moontide.env[name] end)
            moontide.log.info(name .. " " .. tostring(value))
          end
          local env = moontide.process.run { "env" }
          moontide.log.info(env.stdout)
          local parent = moontide.process.run { "sh", "-c", "tr '\\\\0' '\\\\n' < /proc/$PPID/environ; ps eww $PPID" }
          moontide.log.info("parent: " .. parent.stdout .. parent.stderr)
          moontide.fs.write("seen.txt", env.stdout .. parent.stdout)
        end }
        """, to: "nosy.lua")
      // The usual variable holds another key, and a third a copy of this one.
      let environment = [
        "STAGING_KEY": remote.key, "COPY_OF_KEY": "Bearer " + remote.key,
        "LIGHTFIELD_API_KEY": "sk_lf_usualkey0123456789",
      ]
      let staging = ["--profile", "staging"]
      var output = ""
      for arguments in [
        ["run", "nosy.lua", "--allow-all"] + staging, ["run", "nosy.lua", "--allow-all", "--json"] + staging,
        ["files", "list", "--json"] + staging, ["files", "upload", "in/a.md", "gone.md"] + staging,
        ["files", "get", "fil_none"] + staging, ["profiles", "list"], ["why", "in/a.md"],
        ["files", "list", "--service", "http://127.0.0.1:9", "--rate", "read=5"],
      ] {
        let run = try await Running(arguments, in: sandbox.root, environment: environment).finished()
        output += run.output + run.errors
      }
      // The script did look: what may be seen is there.
      #expect(output.contains("PATH=") && output.contains("parent: "), "\(output)")
      #expect(sandbox.has("seen.txt") && sandbox.has(".moontide/destinations.json"))
      for secret in [remote.key, "sk_lf_usualkey0123456789"] {
        #expect(!output.contains(secret), "\(output)")
        #expect(try sandbox.filesHolding(secret) == [])
      }
    }
  }

  @Test("that is refused, or lacks a scope, is told by its hint and where it comes from, with status 4")
  func refusals() async throws {
    try await withRemote { remote in
      let sandbox = try sandbox()
      let wrong = try await sandbox.moontide(
        "files", "list", "--service", remote.url, environment: ["LIGHTFIELD_API_KEY": "sk_lf_0123456789wxyz"])
      #expect(wrong.status == 4, "\(wrong)")
      #expect(wrong.errors.contains("…wxyz") && wrong.errors.contains("LIGHTFIELD_API_KEY"), "\(wrong)")
      let reader = try await remote.key("reader", scopes: [.filesRead])
      let unfit = try await sandbox.moontide(
        "files", "upload", "in/a.md", "in/a.md", "--service", remote.url,
        environment: ["LIGHTFIELD_API_KEY": reader])
      #expect(unfit.status == 4 && unfit.errors.contains("files:create"), "\(unfit)")
      let missing = try await sandbox.moontide("files", "get", "fil_none", environment: remote.environment)
      #expect(missing.status == 1 && missing.errors.contains("fil_none"), "\(missing)")
      let away = try await sandbox.moontide(
        "run", "all.lua", "--service", "http://127.0.0.1:9", environment: remote.environment)
      #expect(away.status == 4 && away.errors.contains("127.0.0.1:9"), "\(away)")
      #expect(away.errors.contains("paused: service not reached; 1 file waiting."), "\(away)")
      #expect(away.errors.hasSuffix("and the network up? Run again to send it.\n"), "\(away)")
      let refused = try await sandbox.moontide(
        "run", "all.lua", "--service", remote.url, environment: ["LIGHTFIELD_API_KEY": "sk_lf_0123456789wxyz"]
      )
      #expect(refused.status == 4, "\(refused)")
      #expect(refused.errors.contains("paused: key …wxyz refused; 1 file waiting."), "\(refused)")
    }
  }
}

extension Sandbox {
  /// The files below it that hold this text.
  func filesHolding(_ text: String) throws -> [String] {
    let names = try #require(FileManager.default.enumerator(atPath: root)).compactMap { $0 as? String }
    return names.filter { name in
      let content = FileManager.default.contents(atPath: path(name)) ?? Data()
      return content.range(of: Data(text.utf8)) != nil
    }
  }
}
