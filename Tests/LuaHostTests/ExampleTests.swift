import LuaHost
import Testing

/// The usage that the documentation shows.
@Suite struct ExampleTests {
  struct File: Sendable {
    var path: String
    var size: Int

    static let luaType = LuaObjectType<File>("file") { type in
      type.property("path") { file, call in try call.push(file.path) }
      type.value("size") { file in .int(file.size) }
      type.waitingMethod("read") { file, call in
        let count = try call.optionalInt(1, in: 0...Int.max) ?? file.size
        return LuaOperation { [.bytes([UInt8](repeating: 97, count: count))] }
      }
      type.text { file in "file(\(file.path))" }
    }
  }

  enum Verdict: Sendable, Equatable { case skip(String) }

  @Test("A host registers a module and a type, loads a recipe, reads its keys and calls a handler")
  func example() async throws {
    let clock = ManualClock()
    let module = LuaModule("moontide") { module in
      module.function("skip") { call in
        try call.push(.opaque(Verdict.skip(try call.string(1)), name: "verdict"))
      }
      module.waiting("sleep") { call in
        let seconds = try call.finite(1, in: 0...)
        return LuaOperation {
          try await clock.sleep(seconds)
          return []
        }
      }
    }
    let script = try LuaScript(LuaConfiguration(name: "handbook", modules: [module], print: { print($0) }))
    let source = """
      return {
        name = "handbook",
        rename = function(file)
          if file.size == 0 then return moontide.skip("empty") end
          return file.path .. "-" .. #file:read(3)
        end,
      }
      """
    let returned = try await script.load(source: source, name: "handbook.lua", mode: .recipe)
    let recipe = LuaFields(try #require(returned.first?.table), place: "handbook.lua")
    try recipe.onlyKnown(["name", "rename", "accept"])
    #expect(try recipe.optionalString("name") == "handbook")
    let rename = try #require(try recipe.optionalFunction("rename"))

    let file = LuaObject(File(path: "a.md", size: 10), type: File.luaType)
    let name = try await script.call(
      rename, label: "rename of a.md", arguments: { $0.push(file) }, results: { try $0.string(1) })
    #expect(name == "a.md-3")
    let empty = LuaObject(File(path: "b.md", size: 0), type: File.luaType)
    let verdict = try await script.call(rename, [.object(empty)], label: "rename of b.md")
    #expect(verdict[0].object(as: Verdict.self) == .skip("empty"))
    await script.close()
  }
}
