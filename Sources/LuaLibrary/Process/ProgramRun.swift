import Glibc
import Subprocess
import Synchronization
import SystemPackage
import Workspace

/// Runs one program to its end. Never through a shell.
struct ProgramRun: Sendable {
  let request: ProgramRequest
  /// Where programs are looked for: the search path of this process, whatever the script sets.
  let searchPath: String?
  let sleep: @Sendable (Duration) async throws -> Void

  /// How long a program has to end after SIGTERM before it is killed.
  private static let grace = Duration.seconds(1)

  /// Starts the program, and waits for its end. When the task is cancelled, or a limit broken, the program and
  /// everything in its process group is killed before this returns.
  ///
  /// - Throws: `ProgramError`, `WorkspaceError`, `PermissionError`; `CancellationError`.
  func callAsFunction() async throws -> ProgramResult {
    let (directory, input) = try await offload { () throws in
      (try startDirectory(), try InputFile(request.input))
    }
    let executable = try await locate()
    return try await withThrowingTaskGroup(of: ProgramResult?.self) { group in
      group.addTask { try await run(executable, in: directory, input) }
      group.addTask {
        try await sleep(request.timeout)
        return nil
      }
      defer { group.cancelAll() }
      if let result = try await group.next() ?? nil { return result }
      throw error(.timeout, "it was killed after \(request.timeout); give it more with timeout = seconds")
    }
  }

  /// Where links lead out of what is permitted this throws.
  private func startDirectory() throws -> String {
    let place = try request.directory.place()
    let info = try place.workspace.info(place.path)
    guard info.kind == .directory else {
      throw WorkspaceError(.notDirectory, path: place.shown(place.path), "cwd: \(place.path) is no directory")
    }
    return place.workspace.absolute(info.path)
  }

  private func locate() async throws -> FilePath {
    if request.program.hasPrefix("/") { return FilePath(request.program) }
    do {
      let path = (searchPath ?? "/usr/local/bin:/usr/bin:/bin")
      return try await Executable.name(request.program)
        .resolveExecutablePath(in: .custom([Array("PATH=\(path)\0".utf8)]))
    } catch {
      throw self.error(.notFound, "there is no such program in PATH; install it, or give its path")
    }
  }

  private func run(_ executable: FilePath, in directory: String, _ input: InputFile) async throws
    -> ProgramResult
  {
    var options = PlatformOptions()
    // A process group of its own, so that what it starts ends with it.
    options.processGroupID = 0
    options.teardownSequence = [
      .send(signal: .terminate, toProcessGroup: true, allowedDurationToNextStep: Self.grace)
    ]
    let configuration = Configuration(
      executable: .path(executable),
      // C strings, which end in a NUL.
      arguments: Arguments(
        executablePathOverride: Array(request.program.utf8) + [0],
        remainingValues: request.arguments.map { $0 + [0] }),
      environment: .custom(request.environment.map { Array("\($0)=\($1)\0".utf8) }),
      workingDirectory: FilePath(directory), platformOptions: options)
    let group = Mutex<pid_t?>(nil)
    // Whatever happens, nothing of the group outlives the call. While any of it is alive its number is not given
    // to others, and afterwards not so soon.
    defer { group.withLock { if let group = $0 { _ = kill(-group, SIGKILL) } } }
    do {
      let ended = try await Subprocess.run(
        configuration, input: .fileDescriptor(input.descriptor, closeAfterSpawningProcess: false),
        output: .sequence, error: .sequence
      ) { execution in
        let number = execution.processIdentifier.value
        group.withLock { $0 = number }
        async let error = collect(execution.standardError, of: number)
        return (output: try await collect(execution.standardOutput, of: number), error: try await error)
      }
      var result = ProgramResult(output: ended.closureResult.output, error: ended.closureResult.error)
      switch ended.terminationStatus {
      case .exited(let status): result.status = Int(status)
      case .signaled(let signal): result.signal = Int(signal)
      }
      return result
    } catch let failure as SubprocessError {
      try Task.checkCancellation()
      let code: ProgramError.Code = failure.code == .executableNotFound ? .notFound : .notStarted
      throw error(code, failure.description)
    }
  }

  private func collect(_ stream: SubprocessOutputSequence, of group: pid_t) async throws -> [UInt8] {
    var bytes: [UInt8] = []
    for try await piece in stream {
      guard bytes.count + piece.count <= request.maximumOutput else {
        // At once, since the other stream is read to its end first.
        _ = kill(-group, SIGKILL)
        throw error(
          .outputLimit,
          "it wrote more than \(request.maximumOutput) bytes and was killed; raise max_output, or let it write a file"
        )
      }
      piece.withUnsafeBytes { bytes.append(contentsOf: $0) }
    }
    return bytes
  }

  private func error(_ code: ProgramError.Code, _ message: String) -> ProgramError {
    ProgramError(code: code, program: request.program, message: message)
  }
}

/// What a program reads: a file without a name, rather than a pipe, so that a program that does not read it all
/// can neither block nor end (SIGPIPE) this process.
private final class InputFile: Sendable {
  let descriptor: FileDescriptor

  /// Blocks.
  init(_ bytes: [UInt8]) throws {
    guard !bytes.isEmpty else {
      descriptor = try FileDescriptor.open("/dev/null", .readOnly, options: .closeOnExec)
      return
    }
    guard let file = tmpfile() else { throw Errno(rawValue: errno) }
    defer { fclose(file) }
    let number = fcntl(fileno(file), F_DUPFD_CLOEXEC, 0)
    guard number >= 0 else { throw Errno(rawValue: errno) }
    descriptor = FileDescriptor(rawValue: number)
    try descriptor.writeAll(bytes)
    try descriptor.seek(offset: 0, from: .start)
  }

  deinit { try? descriptor.close() }
}
