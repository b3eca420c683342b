import FileSessions
import Workspace

/// What is sent instead of a discovered file: other bytes, whole or in parts. Recorded with the job.
package struct Preparation: Hashable, Sendable, Codable {
  /// The md5 of the discovered file that it was made from.
  package var origin: MD5Digest
  /// What is sent; nil for a file that goes in parts.
  package var content: PreparedContent?
  /// The parts that the file goes in, in order.
  package var parts: [Part] = []

  /// For a part: the file that it is a part of, relative to the project.
  package var whole: ProjectPath?
  /// For a part: the idempotency key of the whole's decision that made it.
  package var batch: String?
  /// For a part that is sent: what its `completed` wants done with the whole.
  package var action: AfterAction?

  package init(origin: MD5Digest) {
    self.origin = origin
  }

  /// One of the parts that a file goes in; its job is kept under the path of the whole with the name behind it.
  package struct Part: Hashable, Sendable, Codable {
    package var name: String
    package var content: PreparedContent
    /// What its session is opened with.
    package var request: NewFile
    /// What the recipe keeps with it, as JSON.
    package var data: String?
  }

  // A path is kept as text; what is not there needs no room.
  private enum CodingKeys: String, CodingKey { case origin, content, parts, whole, batch, action }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    origin = try values.decode(MD5Digest.self, forKey: .origin)
    content = try values.decodeIfPresent(PreparedContent.self, forKey: .content)
    parts = try values.decodeIfPresent([Part].self, forKey: .parts) ?? []
    whole = try values.decodeIfPresent(String.self, forKey: .whole).map { try ProjectPath($0) }
    batch = try values.decodeIfPresent(String.self, forKey: .batch)
    action = try values.decodeIfPresent(AfterAction.self, forKey: .action)
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(origin, forKey: .origin)
    try values.encodeIfPresent(content, forKey: .content)
    if !parts.isEmpty { try values.encode(parts, forKey: .parts) }
    try values.encodeIfPresent(whole?.string, forKey: .whole)
    try values.encodeIfPresent(batch, forKey: .batch)
    try values.encodeIfPresent(action, forKey: .action)
  }
}

/// A file whose bytes are sent instead of the discovered one's.
package struct PreparedContent: Hashable, Sendable, Codable {
  package enum Place: Hashable, Sendable, Codable {
    /// Made for this job: a path below its ``WorkDirectory``.
    case work(String)
    /// A file of the project that was there.
    case project(String)
  }

  package var place: Place
  package var stamp: FileStamp

  package init(_ place: Place, stamp: FileStamp) {
    self.place = place
    self.stamp = stamp
  }

  /// The path below the work directory, or of the project.
  package var path: String {
    switch place {
    case .work(let path), .project(let path): path
    }
  }

  /// The last part of the path.
  package var name: String { path.split(separator: "/").last.map(String.init) ?? path }
}

/// One of several files that `prepare` made of one, with what the recipe wants of it.
package struct PreparedPart: Hashable, Sendable {
  /// Its own among the parts; below the whole's path it names the job.
  package var name: String
  package var wishes: Wishes

  package init(name: String, wishes: Wishes) {
    self.name = name
    self.wishes = wishes
  }
}

/// Where the bytes that are sent for a job are read from.
struct Content: Sendable {
  let workspace: Workspace
  let path: ProjectPath
  /// What they have to be.
  let stamp: FileStamp
}

extension Job {
  /// The discovered file: for a part that of the whole.
  package var origin: ProjectPath { preparation?.whole ?? key.path }

  /// Whether the file goes in parts, each a job of its own.
  package var isInParts: Bool { preparation?.parts.isEmpty == false }

  /// Whether it is a part of a file that goes in parts.
  package var isPart: Bool { preparation?.whole != nil }

  /// The keys of the jobs of its parts.
  package var partKeys: [JobKey] {
    (preparation?.parts ?? []).compactMap { part in
      (try? key.path.appending(part.name)).map(key.at)
    }
  }

  /// The size of what is sent, in bytes.
  package var bytesToSend: Int64 {
    guard let preparation else { return stamp.size }
    return preparation.content?.stamp.size ?? preparation.parts.reduce(0) { $0 + $1.content.stamp.size }
  }

  /// What the bytes that are sent have to be.
  var contentStamp: FileStamp { preparation?.content?.stamp ?? stamp }

  /// Where the bytes are.
  ///
  /// - Throws: `notFound` when what was prepared is not there any more.
  func content(in workspace: Workspace) throws(WorkspaceError) -> Content {
    guard let content = preparation?.content else {
      return Content(workspace: workspace, path: key.path, stamp: stamp)
    }
    return try content.located(for: workKey, in: workspace)
  }

  /// The key of the job whose work directory the bytes are in: a part's are in the whole's.
  var workKey: JobKey { key.at(origin) }
}

extension PreparedContent {
  func located(for key: JobKey, in workspace: Workspace) throws(WorkspaceError) -> Content {
    switch place {
    case .project(let path):
      Content(workspace: workspace, path: try workspace.path(path), stamp: stamp)
    case .work(let path):
      Content(
        workspace: try WorkDirectory(of: key, in: workspace).open(), path: try ProjectPath(path), stamp: stamp
      )
    }
  }

  /// Opens the file, wherever it is. Blocks.
  package func open(for key: JobKey, in workspace: Workspace) throws(WorkspaceError) -> OpenFile {
    let content = try located(for: key, in: workspace)
    return try content.workspace.open(content.path)
  }
}

extension SettledFile {
  /// The discovered file: for a part that of the whole.
  package var origin: ProjectPath { preparation?.whole ?? key.path }

  /// The key of the job that it was prepared for: of a part that of the whole.
  package var workKey: JobKey { key.at(origin) }
}

extension JobKey {
  /// The same recipe's and destination's for another path.
  func at(_ path: ProjectPath) -> JobKey { JobKey(profile: profile, recipe: recipe, path: path) }
}

extension SentVersion {
  /// What counts as sent once `md5` arrived for a job: the file's own content, also where other bytes went for it.
  init(of job: Job, md5: MD5Digest, sessionID: String) {
    if let preparation = job.preparation, preparation.whole == nil {
      self.init(size: job.stamp.size, md5: preparation.origin, sessionID: sessionID)
    } else {
      self.init(size: job.contentStamp.size, md5: md5, sessionID: sessionID)
    }
  }
}
