import LuaHost

/// How a program ended, and what it wrote.
struct ProgramResult: Hashable, Sendable {
  /// Its exit status; nil when a signal ended it.
  var status: Int?
  /// The signal that ended it.
  var signal: Int?
  var output: [UInt8]
  var error: [UInt8]

  /// `{ status =, stdout =, stderr =, signal = }`.
  var value: LuaValue {
    .fields([
      "status": status.map { .int($0) } ?? .nil, "signal": signal.map { .int($0) } ?? .nil,
      "stdout": .bytes(output), "stderr": .bytes(error),
    ])
  }
}

/// A program did not start, or was not let to its end.
package struct ProgramError: Error, Hashable, Sendable, CustomStringConvertible, LuaErrorFields {
  package enum Code: String, Sendable, CaseIterable {
    /// There is no such program.
    case notFound = "not_found"
    /// The system would not start it.
    case notStarted = "not_started"
    /// It took longer than `timeout`, and was killed.
    case timeout
    /// It wrote more than `max_output`, and was killed.
    case outputLimit = "output_limit"
  }

  package let code: Code
  /// The program as it was asked for.
  package let program: String
  /// What is wrong, and what to do.
  package let message: String

  package var description: String {
    "moontide.process.run: \(escapingControls(program)): \(message)"
  }

  package func luaField(_ name: String) -> LuaValue? {
    switch name {
    case "kind": "process"
    case "code": .string(code.rawValue)
    case "program": .string(program)
    default: nil
    }
  }
}
