import FileSessions
import Ingestion
import LuaHost
import LuaLibrary

/// What a handler may say of a file instead of a value: `moontide.skip("too old")`.
struct Verdict: Sendable {
  enum Kind: Sendable {
    case skip(reason: String?)
    case reject(reason: String)
    case postpone(Duration, reason: String?)
  }

  let kind: Kind
  /// Where the script made it; nil where that is no line of a script.
  let place: LuaPlace?

  private init(_ kind: Kind, _ call: borrowing LuaCall) {
    self.kind = kind
    place = call.place
  }

  /// - Parameter decider: the handler that gave it, with its place.
  func ruling(by decider: String) -> Ruling {
    switch kind {
    case .skip(let reason): .skip(reason: reason, by: decider)
    case .reject(let reason): .reject(reason: reason, by: decider)
    case .postpone(let delay, let reason): .postpone(delay, reason: reason, by: decider)
    }
  }

  /// How scripts see a verdict: a value that they return, and that prints well.
  private static let luaType = LuaObjectType<Verdict>("verdict") { type in
    type.text { $0.description }
  }

  var value: LuaValue { .object(LuaObject(self, type: Self.luaType)) }

  /// The functions that make verdicts, as an addition to `moontide`.
  static let module = LuaModule("moontide") { module in
    module.function("skip") { call in
      try call.push(Verdict(.skip(reason: call.optionalString(1)), call).value)
    }
    module.function("reject") { call in
      let reason = try call.string(1)
      guard !reason.isEmpty else {
        throw LuaValueError(
          place: "moontide.reject: argument #1", problem: "the reason is empty",
          hint: "say what is wrong with the file")
      }
      try call.push(Verdict(.reject(reason: reason), call).value)
    }
    module.function("defer") { call in
      try call.push(Verdict(.postpone(call.seconds(1), reason: call.optionalString(2)), call).value)
    }
  }
}

/// What `failed` may give: the recipe is asked about the file again after so long.
struct RetryWish: Sendable {
  var delay: Duration

  private static let luaType = LuaObjectType<RetryWish>("retry") { type in
    type.text { "retry(\($0.delay.inSeconds))" }
  }

  /// The function that makes it, as an addition to `moontide`.
  static let module = LuaModule("moontide") { module in
    module.function("retry") { call in
      try call.push(.object(LuaObject(RetryWish(delay: call.seconds(1)), type: luaType)))
    }
  }
}

extension Verdict: CustomStringConvertible {
  var description: String {
    switch kind {
    case .skip(nil): "skip()"
    case .skip(let reason?): "skip(\"\(reason)\")"
    case .reject(let reason): "reject(\"\(reason)\")"
    case .postpone(let delay, let reason):
      "defer(\(delay.inSeconds)\(reason.map { ", \"\($0)\"" } ?? ""))"
    }
  }
}
