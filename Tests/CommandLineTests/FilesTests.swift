import FileSessions
import Foundation
import LocalService
import Testing

@Suite("moontide files")
struct FilesTests {
  enum Service: String, CaseIterable, CustomTestStringConvertible {
    case local, remote
    var testDescription: String { rawValue }
  }

  /// A sandbox, and how to call `moontide files` in it against either service.
  struct Bench {
    let service: Service
    let sandbox: Sandbox
    let remote: Remote?
    let store: LocalStore

    var environment: [String: String] { remote?.environment ?? [:] }

    func files(_ arguments: String...) async throws -> Finished {
      try await Running(["files"] + arguments, in: sandbox.root, environment: environment).finished()
    }

    func start(_ arguments: String...) throws -> Running {
      try Running(["files"] + arguments, in: sandbox.root, environment: environment)
    }

    /// The service as it is, whatever the command says.
    func sessions() async throws -> [FileSession] {
      try await store.service().list(limit: nil, offset: nil).data
    }

    /// Waits until a session is open, at most half a minute.
    func pending() async throws -> FileSession {
      for _ in 0..<3000 {
        if let session = try await sessions().first(where: { $0.status == .pending }) { return session }
        try await Task.sleep(for: .milliseconds(10))
      }
      throw Timeout()
    }

    struct Timeout: Error {}
  }

  private func with(_ service: Service, _ body: (Bench) async throws -> Void) async throws {
    let sandbox = try Sandbox()
    switch service {
    case .local:
      let store = try await LocalStore.open(sandbox.path(".moontide/local"))
      try await body(Bench(service: service, sandbox: sandbox, remote: nil, store: store))
    case .remote:
      try await withRemote { remote in
        try await body(Bench(service: service, sandbox: sandbox, remote: remote, store: remote.store))
      }
    }
  }

