/// Lets so many at once go on, and the others wait for their turn.
package actor Turns {
  /// The turns of tests that open a store, or a server.
  ///
  /// Tests begin by the hundred at once. Each of these takes a dozen files and connections; and a client that does
  /// not get on looks to its server like one that is slow on purpose.
  package static let ofServices = Turns(6)

  private var free: Int
  private var waiting: [CheckedContinuation<Void, Never>] = []

  private init(_ count: Int) {
    free = count
  }

  /// Runs `body` when there is a turn for it.
  package nonisolated func callAsFunction<Result: Sendable>(
    _ body: () async throws -> Result
  ) async throws -> Result {
    await take()
    do {
      let result = try await body()
      await give()
      return result
    } catch {
      await give()
      throw error
    }
  }

  private func take() async {
    guard free == 0 else {
      free -= 1
      return
    }
    await withCheckedContinuation { waiting.append($0) }
  }

  private func give() {
    if waiting.isEmpty {
      free += 1
    } else {
      waiting.removeFirst().resume()
    }
  }
}
