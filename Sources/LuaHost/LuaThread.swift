import CLuaBridge
import Foundation
import Synchronization

/// The thread on which one script runs.
///
/// It is the serial executor of the script's actor, and a task executor as well: a task that
/// prefers it (`withTaskExecutorPreference(script.thread)`) visits the script without changing
/// threads, which is several times faster for many short calls. Blocking work has no place on it.
///
/// The thread ends by itself once the last reference to this object is gone and its queue is empty.
package final class LuaThread: SerialExecutor, TaskExecutor, Sendable {
  /// The size of the thread's stack in bytes.
  ///
  /// Lua allows about 200 nested C calls, and pattern callbacks nested that deep need several megabytes.
  package static let stackSize = 16 << 20

  private let queue = LuaThreadQueue()

  /// Starts a thread.
  ///
  /// - Parameter name: What debuggers show, at most 15 bytes of it.
  /// - Throws: `LuaError` with the code `unavailable` when the system refuses another thread.
  package init(name: String) throws {
    try queue.start(name: name, executor: LuaThreadOwner(thread: self))
  }

  deinit { queue.stop() }

  package func enqueue(_ job: consuming ExecutorJob) {
    queue.append(.job(UnownedJob(job)))
  }

  /// Runs a closure on the thread after everything queued before it.
  package func enqueue(_ work: @escaping @Sendable () -> Void) {
    queue.append(.work(work))
  }

  package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
    UnownedSerialExecutor(ordinary: self)
  }

  package func asUnownedTaskExecutor() -> UnownedTaskExecutor {
    UnownedTaskExecutor(ordinary: self)
  }

  /// Whether the caller runs on this thread.
  package var isCurrent: Bool { queue.isCurrent }

  package func checkIsolated() {
    precondition(isCurrent, "not on the script's thread")
  }
}

/// The executor that a queued job runs on, without keeping it alive.
///
/// The queue's thread must not own the executor, or it would never end. A job that is queued
/// implies an actor or a task that owns the executor, so the reference is good whenever it is used.
private struct LuaThreadOwner: Sendable {
  unowned(unsafe) let thread: LuaThread
}

/// The queue of a script's thread.
private final class LuaThreadQueue: @unchecked Sendable {
  // Unchecked: `items`, `waiting`, `stopped` are only touched with `lock` held; the primitives
  // are initialised once and destroyed in deinit.
  enum Item {
    case job(UnownedJob)
    case work(@Sendable () -> Void)
  }

  private let lock: UnsafeMutablePointer<pthread_mutex_t>
  private let signal: UnsafeMutablePointer<pthread_cond_t>
  private var items: [Item] = []
  private var waiting = false
  private var stopped = false
  private let thread = Atomic<UInt>(0)

  init() {
    lock = .allocate(capacity: 1)
    signal = .allocate(capacity: 1)
    pthread_mutex_init(lock, nil)
    pthread_cond_init(signal, nil)
  }

  deinit {
    pthread_cond_destroy(signal)
    pthread_mutex_destroy(lock)
    signal.deallocate()
    lock.deallocate()
  }

  var isCurrent: Bool { thread.load(ordering: .relaxed) == UInt(pthread_self()) }

  func start(name: String, executor: LuaThreadOwner) throws {
    final class Start: Sendable {
      let queue: LuaThreadQueue
      let executor: LuaThreadOwner
      let name: String
      init(queue: LuaThreadQueue, executor: LuaThreadOwner, name: String) {
        self.queue = queue
        self.name = name
        self.executor = executor
      }
    }
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setstacksize(&attributes, LuaThread.stackSize)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    let start = Unmanaged.passRetained(Start(queue: self, executor: executor, name: name))
    var created = pthread_t()
    let status = pthread_create(
      &created, &attributes,
      { argument in
        guard let argument else { return nil }
        let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
        clb_name_thread(start.name)
        start.queue.run(executor: start.executor)
        return nil
      }, start.toOpaque())
    guard status == 0 else {
      start.release()
      throw LuaError(
        code: .unavailable, message: "no thread for the script: \(String(cString: strerror(status)))")
    }
  }

  func append(_ item: Item) {
    pthread_mutex_lock(lock)
    items.append(item)
    let wake = waiting
    waiting = false
    pthread_mutex_unlock(lock)
    if wake { pthread_cond_signal(signal) }
  }

  func stop() {
    pthread_mutex_lock(lock)
    stopped = true
    let wake = waiting
    waiting = false
    pthread_mutex_unlock(lock)
    if wake { pthread_cond_signal(signal) }
  }

  private func run(executor: LuaThreadOwner) {
    thread.store(UInt(pthread_self()), ordering: .relaxed)
    var batch: [Item] = []
    while true {
      pthread_mutex_lock(lock)
      while items.isEmpty && !stopped {
        waiting = true
        pthread_cond_wait(signal, lock)
      }
      if items.isEmpty {
        pthread_mutex_unlock(lock)
        return
      }
      swap(&batch, &items)
      pthread_mutex_unlock(lock)
      for item in batch {
        switch item {
        case .job(let job):
          job.runSynchronously(
            isolatedTo: executor.thread.asUnownedSerialExecutor(),
            taskExecutor: executor.thread.asUnownedTaskExecutor())
        case .work(let work): work()
        }
      }
      batch.removeAll(keepingCapacity: true)
    }
  }
}
