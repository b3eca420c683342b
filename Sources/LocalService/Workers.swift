import Dispatch
import Synchronization

/// Threads for work that blocks, such as reading and flushing files, which must not hold up Swift's own few.
///
/// More threads than cores, because a thread that waits for the disk uses none, and flushes that wait together
/// share a commit of the file system's journal.
final class Workers: Sendable {
  private typealias Job = @Sendable () -> Void

  private struct State {
    var idle: [Int]
    var waiting: [Job] = []
    /// The next of `waiting`; a queue that is taken from its front without moving the rest.
    var next = 0
  }

  private let queues: [DispatchQueue]
  private let state: Mutex<State>

  init(count: Int) {
    // Serial queues get a thread as soon as they have work; a concurrent one would wait for a core to be free.
    queues = (0..<count).map { DispatchQueue(label: "moontide.local-service.\($0)") }
    state = Mutex(State(idle: Array(0..<count)))
  }

  /// Runs `body` on a thread that may block.
  func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      submit { continuation.resume(with: Result { try body() }) }
    }
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
