import FileSessions

/// A request's body came more slowly than the server waits for.
struct SlowSender: Error {
  /// In bytes a second.
  let minimumRate: Int

  /// The 408 that the sender gets.
  var refusal: ServiceError {
    ServiceError(
      .requestTimeout,
      "The body came at less than \(minimumRate) bytes a second. Send it again, from the start.")
  }
}
