import FileSessions
import Ingestion
import LuaHost

/// `retries`: when failed calls to the service are made again for this recipe.
extension RecipeReader {
  private static let fields = ["attempts", "first", "longest", "jitter", "asked", "by_kind"]
  private static let mostAttempts: ClosedRange<Int64> = 1...100

  func retries() throws(ScriptError) -> RetryPolicy? {
    guard let value = self[.retries] else { return nil }
    guard case .table(let table) = value else {
      throw wrong(.retries, "is \(described(value)); it takes \(RecipeKey.retries.wanted.value)")
    }
    do throws(WrongValue) {
      try Values.onlyKnown(table, Self.fields, wanted: RecipeKey.retries.wanted.value)
    } catch {
      throw wrong(.retries, "is \(error.problem)")
    }
    var policy = RetryPolicy.standard
    if let value = table["attempts"] { policy.attempts = try attempts(value, "attempts") }
    policy.firstWait = try wait(table, "first") ?? policy.firstWait
    policy.longestWait = try wait(table, "longest") ?? max(policy.longestWait, policy.firstWait)
    policy.longestAskedWait = try wait(table, "asked") ?? policy.longestAskedWait
    guard policy.firstWait <= policy.longestWait else {
      throw ScriptError(
        "`retries` has a longest wait that is shorter than the first one", key: "longest", in: source)
    }
    if let value = table["jitter"] {
      guard let jitter = value.number, (0...1).contains(jitter) else {
        throw problem("jitter", value, "a part from 0 to 1, by which waits are shortened at random")
      }
      policy.jitter = jitter
    }
    if let value = table["by_kind"] { policy.attemptsByKind = try attemptsByKind(value) }
    return policy
  }

  private func attemptsByKind(_ value: LuaValue) throws(ScriptError) -> [ServiceError.Kind: Int] {
    let kinds = ServiceError.Kind.allCases.filter(\.isTransient)
    let wanted = "a table of attempts by kind of error, such as { too_many_requests = 10 }"
    guard case .table(let table) = value, table.array.isEmpty else {
      throw problem("by_kind", value, wanted)
    }
    var attempts: [ServiceError.Kind: Int] = [:]
    for name in table.names {
      guard let kind = kinds.first(where: { $0.rawValue == name }), let value = table[name] else {
        let hint = nearestName(to: name, in: kinds.map(\.rawValue)).map { "did you mean `\($0)`?" }
        throw ScriptError(
          "`retries` has by_kind with `\(escapingControls(name))`, which is no error that is tried again; "
            + (hint ?? "those are \(kinds.map(\.rawValue).joined(separator: ", "))"),
          key: "by_kind", in: source)
      }
      attempts[kind] = try self.attempts(value, name)
    }
    guard attempts.count == table.fields.count else { throw problem("by_kind", value, wanted) }
    return attempts
  }

  private func attempts(_ value: LuaValue, _ name: String) throws(ScriptError) -> Int {
    guard let count = value.integer, Self.mostAttempts.contains(count) else {
      throw problem(
        name, value,
        "a number from \(Self.mostAttempts.lowerBound) to \(Self.mostAttempts.upperBound): how often a call is made, "
          + "the first time included")
    }
    return Int(count)
  }

  private func wait(_ table: LuaTable, _ name: String) throws(ScriptError) -> Duration? {
    guard let value = table[name] else { return nil }
    guard let time = Self.time(value) else {
      throw problem(name, value, "a time: seconds, or a text such as \"500ms\" or \"2m\"")
    }
    return time
  }

  private func problem(_ name: String, _ value: LuaValue, _ wanted: String) -> ScriptError {
    ScriptError("`retries` has \(name) = \(described(value)); it takes \(wanted)", key: name, in: source)
  }
}
