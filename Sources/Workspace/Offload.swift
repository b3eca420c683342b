import WorkerThreads

/// Enough that a few hung file systems do not hold up the rest.
private let workers = Workers(count: 48, name: "workspace")

/// Runs work that blocks on a thread that may, and waits for it without blocking.
package func offload<Value: Sendable, Failure: Error>(
  _ body: @escaping @Sendable () throws(Failure) -> Value
) async throws(Failure) -> Value {
  try await workers.run(body)
}
