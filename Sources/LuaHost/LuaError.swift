/// What went wrong in a script, or with it.
package struct LuaError: Error, Sendable {
  /// The kind of failure, for programs.
  package enum Code: Sendable, Equatable {
    /// The source does not compile.
    case syntax
    /// The script raised an error, or a host function that it called did.
    case failed
    /// The script was stopped for using more than it may.
    case limit(LuaLimit)
    /// The task that awaited the call was cancelled.
    case cancelled
    /// The script has been shut down.
    case closed
    /// A value cannot be converted, or is not what was wanted.
    case value
    /// The system refused what a script needs.
    case unavailable
  }

  package var code: Code
  /// One line that says what is wrong, without the place. Safe to print.
  package var message: String
  /// What to do about it, when the mistake is a known one.
  package var hint: String?
  /// What was being done, as the caller named it (`rename of a.md`).
  package var label: String?
  /// The chunk in which it happened (`handbook.lua`).
  package var script: String?
  /// The line in that chunk, counted from 1.
  package var line: Int?
  /// The text of that line.
  package var sourceLine: String?
  /// The functions that were running, innermost first, one line each.
  package var traceback: [String]
  /// The Swift error that was raised by a host function, the very same.
  package var underlying: (any Error)?
  /// What the script raised when it was not an error of ours: often a string, sometimes a table.
  package var value: LuaValue?

  package init(
    code: Code, message: String, hint: String? = nil, label: String? = nil, script: String? = nil,
    line: Int? = nil, sourceLine: String? = nil, traceback: [String] = [],
    underlying: (any Error)? = nil, value: LuaValue? = nil
  ) {
    self.code = code
    self.message = message
    self.hint = hint
    self.label = label
    self.script = script
    self.line = line
    self.sourceLine = sourceLine
    self.traceback = traceback
    self.underlying = underlying
    self.value = value
  }

  /// `handbook.lua:12`, or nil when the place is not known.
  package var place: String? {
    guard let script else { return nil }
    guard let line else { return script }
    return "\(script):\(line)"
  }

  /// The limit that was broken, if that is what happened.
  package var limit: LuaLimit? {
    guard case .limit(let limit) = code else { return nil }
    return limit
  }
}

extension LuaError: CustomStringConvertible {
  /// One line: what was being done, where, what is wrong, what to do.
  package var description: String {
    let head = [label, place].compactMap { $0 }.map { $0 + ": " }.joined()
    return head + message + (hint.map { " (\($0))" } ?? "")
  }

  /// Several lines: the description, the source line with a caret, and the traceback.
  package var report: String {
    var lines = [description]
    if let sourceLine, let line {
      let number = String(line)
      let margin = String(repeating: " ", count: number.count)
      lines.append("  \(number) | \(sourceLine)")
      lines.append("  \(margin) | \(String(repeating: " ", count: column(in: sourceLine)))^")
    }
    lines += traceback.map { "    \($0)" }
    return lines.joined(separator: "\n")
  }

  /// Where in the line the caret goes: under the name that the message quotes, else under the first word.
  private func column(in source: String) -> Int {
    let parts = message.split(separator: "'", omittingEmptySubsequences: false)
    if parts.count >= 3, let range = source.firstRange(of: String(parts[1])), !parts[1].isEmpty {
      return source.distance(from: source.startIndex, to: range.lowerBound)
    }
    return source.prefix { $0 == " " }.count
  }
}

/// A value that is not what was wanted.
package struct LuaValueError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Where the value stood: `moontide.sleep: argument #1`, `rename: result 1`, `field 'root'`.
  package var place: String
  /// What is wrong: `number wanted, got nil`.
  package var problem: String
  /// What to do about it, when the mistake is a known one.
  package var hint: String?

  package init(place: String, problem: String, hint: String? = nil) {
    self.place = place
    self.problem = problem
    self.hint = hint
  }

  package init(place: String, wanted: String, got: String, hint: String? = nil) {
    self.init(place: place, problem: "\(wanted) wanted, got \(got)", hint: hint)
  }

  package var description: String {
    "\(place): \(problem)" + (hint.map { " (\($0))" } ?? "")
  }
}

/// A Swift error with fields that scripts may read: `err.code`, `err.status`.
///
/// `message` needs no field: it is the error's description.
package protocol LuaErrorFields: Error {
  /// The field's value, or nil when the error has no such field.
  func luaField(_ name: String) -> LuaValue?
}
