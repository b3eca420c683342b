import LuaHost
import Synchronization
import Workspace

/// What is different for scripts in a dry run, beside the workspace, the service and the store that they are given.
package struct Planning: Sendable {
  /// Is told of a handler that reached for what cannot be known, and of the file that it was called for.
  package var unknown: @Sendable (UnknownPoint, _ handler: String, ProjectPath?) -> Void
  /// Has time pass by the script's clock, without waiting for it.
  package var pass: @Sendable (Duration) -> Void

  package init(
    unknown: @escaping @Sendable (UnknownPoint, _ handler: String, ProjectPath?) -> Void,
    pass: @escaping @Sendable (Duration) -> Void
  ) {
    self.unknown = unknown
    self.pass = pass
  }
}

/// Where a script reached for something that a dry run cannot know: from there on, nothing is known.
package struct UnknownPoint: Error, Hashable, Sendable, CustomStringConvertible {
  /// The line, with the file where it is another than the script: `line 12`, `lib/slack.lua:12`.
  package var place: String
  /// What it reached for: `http`, `meetings.find`.
  package var what: String

  package init(place: String, what: String) {
    self.place = place
    self.what = what
  }

  package var description: String { "unknown after \(place): \(what)" }
}

/// How far a script that no file is handled by is followed in a dry run: to what it cannot know.
package final class Reach: Sendable {
  /// That of the call that the current task makes.
  @TaskLocal package static var current: Reach?

  private let first = Mutex<UnknownPoint?>(nil)

  package init() {}

  /// Where the script first reached for what a dry run cannot know, whatever it made of the error; nil where it did not.
  package var point: UnknownPoint? { first.withLock { $0 } }

  func note(_ point: UnknownPoint) {
    first.withLock { $0 = $0 ?? point }
  }
}

extension LuaCall {
  /// Ends the handler in a dry run, which can say nothing of what the function would give.
  ///
  /// - Parameter what: the function as people are told of it.
  func requireKnowable(_ what: String, in context: LibraryContext) throws(UnknownPoint) {
    guard context.planning != nil else { return }
    let line =
      place.map { $0.chunk == context.script ? "line \($0.line)" : "\($0.chunk):\($0.line)" }
      ?? context.script
    let point = UnknownPoint(place: line, what: what)
    JobCalls.current?.reach(point)
    Reach.current?.note(point)
    throw point
  }

  /// Ends the handler in a dry run that cannot keep so much more of what is written.
  func requireRoom(for count: Int, in context: LibraryContext) throws(UnknownPoint) {
    guard let overlay = context.workspace.overlay, !overlay.hasRoom(for: count) else { return }
    try requireKnowable(
      "fs.write, beyond the \(overlay.capacity >> 20) MiB that a dry run keeps", in: context)
  }
}
