import Foundation
import Synchronization
import Testing

/// A directory of its own for a test, removed with the last reference to it, in which `moontide` is run.
final class Sandbox: Sendable {
  let root: String

  init() throws {
    // What is kept for the user, beside the project, lies in the same directory.
    root = NSTemporaryDirectory() + "/moontide-command-\(UUID().uuidString)/project"
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path(".."))
  }

  func path(_ relative: String) -> String { root + "/" + relative }

  func write(_ text: String, to path: String) throws {
    try write(Data(text.utf8), to: path)
  }

  func write(_ data: Data, to path: String) throws {
    let url = URL(fileURLWithPath: self.path(path))
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try data.write(to: url)
  }

  func has(_ path: String) -> Bool { FileManager.default.fileExists(atPath: self.path(path)) }

  /// Makes a file of this size, with a hole for its content.
  func makeHole(_ path: String, size: UInt64) throws {
    try write("", to: path)
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: self.path(path)))
    try handle.truncate(atOffset: size)
    try handle.close()
  }

  /// Runs `moontide` to its end.
  @discardableResult
  func moontide(_ arguments: String..., environment: [String: String] = [:]) async throws -> Finished {
    try await Running(arguments, in: root, environment: environment).finished()
  }

  /// Starts `moontide` and lets it run.
  func start(_ arguments: String..., environment: [String: String] = [:]) throws -> Running {
    try Running(arguments, in: root, environment: environment)
  }

  /// Every file of the local service, as the API's JSON has it.
  func files() async throws -> [Listed] {
    let lines = try await moontide("files", "list", "--all", "--json", "--profile", "local").output.split(
      separator: "\n")
    return try lines.map { try JSONDecoder().decode(Listed.self, from: Data($0.utf8)) }
  }

  struct Listed: Decodable {
    var id: String
    var filename: String
    var status: String
    var sizeBytes: Int64
  }
}

/// A process that has ended.
struct Finished: Sendable {
  var status: Int32
  var output: String
  var errors: String

  /// The last line that is not empty: the summary.
  var lastLine: String { output.split(separator: "\n").last.map(String.init) ?? "" }
}

/// A process of the built `moontide`.
final class Running: Sendable {
  private let child: Child
  private let output: Heard
  private let errors: Heard

  /// - Parameters:
  ///   - input: what it reads; nothing where it is not given.
  ///   - output: where its standard output goes; else it is gathered.
  ///   - errors: the same of its standard error.
  ///   - executable: another program than `moontide`.
  init(
    _ arguments: [String], in directory: String, environment: [String: String], input: FileHandle? = nil,
    output stream: FileHandle? = nil, errors: FileHandle? = nil, executable: String? = nil
  ) throws {
    var variables = ProcessInfo.processInfo.environment
    // The test's own, and no wish of a person.
    variables["NO_COLOR"] = nil
    for name in ["LIGHTFIELD_API_KEY", "LIGHTFIELD_BASE_URL"] { variables[name] = nil }
    variables["XDG_STATE_HOME"] = directory + "/../state"
    child = try Child(
      executable ?? Self.executable, arguments, in: directory,
      environment: variables.merging(environment) { $1 }, input: input, output: stream, errors: errors)
    output = Heard(child.output)
    self.errors = Heard(child.errors)
  }

  /// The binary that was built together with these tests.
  static let executable: String = {
    let runner = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    return runner.appendingPathComponent("moontide").path
  }()

  /// Ends the process as a power cut would.
  func kill() {
    Foundation.kill(child.id, SIGKILL)
  }

  /// Sends Ctrl-C.
  func interrupt() {
    signal(SIGINT)
  }

  func signal(_ number: Int32) {
    Foundation.kill(child.id, number)
  }

  /// Sends SIGTERM, as a service manager does.
  func terminate() { signal(SIGTERM) }

  /// How many files the process has open.
  func descriptors() -> Int {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(child.id)/fd").count) ?? 0
  }

  /// What the process has printed by now.
  var said: String { output.soFar + errors.soFar }

  /// Waits until the process has printed something so many times, at most a minute.
  func says(_ text: String, times: Int = 1) async throws {
    for _ in 0..<6000 {
      if said.components(separatedBy: text).count > times { return }
      try await Task.sleep(for: .milliseconds(10))
    }
    throw Silence(wanted: text, output: output.soFar, errors: errors.soFar)
  }

  private struct Silence: Error {
    var wanted, output, errors: String
  }

  /// The most memory that the process had resident, in kB; waits for its end.
  ///
  /// The kernel's own high-water mark, read again and again while there is a process to ask.
  func peakMemory() async -> Int {
    let file = "/proc/\(child.id)/status"
    var peak = 0
    while let status = try? String(contentsOfFile: file, encoding: .utf8),
      let mark = status.firstMatch(of: /VmHWM:\s+(\d+) kB/).flatMap({ Int($0.1) })
    {
      peak = mark
      try? await Task.sleep(for: .milliseconds(5))
    }
    return peak
  }

  /// Waits for the end.
  func finished() async throws -> Finished {
    let status = await child.ended()
    return Finished(status: status, output: await output.text, errors: await errors.text)
  }
}

/// What a process writes, gathered as it comes.
private final class Heard: Sendable {
  private let bytes: Gathered
  private let gathering: Task<Void, Never>

  private final class Gathered: Sendable {
    let data = Mutex(Data())
  }

  init(_ chunks: AsyncStream<Data>) {
    let bytes = Gathered()
    self.bytes = bytes
    gathering = Task {
      for await chunk in chunks { bytes.data.withLock { $0 += chunk } }
    }
  }

  /// What has come by now.
  var soFar: String { bytes.data.withLock { String(decoding: $0, as: UTF8.self) } }

  /// All of it, once the process is done with it.
  var text: String {
    get async {
      await gathering.value
      return soFar
    }
  }
}
