import LuaHost

extension LuaError {
  /// The same error as its script's author should see it: no part of it in Lua that is the host's own, whose
  /// chunks are called `moontide` and `moontide.…`.
  func inScript(_ source: ScriptSource) -> LuaError {
    var error = self
    error.traceback.removeAll { Self.isHosts($0.prefix { $0 != ":" }) }
    guard let script, Self.isHosts(script[...]) else { return error }
    error.script = nil
    error.line = nil
    error.sourceLine = nil
    let prefix = source.name + ":"
    for frame in error.traceback where frame.hasPrefix(prefix) {
      guard let line = Int(frame.dropFirst(prefix.count).prefix { $0.isASCII && $0.isNumber }) else {
        continue
      }
      error.script = source.name
      error.line = line
      error.sourceLine = source.line(line)
      break
    }
    return error
  }

  private static func isHosts(_ chunk: Substring) -> Bool {
    chunk == "moontide" || chunk.hasPrefix("moontide.")
  }
}
