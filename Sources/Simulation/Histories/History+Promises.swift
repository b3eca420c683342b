import FileSessions
import Foundation
import Ingestion

/// What is promised, checked against a model of it.
extension History {
  /// A file that arrived, in one piece or in all of its parts.
  private struct Arrival: Hashable {
    var name: String
    var content: [UInt8]
  }

  private var completed: [SimulatedService.Entry] {
    service.entries.filter { $0.session.status == .completed }
  }

  private var arrivals: Set<Arrival> {
    var parts: [Making.Source: Set<Int>] = [:]
    for entry in completed {
      var source = entry.source
      let part = source.part
      source.part = 0
      parts[source, default: []].insert(part)
    }
    return Set(
      parts.filter { $0.value.count == $0.key.count }.map {
        Arrival(name: $0.key.name, content: $0.key.content)
      })
  }

  /// What may never be, whatever has happened.
  mutating func checkSafety() {
    var seen: [SimulatedRecipe.Completion: String] = [:]
    for entry in completed {
      let bytes = entry.bytes ?? []
      let version = SimulatedRecipe.Completion(name: entry.request.filename, md5: MD5Digest(of: bytes))
      let source = entry.source
      var key = version
      // Of several parts some may have arrived for a file that is given up, and come once more for another.
      if recipe.sendsContentOnce, source.count == 1 { key.name = "the same content" }
      if let other = seen.updateValue(entry.session.id, forKey: key) {
        violate("\(key.name) was completed twice: \(other), \(entry.session.id)")
      }
      if !shelf.wasWritten(source.content, name: source.name) {
        violate("\(entry.session.id) was completed with bytes that \(source.name) never had")
      }
    }
    let arrivals = arrivals
    if recipe.sendsContentOnce, Set(arrivals.map(\.content)).count < arrivals.count {
      violate("the same content arrived for several files: \(arrivals.map(\.name).sorted())")
    }
    let contents = Set(shelf.files().values)
    for (path, content) in shelf.kept where !contents.contains(content) {
      let isSent = arrivals.contains { $0.content == content }
      if after != .remove || !isSent { violate("\(path) is lost") }
    }
    for failure in recipe.failures where failure.kind == .service && (failure.status ?? 500) >= 500 {
      violate("`failed` was called since the service was away: \(failure.message)")
    }
  }

  /// What has to be, once nothing goes wrong any more.
  mutating func checkProgress() {
    let arrivals = arrivals
    // A copy of what was given up stays one, whatever became of the file later.
    for (path, content) in shelf.files() where !path.hasPrefix("failed/") {
      let name = (path as NSString).lastPathComponent
      let isSent = arrivals.contains { arrival in
        arrival.content == content && (recipe.sendsContentOnce || isName(name, of: arrival))
      }
      if !isSent {
        violate("\(path) was never sent")
      }
    }
    for entry in service.entries where entry.session.status == .pending {
      violate("\(entry.session.id) of \(entry.request.filename) is left pending")
    }
    checkRecords()
    guard after != nil else { return }
    for entry in completed {
      let completion = SimulatedRecipe.Completion(
        name: entry.request.filename, md5: MD5Digest(of: entry.bytes ?? []))
      if !recipe.completions.contains(completion) {
        violate("`completed` was never called for \(entry.session.id) of \(completion.name)")
      }
    }
  }

  /// A file in parts is done when all of them are, and nothing that was made for it is kept.
  private mutating func checkRecords() {
    let jobs = Dictionary(uniqueKeysWithValues: ledger.jobs.map { ($0.key, $0) })
    for job in jobs.values where !job.isPart {
      if job.phase.isUnderWay { violate("\(job.key.path) is left \(job.phase)") }
      guard job.isInParts, job.phase == .done else { continue }
      for key in job.partKeys where jobs[key]?.phase != .done {
        violate("\(job.key.path) is done, and its part \(key.path) is not")
      }
    }
    let shelves = (try? FileManager.default.subpathsOfDirectory(atPath: workspace.statePath + "/work")) ?? []
    for path in shelves where path.contains("/") { violate("\(path) is left of what was prepared") }
  }

  /// Whether a file can be the one that arrived: Moontide numbers a name that is taken, `f0-2.md`.
  private func isName(_ name: String, of arrival: Arrival) -> Bool {
    let stem = (arrival.name as NSString).deletingPathExtension
    return name == arrival.name || name.hasPrefix(stem + "-")
  }

  private mutating func violate(_ message: String) {
    if !report.violations.contains(message) { report.violations.append(message) }
  }
}

extension SimulatedService.Entry {
  fileprivate var source: Making.Source { Making.Source(name: request.filename, bytes: bytes ?? []) }
}
