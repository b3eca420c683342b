import LuaHost
import LuaLibrary

extension RecipeFile {
  /// The longest label, in characters.
  private static let longestLabel = 100

  /// `file:once(label, fn)`: what `fn` returned the first time, for this file.
  static func addOnce(_ type: inout LuaObjectTypeBuilder<RecipeFile>) {
    type.waitingMethod("once") { file, call in
      let label = try call.string(1)
      guard (1...longestLabel).contains(label.count) else {
        throw LuaValueError(
          place: "file:once: argument #1",
          problem: "a label has 1 to \(longestLabel) characters, this one has \(label.count)")
      }
      guard !label.hasPrefix(JobCalls.prefix) else {
        throw LuaValueError(
          place: "file:once: argument #1", problem: "labels that begin with \(JobCalls.prefix) are taken",
          hint: "give it another name")
      }
      let function = try call.function(2)
      return .calling { calls in
        let json = try await file.once.result(of: OncePlace(key: file.key, label: label)) {
          let results = try await calls.call(file.helpers.once, [.function(function)])
          guard case .string(let text)? = results.first else { return Array("null".utf8) }
          return text.bytes
        }
        if json == Array("null".utf8) { return [.nil] }
        return [try JSONReader.read(json).value]
      }
    }
  }
}
