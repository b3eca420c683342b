import LuaHost
import LuaLibrary

/// Why a script could not be loaded, or did not run to its end.
package struct ScriptError: Error, Sendable, CustomStringConvertible {
  /// The kind of failure, for programs.
  package enum Code: Hashable, Sendable {
    /// The file cannot be read.
    case unreadable
    /// It is no Lua.
    case syntax
    /// It raised an error while it ran.
    case failed
    /// It is not the recipe that was wanted: a key is missing, unknown, or has the wrong value.
    case invalid
    /// It was stopped for using more than it may.
    case limit
    /// The run was cancelled.
    case cancelled
  }

  package let code: Code
  /// One line: place, what is wrong, what to do.
  package let message: String
  /// Several lines, ready for a screen: the message, the line of the script, the traceback.
  package let report: String
  /// What the script wanted and may not, when it failed for that.
  private(set) var denied: Access?

  package var description: String { report }

  package init(_ code: Code, _ message: String, report: String? = nil) {
    self.code = code
    self.message = message
    self.report = report ?? message
  }

  /// What a script's own error is for the person who runs it.
  init(_ error: any Error, in source: ScriptSource) {
    guard var error = error as? LuaError else {
      self.init(.failed, "\(source.name): \(escapingControls(String(describing: error)))")
      return
    }
    if let limit = error.limit { error.hint = limit.advice }
    let code: Code =
      switch error.code {
      case .syntax: .syntax
      case .limit: .limit
      case .cancelled, .closed: .cancelled
      case .failed, .value, .unavailable: .failed
      }
    self.init(
      code, error.place == nil ? "\(source.name): \(error.description)" : error.description,
      report: error.place == nil ? "\(source.name): \(error.report)" : error.report)
    denied = (error.underlying as? PermissionError)?.access
  }

  /// A recipe that is not as it should be; the line where `key` is set is shown when it is found.
  init(_ problem: String, key: String? = nil, in source: ScriptSource) {
    guard let key, let place = source.place(ofKey: key) else {
      self.init(.invalid, "\(source.name): \(problem)")
      return
    }
    let message = "\(source.name):\(place.line): \(problem)"
    let margin = String(repeating: " ", count: String(place.line).count)
    let caret = String(repeating: " ", count: place.column) + String(repeating: "^", count: key.count)
    self.init(
      .invalid, message,
      report: "\(message)\n  \(place.line) | \(place.text)\n  \(margin) | \(caret)")
  }
}
