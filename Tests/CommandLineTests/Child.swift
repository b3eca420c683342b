import Foundation
import Glibc

/// A process that was started, and whose end can be awaited.
///
/// Spawned without Foundation's `Process`: that one watches its children with `select`, and was seen to crash the
/// whole test run where hundreds of descriptors are open.
final class Child: Sendable {
  struct NotStarted: Error {
    var executable: String
    var code: Int32
  }

  let id: pid_t
  /// What it writes; read on threads of their own, so that it never waits.
  let output: AsyncStream<Data>
  let errors: AsyncStream<Data>
  private let end: AsyncStream<Int32>
  private static let beginning = NSLock()

  /// - Parameters:
  ///   - input: what it reads; nothing where it is not given.
  ///   - output: where its standard output goes, instead of to `output`.
  ///   - errors: where its standard error goes, instead of to `errors`.
  init(
    _ executable: String, _ arguments: [String], in directory: String, environment: [String: String],
    input: FileHandle? = nil, output outputStream: FileHandle? = nil, errors stream: FileHandle? = nil
  ) throws {
    // No other child is begun between the making of a pipe and its marking as not to be inherited.
    Self.beginning.lock()
    defer { Self.beginning.unlock() }
    let (output, errors) = (try Self.pipe(), try Self.pipe())
    defer { for descriptor in [output.write, errors.write] { close(descriptor) } }
    let nothing = open("/dev/null", O_RDONLY | O_CLOEXEC)
    defer { close(nothing) }

    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input?.fileDescriptor ?? nothing, 0)
    posix_spawn_file_actions_adddup2(
      &actions, outputStream?.fileDescriptor ?? output.write, 1)
    posix_spawn_file_actions_adddup2(&actions, stream?.fileDescriptor ?? errors.write, 2)

    // A program is begun with no signal blocked or ignored.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var (all, none) = (sigset_t(), sigset_t())
    sigfillset(&all)
    sigemptyset(&none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))

    // Changes the directory, and becomes the program.
    let program = "/usr/bin/env"
    var words = ([program, "--chdir=" + directory, executable] + arguments).map { strdup($0) } + [nil]
    var variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in words + variables { free(text) } }
    var id: pid_t = 0
    let code = posix_spawn(&id, program, &actions, &attributes, &words, &variables)
    guard code == 0 else {
      for descriptor in [output.read, errors.read] { close(descriptor) }
      throw NotStarted(executable: executable, code: code)
    }
    self.id = id
    self.output = Self.drain(output.read)
    self.errors = Self.drain(errors.read)
    end = Self.reap(id)
  }

  /// The exit status; -1 for a signal. Is asked for once.
  func ended() async -> Int32 {
    var status: Int32 = -1
    for await end in end { status = end }
    return status
  }

  private static func pipe() throws -> (read: Int32, write: Int32) {
    var descriptors: [Int32] = [0, 0]
    guard Glibc.pipe(&descriptors) == 0 else { throw NotStarted(executable: "pipe", code: errno) }
    for descriptor in descriptors { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    return (descriptors[0], descriptors[1])
  }

  private static func drain(_ descriptor: Int32) -> AsyncStream<Data> {
    let (stream, continuation) = AsyncStream.makeStream(of: Data.self)
    Thread.detachNewThread {
      let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
      // What is there already: asked for so many bytes, it would wait for all of them.
      while case let data = handle.availableData, !data.isEmpty { continuation.yield(data) }
      continuation.finish()
    }
    return stream
  }

  private static func reap(_ id: pid_t) -> AsyncStream<Int32> {
    let (stream, continuation) = AsyncStream.makeStream(of: Int32.self)
    Thread.detachNewThread {
      var status: Int32 = 0
      while waitpid(id, &status, 0) == -1, errno == EINTR {}
      // The low seven bits name the signal that ended it.
      continuation.yield(status & 0x7f == 0 ? status >> 8 & 0xff : -1)
      continuation.finish()
    }
    return stream
  }
}
