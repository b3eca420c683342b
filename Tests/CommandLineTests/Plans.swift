import Foundation
import Testing

/// What `moontide run --dry-run --json` says of a file.
struct PlannedRow: Decodable {
  struct Step: Decodable, Hashable {
    var step: String
    var from: String?
    var to: String?
    var path: String?
    var handler: String?
    var message: String?
  }

  var recipe: String
  var path: String
  var whole: String?
  var prepared: String?
  var verdict: String
  var reason: String?
  var sizeBytes: Int64?
  var filename: String?
  var sessionFilename: String?
  var mimeType: String?
  var purpose: String?
  var handler: String?
  var steps: [Step]
}

/// What `moontide jobs list --json` says of a job.
struct ListedJob: Decodable {
  struct Failure: Decodable { var message: String }

  var path: String
  var phase: String
  var filename: String?
  var mimeType: String?
  var purpose: String?
  var reason: String?
  var failure: Failure?

  /// The verdicts that lead to where the job stands.
  var verdicts: Set<String> {
    switch phase {
    case "done": ["send", "already_sent", "touched"]
    case "skipped": ["skip"]
    case "deferred": ["defer"]
    case "failed": ["reject", "fail"]
    default: []
    }
  }
}

extension Sandbox {
  /// The rows of a dry run, and how it ended.
  func plan(
    _ recipe: String, _ more: String..., environment: [String: String] = [:]
  ) async throws -> (rows: [PlannedRow], ended: Finished) {
    let ended = try await Running(
      ["run", recipe, "--dry-run", "--json"] + more, in: root, environment: environment
    ).finished()
    let rows = ended.output.split(separator: "\n").compactMap {
      try? JSONDecoder().decode(PlannedRow.self, from: Data($0.utf8))
    }
    return (rows, ended)
  }

  /// Everything below the sandbox, with content and time of modification.
  func everything() throws -> [String: String] {
    var found: [String: String] = [:]
    // SQLite keeps the index of a log beside a database that is read.
    let paths = try FileManager.default.subpathsOfDirectory(atPath: root)
    for path in paths where !path.hasSuffix("-shm") && !path.hasSuffix("-wal") {
      let full = self.path(path)
      let attributes = try FileManager.default.attributesOfItem(atPath: full)
      let content = FileManager.default.contents(atPath: full)?.base64EncodedString() ?? "-"
      // That of a directory changes with these files.
      let isDirectory = attributes[.type] as? FileAttributeType == .typeDirectory
      let date = isDirectory ? 0 : (attributes[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
      found[path] = "\(date) \(content)"
    }
    return found
  }

  /// Has files be as old as those that nobody writes any more.
  func age(_ paths: String...) throws {
    for path in paths {
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSinceNow: -1000)], ofItemAtPath: self.path(path))
    }
  }

  /// What a run has recorded, by path.
  func jobs() async throws -> [String: ListedJob] {
    let lines = try await moontide("jobs", "list", "--json").output.split(separator: "\n")
    let jobs = try lines.map { try JSONDecoder().decode(ListedJob.self, from: Data($0.utf8)) }
    return Dictionary(uniqueKeysWithValues: jobs.map { ($0.path, $0) })
  }

  /// Compares what was planned with what a run has recorded since.
  func compare(_ rows: [PlannedRow], with jobs: [String: ListedJob]) {
    for row in rows where !["waiting", "in_progress", "own_work"].contains(row.verdict) {
      guard let job = jobs[row.path] else {
        Issue.record("\(row) has no job")
        continue
      }
      #expect(job.verdicts.contains(row.verdict), "\(row) and \(job)")
      guard row.verdict != "already_sent", row.verdict != "touched" else { continue }
      #expect(job.filename == row.filename && job.mimeType == row.mimeType, "\(row) and \(job)")
      #expect(job.purpose == row.purpose, "\(row) and \(job)")
      if let reason = job.reason { #expect(row.reason == reason) }
      if let failure = job.failure {
        #expect(row.reason?.hasPrefix(failure.message) == true, "\(row) and \(job)")
      }
    }
  }

  /// The files that the steps of rows leave behind, and those that they take away.
  func expectSteps(_ rows: [PlannedRow]) {
    for step in rows.flatMap(\.steps) {
      switch step.step {
      case "move": #expect(has(step.to ?? "") && !has(step.from ?? ""), "\(step)")
      case "copy": #expect(has(step.to ?? "") && has(step.from ?? ""), "\(step)")
      case "remove": #expect(!has(step.path ?? ""), "\(step)")
      case "write": #expect(has(step.path ?? ""), "\(step)")
      default: Issue.record("\(step)")
      }
    }
  }
}
