import Dispatch
import Foundation
import Glibc
import Synchronization

/// Turns a directory with a `secret.txt` of its own into a link and back as fast as it can, on its own thread.
final class Swapper: Sendable {
  private let isStopped = Atomic(false)
  private let isOver = DispatchSemaphore(value: 0)

  init(_ path: String, to target: String) {
    let (kept, link) = (path + ".kept", path + ".link")
    mkdir(kept, 0o700)
    _ = FileManager.default.createFile(atPath: kept + "/secret.txt", contents: Data("granted".utf8))
    symlink(target, link)
    rename(kept, path)
    Thread.detachNewThread {
      while !self.isStopped.load(ordering: .relaxed) {
        rename(path, kept)
        rename(link, path)
        rename(path, link)
        rename(kept, path)
      }
      self.isOver.signal()
    }
  }

  func stop() {
    isStopped.store(true, ordering: .relaxed)
    isOver.wait()
  }
}
