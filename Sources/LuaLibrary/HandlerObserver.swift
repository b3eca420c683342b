/// Is told how long each handler of a script took.
package struct HandlerObserver: Sendable {
  /// The time since some fixed moment.
  package let now: @Sendable () -> Duration
  private let ended: @Sendable (_ handler: String, _ took: Duration, _ wasStopped: Bool) -> Void

  /// - Parameter ended: called on any thread; `wasStopped` says that the handler broke one of its limits.
  package init(
    now: @escaping @Sendable () -> Duration,
    ended: @escaping @Sendable (_ handler: String, _ took: Duration, _ wasStopped: Bool) -> Void
  ) {
    self.now = now
    self.ended = ended
  }

  /// A handler that began at `begin` has ended.
  package func end(_ handler: String, since begin: Duration, wasStopped: Bool = false) {
    ended(handler, now() - begin, wasStopped)
  }
}
