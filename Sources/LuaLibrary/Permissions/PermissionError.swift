import LuaHost

/// A script wanted more than it may.
package struct PermissionError: Error, Hashable, Sendable, CustomStringConvertible, LuaErrorFields {
  /// Why it may not.
  package enum Reason: Hashable, Sendable {
    /// Nothing permits it.
    case notGranted
    /// The script asks for it in its `permissions`, and nobody has said yes.
    case declaredOnly
    /// No flag permits it, for the reason given.
    case never(String)
  }

  package let access: Access
  /// The function that was called: `moontide.http.get`.
  package let function: String
  package let reason: Reason
  /// What the script is called on the command line: `slack.lua`.
  package let script: String

  package init(access: Access, function: String, reason: Reason = .notGranted, script: String = "") {
    self.access = access
    self.function = function
    self.reason = reason
    self.script = script
  }

  package var description: String {
    let head = "\(function): not permitted: \(access.kind.rawValue) \"\(escapingControls(access.object))\""
    let flag = escapingControls(access.flag)
    return switch reason {
    case .notGranted: "\(head); allow it with \(flag)"
    case .declaredOnly:
      "\(head): declared, not granted; allow it with \(flag), or with "
        + "moontide trust \(escapingControls(shellWord(script)))"
    case .never(let why): "\(head): \(why)"
    }
  }

  package func luaField(_ name: String) -> LuaValue? {
    switch name {
    case "kind": "permission"
    case "permission": .string(access.kind.rawValue)
    case "wanted": .string(access.object)
    case "flag": if case .never = reason { nil } else { .string(access.flag) }
    default: nil
    }
  }
}

/// A permission that is written wrongly, in a recipe or on the command line.
package struct PermissionSyntaxError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong and what to write instead; no place, no capital, no full stop.
  package let problem: String

  package var description: String { problem }
}
