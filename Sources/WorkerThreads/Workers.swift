import Dispatch
import Synchronization

/// Threads for work that blocks, such as reading and flushing files, which must not hold up Swift's own few.
///
/// More threads than cores, because a thread that waits for the disk uses none, and flushes that wait together
/// share a commit of the file system's journal.
package final class Workers: Sendable {
  private typealias Job = @Sendable () -> Void

  private struct State {
    var idle: [Int]
    var waiting: [Job] = []
    /// The next of `waiting`; a queue that is taken from its front without moving the rest.
    var next = 0
  }

  private let queues: [DispatchQueue]
  private let state: Mutex<State>

  /// - Parameters:
  ///   - count: how many threads there are at the most; each is made when it is needed.
  ///   - name: what debuggers call them.
  package init(count: Int, name: String) {
    // Serial queues get a thread as soon as they have work; a concurrent one would wait for a core to be free,
    // and shares its threads with Swift's tasks.
    queues = (0..<count).map { DispatchQueue(label: "moontide.\(name).\($0)") }
    state = Mutex(State(idle: Array(0..<count)))
  }

  /// Runs `body` on a thread that may block, and waits for it without blocking.
  ///
  /// When all threads are taken it waits for its turn.
  package func run<Value: Sendable, Failure: Error>(
    _ body: @escaping @Sendable () throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    let result = await withCheckedContinuation { continuation in
      submit { continuation.resume(returning: Result(catching: body)) }
    }
    return try result.get()
  }

  private func submit(_ job: @escaping Job) {
    let worker = state.withLock { state -> Int? in
      if let worker = state.idle.popLast() { return worker }
      state.waiting.append(job)
      return nil
    }
    guard let worker else { return }
    queues[worker].async {
      job()
      while let next = self.next(for: worker) { next() }
    }
  }

  /// The next waiting job; nil when there is none, and the worker is idle from then on.
  private func next(for worker: Int) -> Job? {
    state.withLock { state in
      guard state.next < state.waiting.count else {
        state.waiting.removeAll(keepingCapacity: true)
        state.next = 0
        state.idle.append(worker)
        return nil
      }
      let job = state.waiting[state.next]
      state.next += 1
      if state.next >= 64 && state.next * 2 >= state.waiting.count {
        state.waiting.removeFirst(state.next)
        state.next = 0
      }
      return job
    }
  }
}
