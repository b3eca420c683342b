/// Comparisons that take the same time wherever the difference is.
package enum ConstantTime {
  /// Whether both are the same bytes. Only the lengths show in the time it takes.
  package static func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    var difference: UInt8 = 0
    for (a, b) in zip(left, right) { difference |= a ^ b }
    return difference == 0
  }
}
