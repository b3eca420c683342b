import Ingestion
import LuaHost
import Synchronization

/// Where the results of `file:once` are kept.
package struct OnceRecord: Sendable {
  /// The result that was recorded for a job under a label, as JSON; nil when there is none.
  package var recall: @Sendable (JobKey, String) async throws -> [UInt8]?
  /// Records a result as JSON; what was recorded first stays.
  package var record: @Sendable (JobKey, String, [UInt8]) async throws -> Void

  package init(
    recall: @escaping @Sendable (JobKey, String) async throws -> [UInt8]?,
    record: @escaping @Sendable (JobKey, String, [UInt8]) async throws -> Void
  ) {
    self.recall = recall
    self.record = record
  }

  /// A record that lasts as long as the process.
  package static func inMemory() -> OnceRecord {
    final class Results: Sendable {
      let byPlace = Mutex<[OncePlace: [UInt8]]>([:])
    }
    let results = Results()
    return OnceRecord { key, label in
      results.byPlace.withLock { $0[OncePlace(key: key, label: label)] }
    } record: { key, label, bytes in
      let place = OncePlace(key: key, label: label)
      results.byPlace.withLock { $0[place] = $0[place] ?? bytes }
    }
  }
}

/// What `file:once` is called for.
struct OncePlace: Hashable, Sendable {
  let key: JobKey
  let label: String
}

/// The calls of `file:once` in one recipe: those for the same place come one after another.
final class OnceCalls: Sendable {
  /// The places whose functions the current task is in.
  @TaskLocal private static var inside: Set<OncePlace> = []

  private let record: OnceRecord
  /// The places that are taken, with those who wait for them.
  private let taken = Mutex<[OncePlace: [AsyncStream<Void>.Continuation]]>([:])

  init(_ record: OnceRecord) {
    self.record = record
  }

  /// The recorded result, or that of `body`, which is recorded.
  func result(of place: OncePlace, _ body: () async throws -> [UInt8]) async throws -> [UInt8] {
    guard !Self.inside.contains(place) else {
      throw LuaValueError(
        place: "file:once",
        problem: "the function of \"\(escapingControls(place.label))\" asks for its own result",
        hint: "give the inner call another label")
    }
    while let turn = take(place) {
      for await _ in turn {}
      try Task.checkCancellation()
    }
    defer { leave(place) }
    if let bytes = try await record.recall(place.key, place.label) { return bytes }
    let bytes = try await Self.$inside.withValue(Self.inside.union([place])) { try await body() }
    // What has been done is recorded, even when the run is being stopped.
    try await Task { [record] in try await record.record(place.key, place.label, bytes) }.value
    return bytes
  }

  /// Takes a place; or gives a stream that ends when it may be free.
  private func take(_ place: OncePlace) -> AsyncStream<Void>? {
    let (stream, continuation) = AsyncStream<Void>.makeStream()
    return taken.withLock { taken in
      guard taken[place] == nil else {
        taken[place]?.append(continuation)
        return stream
      }
      taken[place] = []
      return nil
    }
  }

  private func leave(_ place: OncePlace) {
    let waiting = taken.withLock { $0.removeValue(forKey: place) ?? [] }
    for continuation in waiting { continuation.finish() }
  }
}

/// The Lua side of `file:once`.
enum OnceHelper {
  /// A chunk that returns a function: given a function, it gives its first result as JSON, and nil for nil.
  static let source = """
    local encode = moontide.json.encode
    return function(body)
      local value = body()
      if value == nil then return nil end
      return encode(value)
    end
    """
}
