import FileSessions

/// Lightfield, or a service that speaks its API, over HTTP.
package final class LightfieldClient: Sendable {
  /// - Parameters:
  ///   - pacer: what the clients of one key in one process share; a new one where it is nil.
  package init(
    key: APIKey, configuration: Configuration = Configuration(), pacer: Pacer? = nil,
    clock: WallClock = .system, steadyClock: SteadyClock = .system
  ) throws(ServiceError) {}

  /// Closes all connections. The client is of no use afterwards; it has to be called before the last reference goes.
  package func shutdown() async {}
}