  private func object(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any], "\(text)")
  }

  @Test("take a file through the three steps by hand", arguments: Service.allCases)
  func byHand(service: Service) async throws {
    try await with(service) { bench in
      try bench.sandbox.write("hello\n", to: "a.txt")
      let create = try await bench.files(
        "create", "--filename", "b.txt", "--mime-type", "text/plain", "--size-bytes", "6", "--json")
      #expect(create.status == 0, "\(create)")
      let opened = try object(create.output)
      let id = try #require(opened["id"] as? String)
      let headers = try #require(opened["uploadHeaders"] as? [String: String])
      #expect(opened["status"] as? String == "PENDING" && opened["completedAt"] is NSNull)
      let sent = try await bench.files("upload", "--id", id, "a.txt")
      switch service {
      case .local:
        #expect(opened["uploadUrl"] is NSNull && headers.isEmpty)
        #expect(sent.output == "\(id)\t6\tb1946ac92492d2347c6235b4d2611184\n", "\(sent)")
      case .remote:
        #expect(sent.status == 2 && sent.errors.contains("uploadUrl"), "\(sent)")
        let url = try #require(opened["uploadUrl"] as? String)
        let options = headers.flatMap { ["-H", "\($0): \($1)"] }
        let curl = try Running(
          ["curl", "-sf", "-T", "a.txt", url] + options, in: bench.sandbox.root, environment: [:],
          executable: "/usr/bin/env")
        #expect(try await curl.finished().status == 0)
      }
      let wrong = try await bench.files("complete", "--id", id, "--md5", String(repeating: "0", count: 32))
      #expect(wrong.status == 1 && wrong.errors.contains("422"), "\(wrong)")
      let complete = try await bench.files("complete", "--id", id, "--json")
      #expect(try object(complete.output)["status"] as? String == "COMPLETED", "\(complete)")
      let cancel = try await bench.files("cancel", id)
      #expect(cancel.status == 1 && cancel.errors.contains("COMPLETED"), "\(cancel)")

      let get = try await bench.files("get", "--id", id)
      #expect(get.output.contains("filename\tb.txt\n") && get.output.contains("sizeBytes\t6\n"), "\(get)")
      let url = try object(try await bench.files("url", id, "--json").output)
      #expect(
        (url["url"] as? String)?.hasPrefix(service == .local ? "file:///" : "http://127.0.0.1:") == true)
      #expect(try await bench.files("download", id).output == "hello\n")
    }
  }

  @Test("give up a session that is open", arguments: Service.allCases)
  func cancel(service: Service) async throws {
    try await with(service) { bench in
      let create = try await bench.files(
        "create", "--filename", "b.txt", "--mime-type", "text/plain", "--size-bytes", "6", "--json")
      let id = try #require(try object(create.output)["id"] as? String)
      let cancel = try await bench.files("cancel", "--id", id)
      #expect(cancel.status == 0 && cancel.output.contains("status\tCANCELLED"), "\(cancel)")
      let download = try await bench.files("download", id)
      #expect(download.status == 1 && download.output.isEmpty, "\(download)")
    }
  }

  @Test(
    "send what was named, in its order, and tell of each file that cannot be sent",
    arguments: Service.allCases)
  func upload(service: Service) async throws {
    try await with(service) { bench in
      try bench.sandbox.write("one", to: "d/one.md")
      try bench.sandbox.write("", to: "empty.txt")
      try bench.sandbox.write("two", to: "two")
      let upload = try await bench.files("upload", "d/one.md", "gone.txt", "empty.txt", "two", "d")
      #expect(upload.status == 1, "\(upload)")
      let rows = upload.output.split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
      #expect(
        rows.map { Array($0.dropFirst()) } == [
          ["COMPLETED", "3", "text/markdown", "one.md", "d/one.md"],
          ["COMPLETED", "3", "text/plain", "two", "two"],
        ])
      for name in ["gone.txt", "empty.txt", "d:"] { #expect(upload.errors.contains(name), "\(upload)") }
      let sessions = try await bench.sessions()
      #expect(sessions.count == 2 && sessions.allSatisfy { $0.status == .completed }, "\(sessions)")

      let again = try await bench.files(
        "upload", "two", "--filename", "three.md", "--mime-type", "text/markdown", "--purpose",
        "knowledge_user",
        "--json")
      let session = try object(again.output)
      let name = try #require(session["filename"] as? String)
      #expect(
        name.hasPrefix("three_") && name.hasSuffix(".md") && session["status"] as? String == "COMPLETED")
    }
  }

  @Test("list page by page, with tabs or as JSON", arguments: Service.allCases)
  func list(service: Service) async throws {
    try await with(service) { bench in
      let names = (1...30).map { "\($0).txt" }
      for name in names { try bench.sandbox.write(name, to: name) }
      let upload = try await Running(
        ["files", "upload"] + names, in: bench.sandbox.root, environment: bench.environment
      ).finished()
      #expect(upload.status == 0, "\(upload)")
      #expect(
        upload.output.split(separator: "\n").map { $0.split(separator: "\t").last.map(String.init) } == names)

      let all = try await bench.files("list", "--all")
      let rows = all.output.split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
      #expect(Set(rows.compactMap(\.last)) == Set(names) && rows.count == 30, "\(all)")
      let lines = try await bench.files("list", "--all", "--json").output.split(separator: "\n")
      #expect(try lines.map { try object(String($0))["id"] as? String } == rows.map(\.first))
      let page = try object(try await bench.files("list", "--limit", "7", "--offset", "28", "--json").output)
      #expect(page["totalCount"] as? Int == 30 && page["object"] as? String == "list")
      #expect((page["data"] as? [Any])?.count == 2)
    }
  }

  @Test("download whole files, and replace none unasked", arguments: Service.allCases)
  func download(service: Service) async throws {
    try await with(service) { bench in
      let text = String(repeating: "0123456789", count: 300_000)
      try bench.sandbox.write(text, to: "a.txt")
      let upload = try await bench.files("upload", "a.txt", "--json")
      let id = try #require(try object(upload.output)["id"] as? String)
      func content(_ path: String) -> String? {
        FileManager.default.contents(atPath: bench.sandbox.path(path)).map {
          String(decoding: $0, as: UTF8.self)
        }
      }

      let first = try await bench.files("download", id, "--output", "b.txt")
      #expect(first.status == 0 && content("b.txt") == text, "\(first.errors)")
      try bench.sandbox.write("precious", to: "b.txt")
      let second = try await bench.files("download", id, "-o", "b.txt")
      #expect(second.status == 2 && second.errors.contains("--force") && content("b.txt") == "precious")
      let forced = try await bench.files("download", id, "-o", "b.txt", "--force", "--json")
      #expect(try object(forced.output)["bytes"] as? Int == 3_000_000 && content("b.txt") == text)
      let wrong = try await bench.files(
        "download", id, "-o", "c.txt", "--md5", String(repeating: "0", count: 32))
      #expect(wrong.status == 1 && wrong.errors.contains("md5"), "\(wrong)")
      try FileManager.default.createDirectory(
        atPath: bench.sandbox.path("dir"), withIntermediateDirectories: false)
      let inside = try await bench.files("download", id, "-o", "dir")
      #expect(inside.status == 0 && content("dir/a.txt") == text, "\(inside)")
      #expect(try await bench.files("download", id, "-o", "-").output == text)
      // Nothing is left of the one that was wrong.
      let names = try FileManager.default.contentsOfDirectory(atPath: bench.sandbox.root)
      #expect(Set(names).subtracting([".moontide"]) == ["a.txt", "b.txt", "dir"])
    }
  }

  @Test(
    "leave nothing pending when Ctrl-C or SIGTERM ends an upload", arguments: Service.allCases,
    [SIGINT, SIGTERM])
  func interrupt(service: Service, signal: Int32) async throws {
    try await with(service) { bench in
      try bench.sandbox.makeHole("large.bin", size: 536_870_912)
      try bench.sandbox.write("x", to: "small.txt")
      let running = try bench.start("upload", "large.bin", "small.txt", "--transfers", "1")
      let session = try await bench.pending()
      running.signal(signal)
      let ended = try await running.finished()
      #expect(ended.status == 130 && ended.output.isEmpty, "\(ended)")
      let sessions = try await bench.sessions()
      #expect(sessions.map(\.id) == [session.id] && sessions.map(\.status) == [.cancelled], "\(ended)")
    }
  }

  @Test("do not complete a file that changes while it is sent", arguments: Service.allCases)
  func changes(service: Service) async throws {
    try await with(service) { bench in
      try bench.sandbox.makeHole("large.bin", size: 536_870_912)
      let running = try bench.start("upload", "large.bin")
      _ = try await bench.pending()
      let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: bench.sandbox.path("large.bin")))
      try handle.write(contentsOf: Data("changed".utf8))
      try handle.close()
      let ended = try await running.finished()
      #expect(ended.status == 1 && ended.errors.contains("changed"), "\(ended)")
      #expect(try await bench.sessions().map(\.status) == [.cancelled])
    }
  }

  @Test("show on a terminal how far they are, and nothing of that elsewhere", arguments: Service.allCases)
  func progress(service: Service) async throws {
    try await with(service) { bench in
      try bench.sandbox.makeHole("large.bin", size: 20_000_000)
      let terminal = try Terminal()
      let shown = try Running(
        ["files", "upload", "large.bin"], in: bench.sandbox.root,
        environment: bench.environment.merging(Terminal.environment) { $1 },
        errors: terminal.side)
      #expect(try await shown.finished().status == 0)
      let text = try await terminal.screen()
      let percents = text.matches(of: /large\.bin .*? (\d+) %/).compactMap { Int($0.1) }
      #expect(!percents.isEmpty && percents == percents.sorted(), "\(text)")
      #expect(percents.allSatisfy { (0...100).contains($0) }, "\(text)")
      #expect(text.contains("0 of 1 sent, "), "\(text)")
      // Nothing but progress was there, and it is gone at the end.
      #expect(terminal.lines.isEmpty && terminal.model.isCursorVisible, "\(terminal.lines)")

      let silent = try await bench.files("upload", "large.bin")
      #expect(silent.status == 0 && silent.errors.isEmpty, "\(silent)")
    }
  }

  @Test("make no project of a directory from which files are only sent to Lightfield, or looked at")
  func noProject() async throws {
    try await with(.remote) { bench in
      try bench.sandbox.write("x", to: "a.txt")
      #expect(try await bench.files("upload", "a.txt").status == 0)
      #expect(try await bench.files("list").status == 0)
      #expect(!bench.sandbox.has(".moontide"))
      let local = try await bench.sandbox.moontide("files", "list")
      #expect(local.status == 2 && local.errors.contains("no project") && !bench.sandbox.has(".moontide"))
    }
  }

  @Test("keep to the rates that are asked for, which have to be rates")
  func rates() async throws {
    try await with(.remote) { bench in
      try bench.sandbox.write("x", to: "a.txt")
      let fine = try await bench.files("upload", "a.txt", "--rate", "write=100,read=50")
      #expect(fine.status == 0, "\(fine)")
      let wrong = try await bench.files("list", "--rate", "writes=1")
      #expect(wrong.status == 2 && wrong.errors.contains("writes=1"), "\(wrong)")
    }
  }
}
