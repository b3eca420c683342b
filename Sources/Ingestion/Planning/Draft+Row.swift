import FileSessions

extension Plan.Draft {
  mutating func change(_ body: (inout Self) -> Void) { body(&self) }

  /// What the run would do with the file.
  ///
  /// - Parameter parts: those that it goes in.
  func row(recipe: String, parts: [Plan.Draft] = []) -> PlanRow {
    var row = PlanRow(
      recipe: recipe, path: path.string, whole: whole?.string, parts: parts.count, size: size,
      verdict: .problem, steps: steps)
    row.prepared = job?.preparation?.content?.path
    if let request = job?.request {
      row.request = request
      row.size = request.sizeBytes
      row.sessionFilename = session?.filename ?? request.filename
    }
    if let unknown {
      row.verdict = .unknown
      row.reason = unknown.point
      row.handler = unknown.handler
      return row
    }
    switch event {
    case .skipped(_, let reason): row.tell(.skip, reason)
    case .deferred(_, let moment, let reason):
      row.tell(.defer, reason)
      row.dueAt = moment
    case .touched: row.tell(.touched, "its content was sent before")
    case .failed(_, let failure, let isNew):
      row.failure = failure
      let again = isNew ? "" : " (as before; it is tried again when the file or the recipe changes)"
      row.tell(failure.kind == .rejected ? .reject : .fail, failure.report + again)
    case .sent: row.tell(isResumed ? .resume : .send, isResumed ? "an earlier run left it under way" : nil)
    default: tell(&row, parts)
    }
    return row
  }

  /// Tells of a file of which no event told.
  private func tell(_ row: inout PlanRow, _ parts: [Plan.Draft]) {
    if let failure = job?.failure, whole != nil {
      row.failure = failure
      return row.tell(.fail, failure.report)
    }
    switch remark {
    case .alreadySent: row.tell(.alreadySent, nil)
    case .ownWork: row.tell(.ownWork, "Moontide put it there")
    case .left: row.tell(.left, "no more is begun in one run")
    case .withheld(let reason):
      let isInProgress = if case .inProgress = reason { true } else { false }
      row.tell(isInProgress ? .inProgress : .waiting, reason.description)
    case nil where isResumed && job?.isInParts == true:
      row.tell(.resume, "an earlier run left its parts under way")
    case nil where parts.contains { $0.isSent }:
      row.tell(.send, "in \(parts.count) \(parts.count == 1 ? "part" : "parts")")
    case nil where isResumed: row.tell(.resume, "it is sent; what follows was left to do")
    case nil: row.tell(.left, "the run would end before it is its turn")
    }
  }
}

extension Plan.Draft {
  fileprivate var isSent: Bool { if case .sent? = event { true } else { false } }
}

extension PlanRow {
  fileprivate mutating func tell(_ verdict: Verdict, _ reason: String?) {
    self.verdict = verdict
    self.reason = reason
  }
}
