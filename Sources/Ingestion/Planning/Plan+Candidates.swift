extension Plan {
  /// Begins with candidates, and notes which of them their names withhold. Markers are none.
  func begin(_ candidates: [Candidate], _ settling: Settling) {
    let withheld = candidates.map { ($0, settling.withholding($0.path)) }.filter { $0.1 != .marker }
    begin(withheld.map { ($0.0.path, $0.0.stamp.size) })
    for case (let candidate, let reason?) in withheld { remark(candidate.path, .withheld(reason)) }
  }
}
