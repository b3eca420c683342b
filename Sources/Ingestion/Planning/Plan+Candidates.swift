extension Plan {
  /// Begins with candidates, and notes which of them their names withhold.
  func begin(_ candidates: [Candidate], _ settling: Settling) {
    begin(candidates.map { ($0.path, $0.stamp.size) })
    for candidate in candidates {
      if let reason = settling.withholding(candidate.path) { remark(candidate.path, .withheld(reason)) }
    }
  }
}
