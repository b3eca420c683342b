import LuaHost
import Synchronization
import Testing

/// An error of the host's own, with a field for scripts.
struct HostFailure: Error, Equatable, CustomStringConvertible, LuaErrorFields {
  var code: Int
  var description: String { "host failure \(code)" }
  func luaField(_ name: String) -> LuaValue? { name == "code" ? .int(code) : nil }
}

/// A host object for tests.
struct Book: Sendable {
  var title: String
  var pages: Int

  static let luaType = LuaObjectType<Book>("book") { type in
    type.property("title") { book, call in try call.push(book.title) }
    type.value("pages") { book in .int(book.pages) }
    type.waitingProperty("summary") { book in LuaOperation { [.string("summary of \(book.title)")] } }
    type.method("repeated") { book, call in
      try call.push(String(repeating: book.title, count: try call.int(1, in: 0...10)))
    }
    type.waitingMethod("read") { book, call in
      let page = try call.int(1, in: 1...book.pages)
      return LuaOperation {
        await Task.yield()
        return [.string("page \(page) of \(book.title)")]
      }
    }
    type.text { book in "book(\(book.title))" }
  }

  var value: LuaValue { .object(LuaObject(self, type: Book.luaType)) }
}

/// What a script printed.
final class Printed: Sendable {
  private let text = Mutex<[String]>([])
  var lines: [String] { text.withLock { $0 } }
  func add(_ line: String) { text.withLock { $0.append(line) } }
}

/// The modules that tests use; `host.sleep` goes by the clock.
func testModules(_ clock: ManualClock) -> [LuaModule] {
  [
    LuaModule("host") { module in
      module.waiting("sleep") { call in
        let seconds = try call.finite(1, in: 0...)
        return LuaOperation {
          try await clock.sleep(seconds)
          return []
        }
      }
      module.waiting("now") { call in
        let values = try call.values()
        return LuaOperation { values }
      }
      module.waiting("later") { call in
        let values = try call.values()
        return LuaOperation {
          await Task.yield()
          return values
        }
      }
      module.waiting("failLater") { call in
        let code = try call.int(1, in: 0...100)
        return LuaOperation {
          await Task.yield()
          throw HostFailure(code: code)
        }
      }
      module.function("fail") { call in throw HostFailure(code: try call.int(1, in: 0...100)) }
      module.function("echo") { call in
        for value in try call.values() { try call.push(value) }
      }
      module.function("apply") { call in
        let function = try call.function(1)
        try call.push(call.call(function, Array(try call.values().dropFirst())))
      }
      module.function("opaque") { call in
        try call.push(LuaValue.opaque(try call.string(1), name: "verdict"))
      }
      module.function("book") { call in
        let book = Book(title: try call.string(1), pages: 3)
        try call.push(book.value)
      }
      module.value("version", 7)
    },
    LuaModule("host.deep.nested") { module in
      module.function("add") { call in call.push(try call.integer(1) &+ call.integer(2)) }
      module.script(
        """
        local nested = ...
        function nested.double(x) return nested.add(x, x) end
        """)
    },
  ]
}

func makeScript(
  _ clock: ManualClock = ManualClock(), limits: LuaLimits = .standard, printed: Printed = Printed()
) throws -> LuaScript {
  try LuaScript(
    LuaConfiguration(
      name: "test", modules: testModules(clock), limits: limits, print: { printed.add($0) }))
}

/// Runs a source in a fresh script.
@discardableResult
func run(
  _ source: String, _ arguments: [LuaValue] = [], limits: LuaLimits = .standard, mode: LuaLoadMode = .script
) async throws -> [LuaValue] {
  let script = try makeScript(limits: limits)
  return try await script.load(source: source, name: "t.lua", mode: mode, arguments: arguments)
}

/// The error with which a source ends.
func failure(
  _ source: String, _ arguments: [LuaValue] = [], limits: LuaLimits = .standard, mode: LuaLoadMode = .script,
  sourceLocation: SourceLocation = #_sourceLocation
) async throws -> LuaError {
  do {
    let values = try await run(source, arguments, limits: limits, mode: mode)
    Issue.record("no error, but \(values)", sourceLocation: sourceLocation)
    return LuaError(code: .failed, message: "")
  } catch let error as LuaError {
    return error
  }
}
