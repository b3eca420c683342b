import LuaHost

/// One limit of a script as a person gives it: `seconds=60`, `memory=128M`.
package struct LimitOption: Sendable, Hashable, CustomStringConvertible {
  /// What can be limited.
  package enum Name: String, CaseIterable, Sendable {
    /// Instructions in one call of a handler.
    case instructions
    /// Bytes of the script's state.
    case memory
    /// Seconds of running in one call; waiting does not count.
    case seconds
  }

  /// A text or a value that is no limit.
  package struct Problem: Error, Hashable, CustomStringConvertible {
    /// What is wrong, and what it takes.
    package let message: String

    package var description: String { message }
  }

  /// What is limited.
  package let name: Name
  /// Instructions, bytes or seconds.
  let value: Double

  /// The least memory in bytes: about what a state with the library in it needs, twice over.
  static let leastMemory = 1 << 20

  /// Reads what stands behind `--limit`.
  package init(_ text: String) throws(Problem) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let names = Name.allCases.map(\.rawValue)
    guard parts.count == 2 else {
      throw Problem(message: "a limit is written name=value, with a name of \(names.joined(separator: ", "))")
    }
    guard let name = Name(rawValue: parts[0]) else {
      let hint = nearestName(to: parts[0], in: names).map { "did you mean \($0)?" }
      throw Problem(
        message: "there is no limit \"\(escapingControls(parts[0]))\"; "
          + (hint ?? "the limits are \(names.joined(separator: ", "))"))
    }
    guard let value = Self.number(parts[1], for: name) else {
      throw Problem(
        message: "\(name.rawValue)=\(escapingControls(parts[1])) is no limit; it takes \(name.wanted)")
    }
    self.name = name
    self.value = value
  }

  /// Reads a field of a recipe's `limits`.
  init(_ name: Name, _ value: LuaValue) throws(Problem) {
    let number =
      value.number.map { name.isSane($0) ? $0 : nil } ?? value.text.flatMap { Self.number($0, for: name) }
    guard let number else {
      throw Problem(message: "\(name.rawValue) = \(described(value)); it takes \(name.wanted)")
    }
    self.name = name
    self.value = number
  }

  /// A number with K, M or G behind it where that makes sense; nil when it is none, or a useless one.
  private static func number(_ text: String, for name: Name) -> Double? {
    var digits = text[...]
    var unit = 1.0
    if name != .seconds, let last = text.last, let index = ["K", "M", "G"].firstIndex(of: last.uppercased()) {
      let step: Double = name == .memory ? 1024 : 1000
      for _ in 0...index { unit *= step }
      digits = digits.dropLast()
    }
    guard digits.first?.isNumber == true, digits.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }),
      let number = Double(digits), name.isSane(number * unit)
    else { return nil }
    return number * unit
  }

  /// The value as it is written behind `=`.
  var amount: String { name.written(value) }

  package var description: String { "\(name.rawValue)=\(amount)" }

  func isWithin(_ ceiling: LuaLimits) -> Bool { value <= name.value(of: ceiling) }

  func apply(to limits: inout LuaLimits) {
    switch name {
    case .instructions: limits.instructions = Int64(value)
    case .memory: limits.memory = Int(value)
    case .seconds: limits.seconds = value
    }
  }
}

extension LimitOption.Name {
  var wanted: String {
    switch self {
    case .instructions: "a number of instructions, such as 200M"
    case .memory: "a number of bytes, at least 1M, such as 128M"
    case .seconds: "a number of seconds above 0, such as 2.5"
    }
  }

  func isSane(_ value: Double) -> Bool {
    switch self {
    case .instructions: value >= 1 && value <= 1e18
    case .memory: value >= Double(LimitOption.leastMemory) && value <= 1e15
    case .seconds: value > 0 && value <= 1e6
    }
  }

  func value(of limits: LuaLimits) -> Double {
    switch self {
    case .instructions: Double(limits.instructions)
    case .memory: Double(limits.memory)
    case .seconds: limits.seconds
    }
  }

  func amount(of limits: LuaLimits) -> String { written(value(of: limits)) }

  fileprivate func written(_ value: Double) -> String {
    let whole = Int64(value)
    guard Double(whole) == value else { return "\(value)" }
    guard self == .memory else { return "\(whole)" }
    for (unit, size) in [("G", Int64(1 << 30)), ("M", 1 << 20), ("K", 1 << 10)] where whole % size == 0 {
      return "\(whole / size)\(unit)"
    }
    return "\(whole)"
  }
}

extension LuaLimits {
  /// These limits with what a person gave instead.
  package func with(_ options: [LimitOption]) -> LuaLimits {
    var limits = self
    for option in options { option.apply(to: &limits) }
    return limits
  }
}
