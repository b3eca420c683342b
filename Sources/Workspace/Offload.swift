import Dispatch

/// Runs work that blocks on a thread that may, and waits for it without blocking.
package func offload<Value: Sendable, Failure: Error>(
  _ body: @escaping @Sendable () throws(Failure) -> Value
) async throws(Failure) -> Value {
  let result = await withCheckedContinuation { continuation in
    DispatchQueue.global().async {
      continuation.resume(returning: Result(catching: body))
    }
  }
  return try result.get()
}
