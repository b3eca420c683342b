/// What a script is made with.
package struct LuaConfiguration: Sendable {
  /// What the script is called in messages and by its thread.
  package var name: String
  /// What scripts see besides the standard functions, in order.
  package var modules: [LuaModule]
  package var limits: LuaLimits
  /// Takes each line that the script prints, without the line break. Called on the script's thread.
  package var print: @Sendable (String) -> Void
  /// Finds the source of a module that the script requires; nil where there is none of that name.
  ///
  /// Without it scripts have no `require`. It runs as a waiting operation, and must not block.
  package var require: (@Sendable (_ name: String) async throws -> LuaSource?)?

  package init(
    name: String, modules: [LuaModule] = [], limits: LuaLimits = .standard,
    print: @escaping @Sendable (String) -> Void = { _ in },
    require: (@Sendable (String) async throws -> LuaSource?)? = nil
  ) {
    self.name = name
    self.modules = modules
    self.limits = limits
    self.print = print
    self.require = require
  }
}

/// Whether what a chunk does at its top level may wait.
package enum LuaLoadMode: Sendable {
  /// Waiting calls are refused: the body of a recipe only builds a table.
  case recipe
  /// Lua of the host's own, which does not wait while it loads: errors in it are placed in the script that calls it.
  case host
  /// A plain script, run from top to bottom.
  case script
}

/// The source of a module.
package struct LuaSource: Sendable {
  /// What messages call it: `lib/dates.lua`.
  package var name: String
  /// Text.
  package var bytes: [UInt8]

  package init(name: String, bytes: [UInt8]) {
    self.name = name
    self.bytes = bytes
  }
}
