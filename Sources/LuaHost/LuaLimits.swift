/// What a script may use.
package struct LuaLimits: Sendable, Equatable {
  /// Instructions of Lua's machine in one call, with the work of library functions counted in.
  package var instructions: Int64
  /// Seconds of running in one call; waiting does not count.
  package var seconds: Double
  /// Bytes of the script's state.
  package var memory: Int
  /// Bytes of source that the script's own `load` takes.
  package var source: Int

  package init(
    instructions: Int64 = 500_000_000, seconds: Double = 5, memory: Int = 64 << 20, source: Int = 1 << 20
  ) {
    self.instructions = instructions
    self.seconds = seconds
    self.memory = memory
    self.source = source
  }

  /// Half a billion instructions and 5 seconds a call, 64 MiB a script.
  package static let standard = LuaLimits()
}

/// A limit that a call broke.
package enum LuaLimit: String, Sendable, Equatable {
  case instructions
  case seconds
  case memory
}
