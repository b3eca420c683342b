import FileSessions
import FoundationEssentials
import GRDB
import Ingestion
import Workspace

/// How a job stands in its row.
enum JobRow {
  static let columns = """
    profile, recipe, path, relative, phase, size, modified, inode, recipe_version, request, idempotency_key,
    session, target, md5, reason, failure, due_at, step, opens, changes, revision, offered, data,
    same_as, tries, rounds, preparation, deciders, afterwards, failure_reason
    """

  /// A place for each of ``columns``.
  static let places = columns.split(separator: ",").map { _ in "?" }.joined(separator: ", ")

  static func job(_ row: Row) throws -> Job {
    let phaseName: String = row["phase"]
    guard let phase = Phase(rawValue: phaseName) else {
      throw LedgerError(.unavailable, "The ledger has a job in the unknown phase \"\(phaseName)\".")
    }
    var job = Job(
      key: JobKey(
        profile: row["profile"], recipe: row["recipe"], path: try ProjectPath(row["path"] as String)),
      relative: row["relative"], phase: phase, stamp: stamp(row), recipeVersion: row["recipe_version"])
    job.request = try decode(row["request"])
    job.idempotencyKey = row["idempotency_key"]
    job.session = try decode(row["session"])
    job.target = try decode(row["target"])
    job.md5 = (row["md5"] as String?).flatMap(MD5Digest.init(hex:))
    job.reason = row["reason"]
    job.failure = try decode(row["failure"])
    job.dueAt = (row["due_at"] as Int64?).map(Timestamp.init(milliseconds:))
    job.step = try decode(row["step"])
    job.opens = row["opens"]
    job.changes = row["changes"]
    job.revision = row["revision"]
    job.offered = (row["offered"] as String?).map(JobData.init(recorded:))
    job.tries = row["tries"]
    job.rounds = row["rounds"]
    job.sameAs = try (row["same_as"] as String?).map { try ProjectPath($0) }
    job.ownData = (row["data"] as String?).map(JobData.init(recorded:))
    job.preparation = try decode(row["preparation"])
    job.deciders = row["deciders"]
    job.afterwards = row["afterwards"]
    return job
  }

  /// The values in the order of ``columns``.
  static func values(_ job: Job) throws -> [(any DatabaseValueConvertible)?] {
    [
      job.key.profile, job.key.recipe, job.key.path.string, job.relative, job.phase.rawValue, job.stamp.size,
      job.stamp.modified, Int64(bitPattern: job.stamp.inode), job.recipeVersion, try encode(job.request),
      job.idempotencyKey, try encode(job.session), try encode(job.target), job.md5?.hex, job.reason,
      try encode(job.failure), job.dueAt?.milliseconds, try encode(job.step), job.opens, job.changes,
      job.revision, job.offered?.json, job.ownData?.json,
      job.sameAs?.string, job.tries, job.rounds, try encode(job.preparation), job.deciders, job.afterwards,
      job.failure?.reason(path: job.key.path),
    ]
  }

  static func stamp(_ row: Row) -> FileStamp {
    FileStamp(
      size: row["size"], modified: row["modified"], inode: UInt64(bitPattern: row["inode"] as Int64))
  }

  static func encode(_ value: (some Encodable)?) throws -> String? {
    guard let value else { return nil }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  static func decode<Value: Decodable>(_ text: String?) throws -> Value? {
    try text.map { try JSONDecoder().decode(Value.self, from: Data($0.utf8)) }
  }

  /// What the history keeps of a change, in a few words.
  static func note(_ job: Job) -> String? {
    if job.isToBeRetried { return "to be tried again" }
    return switch job.phase {
    case .decided where job.isInParts: "in \(job.preparation?.parts.count ?? 0) parts"
    case .decided:
      job.request.map { "as \($0.filename)\($0.purpose.map { ", \($0)" } ?? ""), \($0.mimeType)" }
    case .opened: job.session?.id
    case .completed: job.step?.error ?? job.step?.destination.map { "on its way to \($0)" } ?? job.session?.id
    case .uploaded: job.md5.map { "md5 \($0)" }
    case .done: job.afterwards ?? job.session?.filename ?? job.reason
    case .skipped, .deferred: job.reason
    case .failed: job.afterwards ?? job.failure?.report
    }
  }
}
