import FileSessions
import Synchronization
import Workspace

/// Where files that are to be sent pass one after the other, so that the same bytes are not sent twice at once.
///
/// A file that comes while another of its size is under way is compared with that one, and waits for its end if the
/// content is the same. Nothing is read where the sizes differ.
final class ContentGate: Sendable {
  /// A file under way.
  final class Entry: Sendable {
    let path: ProjectPath
    let stamp: FileStamp
    fileprivate let number: Int
    /// Whether an earlier run began with it: then it goes first, and waits for nobody.
    fileprivate let isResumed: Bool
    private let content: Mutex<MD5Digest?>
    private let waiting = Mutex<(isOver: Bool, waiters: [AsyncStream<Void>.Continuation])>((false, []))

    fileprivate init(_ job: Job, number: Int, isResumed: Bool) {
      path = job.key.path
      stamp = job.stamp
      content = Mutex(job.preparation?.origin ?? job.md5)
      self.number = number
      self.isResumed = isResumed
    }

    /// The md5 of its content; nil where it cannot be read, or is another by now.
    func md5(in workspace: Workspace) async -> MD5Digest? {
      if let known = content.withLock({ $0 }) { return known }
      let (path, stamp) = (path, stamp)
      let found = await offload { workspace.md5(of: path, stamp: stamp) }
      if let found { content.withLock { $0 = found } }
      return found
    }

    /// Waits until it is not under way any more, or the task is cancelled.
    func end() async {
      let (stream, continuation) = AsyncStream<Void>.makeStream()
      let isOver = waiting.withLock { waiting in
        if !waiting.isOver { waiting.waiters.append(continuation) }
        return waiting.isOver
      }
      if !isOver { for await _ in stream {} }
    }

    fileprivate func leave() {
      let waiters = waiting.withLock { waiting in
        waiting.isOver = true
        return waiting.waiters
      }
      for waiter in waiters { waiter.finish() }
    }
  }

  private struct State {
    var number = 0
    var inside: [Int64: [Entry]] = [:]
  }

  private let state = Mutex(State())

  /// Takes a file in; ``leave(_:)`` has to follow.
  func enter(_ job: Job, isResumed: Bool) -> Entry {
    state.withLock { state in
      state.number += 1
      let entry = Entry(job, number: state.number, isResumed: isResumed)
      state.inside[entry.stamp.size, default: []].append(entry)
      return entry
    }
  }

  func leave(_ entry: Entry) {
    state.withLock { state in
      let left = state.inside[entry.stamp.size]?.filter { $0 !== entry } ?? []
      state.inside[entry.stamp.size] = left.isEmpty ? nil : left
    }
    entry.leave()
  }

  /// The files of the same size that go first.
  func rivals(of entry: Entry) -> [Entry] {
    state.withLock { state in
      (state.inside[entry.stamp.size] ?? []).filter { other in
        other !== entry && (other.isResumed || other.number < entry.number)
      }
    }
  }
}
