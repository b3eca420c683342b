import CLuaBridge
import Foundation
import Synchronization

/// The thread on which one script runs.
///
/// The script's actor lives on it (`LuaSerialExecutor`). As a task executor it can be preferred by tasks
/// that mostly talk to the script (`withTaskExecutorPreference(script.thread)`): they then visit it without
/// changing threads. Blocking work has no place on it.
///
/// The thread ends by itself once the last reference to this object is gone and its queue is empty.
package final class LuaThread: TaskExecutor, Sendable {
  /// The size of the thread's stack in bytes.
  ///
  /// Lua allows about 200 nested C calls, and pattern callbacks nested that deep need several megabytes.
  package static let stackSize = 16 << 20

  fileprivate let queue = LuaThreadQueue()

  /// Starts a thread.
  ///
  /// - Parameter name: What debuggers show, at most 15 bytes of it.
  /// - Throws: `LuaError` with the code `unavailable` when the system refuses another thread.
  package init(name: String) throws { try queue.start(name: name) }

  deinit { queue.stop() }

  /// How many jobs it has begun. For code that runs on it.
  var jobs: Int { queue.jobs }

  package func enqueue(_ job: consuming ExecutorJob) {
    queue.append(.init(job: UnownedJob(job), executor: .task(asUnownedTaskExecutor())))
  }

  package func asUnownedTaskExecutor() -> UnownedTaskExecutor {
    UnownedTaskExecutor(ordinary: self)
  }
}

/// The executor of a script's actor: its thread, without being a task executor.
///
/// Two objects, since a job must be run with what it was queued for. The runtime compares both executors
/// at each `await` inside of the actor, and a task that prefers none would else be queued anew every time.
final class LuaSerialExecutor: SerialExecutor, Sendable {
  let thread: LuaThread

  init(thread: LuaThread) { self.thread = thread }

  func enqueue(_ job: consuming ExecutorJob) {
    thread.queue.append(.init(job: UnownedJob(job), executor: .serial(asUnownedSerialExecutor())))
  }

  func asUnownedSerialExecutor() -> UnownedSerialExecutor {
    UnownedSerialExecutor(ordinary: self)
  }

  func checkIsolated() {
    precondition(thread.queue.isCurrent, "not on the script's thread")
  }
}

/// The queue of a script's thread.
fileprivate final class LuaThreadQueue: @unchecked Sendable {
  // Unchecked: `items`, `waiting`, `stopped` are only touched with `lock` held, `jobs` on one thread; the primitives
  // are initialised once and destroyed in deinit.
  struct Item {
    /// What the job was queued for. Unowned: a queued job implies an actor or a task that owns it.
    enum Executor {
      case serial(UnownedSerialExecutor)
      case task(UnownedTaskExecutor)
    }

    let job: UnownedJob
    let executor: Executor
  }

  private let lock: UnsafeMutablePointer<pthread_mutex_t>
  private let signal: UnsafeMutablePointer<pthread_cond_t>
  private var items: [Item] = []
  private var waiting = false
  private var stopped = false
  /// Only touched on the thread itself.
  @exclusivity(unchecked) private(set) var jobs = 0
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

  func start(name: String) throws {
    final class Start: Sendable {
      let queue: LuaThreadQueue
      let name: String
      init(queue: LuaThreadQueue, name: String) {
        self.queue = queue
        self.name = name
      }
    }
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setstacksize(&attributes, LuaThread.stackSize)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    let start = Unmanaged.passRetained(Start(queue: self, name: name))
    var created = pthread_t()
    let status = pthread_create(
      &created, &attributes,
      { argument in
        guard let argument else { return nil }
        let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
        clb_name_thread(start.name)
        start.queue.run()
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

  private func run() {
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
        jobs &+= 1
        switch item.executor {
        case .serial(let executor): item.job.runSynchronously(on: executor)
        case .task(let executor): item.job.runSynchronously(on: executor)
        }
      }
      batch.removeAll(keepingCapacity: true)
    }
  }
}
