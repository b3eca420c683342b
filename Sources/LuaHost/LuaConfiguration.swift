/// What a script is made with.
package struct LuaConfiguration: Sendable {
  /// What the script is called in messages and by its thread.
  package var name: String
  /// What scripts see besides the standard functions, in order.
  package var modules: [LuaModule]
  package var limits: LuaLimits
  /// Takes each line that the script prints, without the line break. Called on the script's thread.
  package var print: @Sendable (String) -> Void

  package init(
    name: String, modules: [LuaModule] = [], limits: LuaLimits = .standard,
    print: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    self.name = name
    self.modules = modules
    self.limits = limits
    self.print = print
  }
}

/// Whether what a chunk does at its top level may wait.
package enum LuaLoadMode: Sendable {
  /// Waiting calls are refused: the body of a recipe only builds a table.
  case recipe
  /// A plain script, run from top to bottom.
  case script
}
