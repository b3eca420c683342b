import Foundation
import Testing

@Suite("moontide keys")
struct KeysTests {
  private let sandbox: Sandbox

  init() throws { sandbox = try Sandbox() }

  private struct Key: Decodable {
    var id: String
    var name: String
    var key: String?
    var hint: String
    var organisation: String
    var subjectType: String
    var isAdmin: Bool
    var scopes: [String]
    var revokedAt: String?
  }

  private struct KeyList: Decodable {
    var data: [Key]
    var totalCount: Int
  }

  private func list() async throws -> [Key] {
    let text = try await sandbox.moontide("keys", "list", "--json").output
    return try JSONDecoder().decode(KeyList.self, from: Data(text.utf8)).data
  }

  @Test("a key is printed once, alone, and listed without itself")
  func create() async throws {
    let made = try await sandbox.moontide(
      "keys", "create", "--name", "ci", "--org", "org_a", "--scope", "files:create,files:read", "--scope",
      "meetings:read", "--admin", "--workspace")
    #expect(made.status == 0)
    let secret = made.output.trimmingCharacters(in: .newlines)
    #expect(made.output == secret + "\n" && secret.wholeMatch(of: /sk_lf_[0-9A-Za-z]{32}/) != nil)
    #expect(made.errors.contains("Keep it now") && !made.errors.contains(secret))
    let key = try #require(try await list().first)
    #expect(key.name == "ci" && key.organisation == "org_a" && key.isAdmin && key.key == nil)
    #expect(key.subjectType == "workspace" && key.hint == "…" + secret.suffix(4))
    #expect(key.scopes == ["files:create", "files:read", "meetings:read"])
    let lines = try await sandbox.moontide("keys", "list").output
    #expect(
      lines.split(separator: "\t").count == 8 && lines.hasPrefix("ci\t\(key.hint)\torg_a\tadmin workspace\t"))
    for text in [lines, try await sandbox.moontide("keys", "list", "--json").output] {
      #expect(!text.contains(secret))
    }
  }

  @Test("as JSON the key is a field; without more words it is a user's and may do everything")
  func json() async throws {
    let text = try await sandbox.moontide("keys", "create", "--name", "a", "--json").output
    let key = try JSONDecoder().decode(Key.self, from: Data(text.utf8))
    #expect(key.key?.hasPrefix("sk_lf_") == true && key.organisation == "org_local" && !key.isAdmin)
    #expect(key.subjectType == "user" && key.scopes.isEmpty && key.revokedAt == nil)
  }

  @Test("a key is revoked by its name or its id, and its name is free again")
  func revoke() async throws {
    for name in ["a", "b"] { try await sandbox.moontide("keys", "create", "--name", name) }
    let keys = try await list()
    let revoked = try await sandbox.moontide("keys", "revoke", "a")
    #expect(revoked.status == 0 && revoked.output.hasPrefix("revoked a (\(keys[0].id)"))
    #expect(try await sandbox.moontide("keys", "revoke", keys[1].id, "--json").status == 0)
    #expect(try await list().allSatisfy { $0.revokedAt != nil })
    #expect(try await sandbox.moontide("keys", "create", "--name", "a").status == 0)
    #expect(try await list().map(\.name) == ["a", "b", "a"])
    let none = try await sandbox.moontide("keys", "revoke", "b")
    #expect(none.status == 2 && none.errors.contains("no valid key of the name or id \"b\""))
  }

  @Test(
    "what cannot be is a wrong call, and makes no key",
    arguments: [
      (["--name", "a", "--scope", "files:delete"], "Known: files:create, files:read, meetings:create"),
      (["--name", "a", "--scope", ""], "No scope is named"),
      (["--name", "a", "--user", "--workspace"], "--workspace"), (["--name", ""], "1 to 100 characters"),
      ([], "--name"), (["--name", "taken"], "There is a key \"taken\""),
    ])
  func mistakes(arguments: [String], problem: String) async throws {
    try await sandbox.moontide("keys", "create", "--name", "taken")
    let finished = try await Running(["keys", "create"] + arguments, in: sandbox.root, environment: [:])
      .finished()
    #expect(finished.status == 2 && finished.errors.contains(problem), "\(finished)")
    #expect(try await list().count == 1)
  }

  @Test("looking makes nothing")
  func looking() async throws {
    for arguments in [["keys", "list"], ["keys", "revoke", "a"]] {
      let finished = try await Running(arguments, in: sandbox.root, environment: [:]).finished()
      #expect(finished.status == 2)
    }
    #expect(!sandbox.has(".moontide"))
  }
}
