import FileSessions
import Foundation
import Testing

@Suite("Profiles")
struct ProfileTests {
  static let recipe = "return { name = 'all', discover = 'in/*.md' }"
  static let moving = "return { name = 'all', discover = 'in/*.md', completed = { move = 'sent' } }"

  private func sandbox(_ recipe: String = recipe) throws -> Sandbox {
    let sandbox = try Sandbox()
    for name in ["a", "b", "c"] { try sandbox.write("content of \(name)", to: "in/\(name).md") }
    try sandbox.write(recipe, to: "all.lua")
    return sandbox
  }

  @Test("are told by the first line of JSON, with the service and the end of the key")
  func began() async throws {
    struct Began: Decodable, Equatable {
      var event, profile: String
      var service, keyHint: String?
    }
    try await withRemote { remote in
      let sandbox = try sandbox()
      func began(_ environment: [String: String]) async throws -> Began {
        let run = try await sandbox.moontide("run", "all.lua", "--json", environment: environment)
        let first = run.output.split(separator: "\n").first
        let line = try #require(first, "\(run)")
        return try JSONDecoder().decode(Began.self, from: Data(line.utf8))
      }
      #expect(try await began([:]) == Began(event: "began", profile: "local"))
      #expect(
        try await began(remote.environment)
          == Began(event: "began", profile: remote.profile, service: remote.url, keyHint: remote.keyHint))
    }
  }

  @Test("send what local has to another service in full, and never go back to local by themselves")
  func neverBack() async throws {
    try await withRemote { remote in
      let sandbox = try sandbox()
      let local = try await sandbox.moontide("run", "all.lua")
      #expect(local.status == 0 && local.lastLine.contains("3 sent"), "\(local)")

      let first = try await sandbox.moontide("run", "all.lua", environment: remote.environment)
      #expect(first.status == 0 && first.lastLine.contains("3 found, 3 sent"), "\(first)")
      let headline = try #require(first.output.split(separator: "\n").first)
      for part in ["profile \(remote.profile)", remote.url, "key \(remote.keyHint)"] {
        #expect(headline.contains(part), "\(headline)")
      }
      let files = try await remote.files()
      #expect(files.count == 3 && files.allSatisfy { $0.status == .completed })
      for file in files {
        #expect(try await remote.content(file.id) == "content of \(file.filename.prefix(1))")
      }
      let again = try await sandbox.moontide("run", "all.lua", environment: remote.environment)
      #expect(again.status == 0 && again.lastLine.contains("0 sent, 3 already done"), "\(again)")

      // The key is gone: nothing is sent or moved, though there is something to do.
      try sandbox.write("new", to: "in/d.md")
      try sandbox.write(Self.moving, to: "all.lua")
      let without = try await sandbox.moontide("run", "all.lua")
      #expect(without.status == 2 && without.output.isEmpty, "\(without)")
      for way in ["LIGHTFIELD_API_KEY", "--api-key-file", "--profile local", remote.profile, remote.url] {
        #expect(without.errors.contains(way), "\(way): \(without.errors)")
      }
      #expect(sandbox.has("in/d.md") && !sandbox.has("sent"))
      #expect(try await sandbox.files().count == 3)
      let exec = try await sandbox.moontide("exec", "all.lua")
      #expect(exec.status == 2, "\(exec)")

      let meant = try await sandbox.moontide("run", "all.lua", "--profile", "local")
      #expect(meant.status == 0 && meant.lastLine.contains("1 sent, 3 already done"), "\(meant)")
      #expect(try await remote.files().count == 3)
    }
  }

  @Test("make nothing in a project without a key whose profiles are remote ones")
  func makesNothing() async throws {
    let sandbox = try sandbox(Self.moving)
    try await sandbox.moontide(
      "profiles", "add", "staging", "--service", "https://staging.example.com", "--key-env", "STAGING_KEY")
    for arguments in [["run", "all.lua"], ["run", "all.lua", "--profile", "staging"], ["files", "list"]] {
      let run = try await Running(arguments, in: sandbox.root, environment: [:]).finished()
      #expect(run.status == 2, "\(arguments): \(run)")
      // Nothing was sent there so far, and nobody says so.
      let isTold = run.errors.contains("this project is set up for staging (https://staging.example.com)")
      #expect(isTold != arguments.contains("--profile"), "\(run)")
    }
    #expect(sandbox.has("in/a.md"))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: sandbox.path(".moontide")) == ["profiles.json"])
  }

  @Test("share one pace: what handlers call counts together with what the run sends")
  func pace() async throws {
    try await withRemote(rateLimit: 25) { remote in
      let sandbox = try Sandbox()
      for number in 1...20 { try sandbox.write("content \(number)", to: "in/\(number).md") }
      try sandbox.write(
        """
        return { name = "busy", discover = "in/*.md",
          permissions = { service = { "files:create" } },
          completed = function(file)
            moontide.files.create { filename = file.name, mime_type = "a/b", size_bytes = 1 }:cancel()
          end }
        """, to: "busy.lua")
      let run = try await sandbox.moontide(
        "run", "--allow-service=files:create", "busy.lua", environment: remote.environment)
      #expect(run.status == 0 && run.lastLine.contains("20 sent"), "\(run)")
      // Two calls of the run and two of the handler for each file, and none too early.
      #expect(try await remote.files().count == 40)
      let metrics = remote.metrics()
      #expect(metrics.contains(#"moontide_rate_limited_total{category="write"} 0"#), "\(metrics)")
    }
  }

  @Test("stand for one service: a URL belongs to the profile that is known for it, and a name to its URL")
  func oneService() async throws {
    try await withRemote { remote in
      try await withRemote { other in
        let sandbox = try sandbox()
        let added = try await sandbox.moontide(
          "profiles", "add", "staging", "--service", remote.url + "/", "--key-env", "STAGING_KEY")
        #expect(added.status == 0, "\(added)")
        let key = ["STAGING_KEY": remote.key]
        let named = try await sandbox.moontide("run", "all.lua", "--profile", "staging", environment: key)
        #expect(named.lastLine.contains("3 sent"), "\(named)")
        let byURL = try await sandbox.moontide("run", "all.lua", "--service", remote.url, environment: key)
        #expect(byURL.output.hasPrefix("profile staging: "), "\(byURL)")
        #expect(byURL.lastLine.contains("0 sent, 3 already done"))

        let elsewhere = try await sandbox.moontide(
          "profiles", "add", "staging", "--service", other.url, "--key-env", "STAGING_KEY")
        #expect(elsewhere.status == 2 && elsewhere.errors.contains(remote.url), "\(elsewhere)")
        try sandbox.write(
          #"{"version": 1, "profiles": {"staging": {"base_url": "\#(other.url)", "key": {"env": "STAGING_KEY"}}}}"#,
          to: ".moontide/profiles.json")
        let moved = try await sandbox.moontide("run", "all.lua", "--profile", "staging", environment: key)
        #expect(moved.status == 2 && moved.errors.contains(remote.url) && moved.errors.contains(other.url))
        #expect(try await other.files().isEmpty)
      }
    }
  }

  @Test("get no second name once they were sent to, unless all is to be sent a second time")
  func secondName() async throws {
    try await withRemote { remote in
      let sandbox = try sandbox()
      let first = try await sandbox.moontide("run", "all.lua", environment: remote.environment)
      #expect(first.lastLine.contains("3 sent"), "\(first)")
      let add = ["profiles", "add", "nice", "--service", remote.url, "--key-env", "NICE_KEY"]
      let refused = try await Running(add, in: sandbox.root, environment: [:]).finished()
      #expect(refused.status == 2 && !sandbox.has(".moontide/profiles.json"), "\(refused)")
      for part in [remote.profile, "sent a second time", "--yes"] {
        #expect(refused.errors.contains(part), "\(refused)")
      }
      let meant = try await Running(add + ["--yes"], in: sandbox.root, environment: [:]).finished()
      #expect(meant.status == 0, "\(meant)")
      let again = try await sandbox.moontide(
        "run", "all.lua", "--profile", "nice", environment: ["NICE_KEY": remote.key])
      #expect(again.lastLine.contains("3 sent"), "\(again)")
      // Where its key comes from may change afterwards.
      #expect(try await Running(add, in: sandbox.root, environment: [:]).finished().status == 0)
    }
  }

  @Test("need no key where their service is not asked, and they are named")
  func keyless() async throws {
    let sandbox = try sandbox()
    try await sandbox.moontide(
      "profiles", "add", "unit", "--service", "http://127.0.0.1:9", "--key-credential", "unit-key")
    let plan = try await sandbox.moontide("run", "all.lua", "--dry-run", "--profile", "unit")
    #expect(plan.status == 0 && plan.output.contains("no key here (the credential unit-key)"), "\(plan)")
    let adopted = try await sandbox.moontide("adopt", "all.lua", "--yes", "--profile", "unit")
    #expect(adopted.status == 0 && adopted.output.contains("3 files adopted"), "\(adopted)")
    let later = try await sandbox.moontide("run", "all.lua", "--dry-run", "--profile", "unit")
    #expect(later.lastLine.contains("3 already sent"), "\(later)")
    for words in [["run", "all.lua", "--profile", "unit"], ["run", "all.lua", "--dry-run"]] {
      let refused = try await Running(words, in: sandbox.root, environment: [:]).finished()
      #expect(refused.status == 2, "\(words): \(refused)")
    }
  }

  @Test("with Lightfield's own name are Lightfield, and no other address")
  func lightfield() async throws {
    let sandbox = try sandbox()
    let run = try await sandbox.moontide(
      "run", "all.lua", "--profile", "lightfield", "--service", "http://127.0.0.1:9",
      environment: ["LIGHTFIELD_API_KEY": "sk_lf_0123456789a1b2"])
    #expect(run.status == 2 && run.errors.contains("https://api.lightfield.app"), "\(run)")
    let open = try await sandbox.moontide(
      "run", "all.lua", "--service", "http://example.com",
      environment: ["LIGHTFIELD_API_KEY": "sk_lf_0123456789a1b2"])
    #expect(open.status == 2 && open.errors.contains("unencrypted"), "\(open)")
    #expect(!sandbox.has(".moontide"))
  }

  @Test(
    "refuse a file of them that holds a key, without showing it",
    arguments: [
      #"{"version": 1, "profiles": {"x": {"base_url": "https://x.example", "key": "sk_lf_verysecretkey"}}}"#,
      #"{"version": 1, "profiles": {"x": {"base_url": "https://x.example", "api_key": "sk_lf_verysecretkey"}}}"#,
      #"{"version": 1, "profiles": {"x": {"base_url": "https://x.example", "key": {"env": "sk_lf_verysecretkey"}}}}"#,
      #"{"version": 1, "profiles": {"x": {"base_url": "https://sk_lf_verysecretkey@x.example"}}}"#,
      #"{"version": 1, "profiles": {"x": {"base_url": "https://x.example", "key": "verysecretkey"}}}"#,
    ])
  func holdsKey(content: String) async throws {
    let sandbox = try sandbox()
    try sandbox.write(content, to: ".moontide/profiles.json")
    let run = try await sandbox.moontide("run", "all.lua")
    #expect(run.status == 2 && run.errors.contains("profiles.json"), "\(run)")
    #expect(!(run.output + run.errors).contains("verysecretkey"))
  }

  @Test(
    "are refused where a field is wrong, and the error says which",
    arguments: [
      (#"{"version": 2, "profiles": {}}"#, "version"),
      (#"{"version": 1, "profiles": {"local": {}}}"#, "local"),
      (#"{"version": 1, "profiles": {"x": {"key": {"env": "A"}}}}"#, "base_url"),
      (
        #"{"version": 1, "profiles": {"x": {"base_url": "https://x.example", "key": {"env": "A B"}}}}"#, "env"
      ),
      (
        #"{"version": 1, "profiles": {"x": {"base_url": "https://x.example", "key": {"from": "A"}}}}"#, "from"
      ),
      (#"{"version": 1, "profiles": {"x": {"base_url": "https://x.example", "kee": {}}}}"#, "kee"),
      ("{", "JSON"),
    ])
  func wrongField(content: String, named: String) async throws {
    let sandbox = try sandbox()
    try sandbox.write(content, to: ".moontide/profiles.json")
    let run = try await sandbox.moontide("run", "all.lua")
    #expect(run.status == 2 && run.errors.contains(named), "\(run)")
  }

  @Test("are never guessed where the record of what was sent is damaged")
  func damagedRecord() async throws {
    let sandbox = try sandbox()
    try sandbox.write("{", to: ".moontide/destinations.json")
    let run = try await sandbox.moontide("run", "all.lua")
    #expect(run.status == 2 && run.errors.contains("destinations.json"), "\(run)")
  }
}
