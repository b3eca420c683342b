import FileSessions
import Foundation
import Glibc
import LuaHost
import LuaLibrary
import Testing

/// What the user trusts, by content.
@Suite struct TrustStoreTests {
  private let now = Timestamp(milliseconds: 1_775_646_000_000)
  private let files: [String: [UInt8]] = [
    "slack.lua": Array("return 1".utf8), "lib/a.lua": Array("return 2".utf8),
  ]

  private func declaration() throws -> PermissionDeclaration {
    var wanted = PermissionSet()
    try wanted.insert("hooks.slack.com", .net)
    try wanted.insert("../in", .read)
    wanted.insertAll(.env)
    return PermissionDeclaration(wanted)
  }

  @Test("What was trusted is found again, by the same content only")
  func remembers() throws {
    let project = try LibraryProject()
    let store = TrustStore(directory: project.base + "/home/.config/moontide")
    let script = ScriptFingerprint(files: files)
    #expect(try store.trusted(script) == nil)
    try store.trust(script, name: "slack.lua", with: declaration(), at: now)
    let other = TrustStore(directory: store.directory)
    #expect(try other.trusted(script) == declaration())
    try other.trust(script, name: "slack.lua", with: .none, at: now)
    #expect(try store.trusted(script) == PermissionDeclaration.none)
    #expect(try store.all().map(\.script) == ["slack.lua"])
    #expect(try store.forget { $0.script == "other.lua" } == 0)
    #expect(try store.trusted(script) != nil)
    #expect(try store.forget { $0.fingerprint == script.description } == 1)
    #expect(try store.trusted(script) == nil && store.all().isEmpty)
  }

  @Test("It is known whether it lies below a directory, links resolved")
  func within() throws {
    let project = try LibraryProject()
    project.link("config", to: "project/.config")
    let below = TrustStore(directory: project.base + "/config/moontide")
    #expect(below.isWithin(project.base) && !below.isWithin(project.outside))
    #expect(!below.isWithin(project.directory), "the link leads nowhere yet")
    try project.make("project/.config/moontide/trust.json", "{}")
    #expect(below.isWithin(project.directory))
  }

  @Test("A byte, a name or a file more or less is another script")
  func fingerprints() {
    let script = ScriptFingerprint(files: files)
    var changed: [[String: [UInt8]]] = []
    for (name, bytes) in files {
      for index in bytes.indices {
        var other = files
        other[name]?[index] ^= 1
        changed.append(other)
      }
      changed.append(files.merging([name: bytes + [10]]) { $1 })
      changed.append(files.filter { $0.key != name })
      var renamed = files.filter { $0.key != name }
      renamed[name + "x"] = bytes
      changed.append(renamed)
    }
    changed.append(files.merging(["lib/b.lua": []]) { $1 })
    // The same bytes, cut differently.
    changed.append(["slack.lua": Array("return 1lib/a.luareturn 2".utf8)])
    changed.append(["slack.lua": files["lib/a.lua"] ?? [], "lib/a.lua": files["slack.lua"] ?? []])
    for other in changed { #expect(ScriptFingerprint(files: other) != script) }
    #expect(ScriptFingerprint(files: files) == script)
    #expect(script.description.count == 64)
  }

  @Test("The file is the user's alone, and is replaced as a whole")
  func mode() throws {
    let project = try LibraryProject()
    let store = TrustStore(directory: project.base + "/config/moontide")
    try store.trust(ScriptFingerprint(files: files), name: "slack.lua", with: declaration(), at: now)
    var status = stat()
    #expect(stat(store.path, &status) == 0 && status.st_mode & 0o777 == 0o600)
    #expect(stat(store.directory, &status) == 0 && status.st_mode & 0o777 == 0o700)
    let before = status.st_ino
    try store.trust(ScriptFingerprint(files: [:]), name: "b.lua", with: .none, at: now)
    #expect(stat(store.path, &status) == 0 && status.st_ino != before)
    #expect(try store.trusted(ScriptFingerprint(files: files)) == declaration())
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: store.directory).sorted() == [
        "trust.json", "trust.json.lock",
      ])
  }

  @Test("What others could have written counts for nothing, nor does a link or what cannot be understood")
  func doubts() throws {
    let project = try LibraryProject()
    let store = TrustStore(directory: project.base + "/moontide")
    let script = ScriptFingerprint(files: files)
    try store.trust(script, name: "slack.lua", with: declaration(), at: now)
    chmod(store.path, 0o666)
    let loose = #expect(throws: TrustError.self) { try store.trusted(script) }
    #expect(loose?.description.contains("chmod 600") == true)
    chmod(store.path, 0o600)
    #expect(try store.trusted(script) == declaration())

    rename(store.path, store.directory + "/elsewhere")
    #expect(symlink(store.directory + "/elsewhere", store.path) == 0)
    #expect(throws: TrustError.self) { try store.trusted(script) }
    unlink(store.path)
    for text in [
      "", "{", "[]", #"{"version":2,"trusted":{}}"#,
      #"{"version":1,"trusted":{"a":{"permissions":{"net":[""]}}}}"#,
    ] {
      try project.make("moontide/trust.json", text)
      chmod(store.path, 0o600)
      #expect(throws: TrustError.self, "\(text)") { try store.trusted(script) }
    }
  }

  @Test("The directory is the one of the environment, when that is absolute")
  func place() {
    func path(_ environment: [String: String]) -> String? { TrustStore(environment: environment)?.path }
    #expect(path(["XDG_CONFIG_HOME": "/x", "HOME": "/h"]) == "/x/moontide/trust.json")
    #expect(path(["HOME": "/h"]) == "/h/.config/moontide/trust.json")
    #expect(path(["XDG_CONFIG_HOME": "x", "HOME": "/h"]) == "/h/.config/moontide/trust.json")
    #expect(path(["XDG_CONFIG_HOME": "", "HOME": "h"]) == nil)
    #expect(path([:]) == nil)
  }

  @Test("Many at once lose nothing")
  func together() async throws {
    let project = try LibraryProject()
    let store = TrustStore(directory: project.base + "/moontide")
    let (declared, now) = (try declaration(), now)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<20 {
        group.addTask {
          try store.trust(
            ScriptFingerprint(files: ["\(number)": []]), name: "\(number)", with: declared, at: now)
        }
      }
      try await group.waitForAll()
    }
    for number in 0..<20 {
      #expect(try store.trusted(ScriptFingerprint(files: ["\(number)": []])) == declared)
    }
  }
}
