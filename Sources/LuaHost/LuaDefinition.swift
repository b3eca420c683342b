/// Where a script defines a function.
package struct LuaDefinition: Hashable, Sendable {
  /// The chunk (`handbook.lua`).
  package var script: String
  /// The line on which the function begins, counted from 1.
  package var line: Int
  /// The text of that line.
  package var sourceLine: String?

  package init(script: String, line: Int, sourceLine: String? = nil) {
    self.script = script
    self.line = line
    self.sourceLine = sourceLine
  }
}
