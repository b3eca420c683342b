import FileSessions
import Ingestion
import LuaHost
import LuaLibrary
import Workspace

/// The `file` that handlers get.
///
/// A class, since each look at a field by a script copies a reference to it.
final class RecipeFile: Readable {
  let key: JobKey
  /// Where it was discovered.
  let path: ProjectPath
  /// The path below the discover root.
  let relative: String
  let stamp: FileStamp
  /// The type that was sent, once it is settled.
  let sentType: String?
  /// What the recipe keeps with the job.
  let data: JobData?
  /// Whether its fate is known, so that it may not be where it was.
  let isSettled: Bool
  let context: LibraryContext
  /// Of the state whose handlers see the file.
  let helpers: ScriptHelpers
  let once: OnceCalls
  /// What is sent instead of it.
  let prepared: PreparedFile?

  init(_ candidate: Candidate, context: LibraryContext, helpers: ScriptHelpers, once: OnceCalls) {
    key = candidate.key
    path = candidate.path
    prepared = nil
    relative = candidate.relative
    stamp = candidate.stamp
    sentType = nil
    data = candidate.data
    isSettled = false
    self.context = context
    self.helpers = helpers
    self.once = once
  }

  init(_ file: SettledFile, context: LibraryContext, helpers: ScriptHelpers, once: OnceCalls) {
    key = file.key
    path = file.origin
    prepared = file.preparation?.content.map {
      PreparedFile($0, of: file.workKey, context: context, helpers: helpers)
    }
    relative = file.relative
    stamp = file.stamp
    sentType = file.request?.mimeType
    data = file.data
    isSettled = true
    self.context = context
    self.helpers = helpers
    self.once = once
  }

  /// The same file, once it is known what is sent instead.
  ///
  /// - Parameter part: its name, where it is one of several.
  init(_ file: RecipeFile, sentAs content: PreparedContent, part: String?) throws(WorkspaceError) {
    var key = file.key
    if let part { key.path = try key.path.appending(part) }
    self.key = key
    path = file.path
    relative = file.relative
    stamp = file.stamp
    sentType = nil
    data = file.data
    isSettled = false
    context = file.context
    helpers = file.helpers
    once = file.once
    prepared = PreparedFile(content, of: file.key, context: file.context, helpers: file.helpers)
  }

  var title: String { path.string }

  func permit(by function: String) throws {
    try context.require(.read(path), by: function)
  }

  var object: LuaObject { LuaObject(self, type: Self.luaType) }

  /// Opens the file. Blocks.
  func open() throws(WorkspaceError) -> OpenFile {
    do throws(WorkspaceError) {
      return try context.workspace.open(path)
    } catch {
      guard isSettled, error.code == .notFound else { throw error }
      throw WorkspaceError(
        .notFound, path: path.string,
        "\(path) is not there any more: it was moved, renamed or removed after it was sent")
    }
  }

  /// The type by extension, else by content. Blocks.
  func mimeType() throws(WorkspaceError) -> String {
    if let sentType { return sentType }
    return try context.types.mimeType(name: path.name, content: open())
  }

  /// The type as far as it is known without looking at the content.
  var knownType: String? { sentType ?? MIMETypes.type(ofName: path.name) }

  /// The type by content alone. Blocks.
  func detectedType() throws(WorkspaceError) -> String {
    try context.types.detectedType(of: open()) ?? MIMETypes.unknown
  }
}

extension RecipeFile {
  /// How scripts see it.
  static let luaType = LuaObjectType<RecipeFile>("file") { type in
    type.property("path") { file, call in try call.push(file.path.string) }
    type.property("relative") { file, call in try call.push(file.relative) }
    type.property("dir") { file, call in try call.push(file.path.parent?.string ?? ".") }
    type.property("name") { file, call in try call.push(file.path.name) }
    type.property("stem") { file, call in try call.push(file.path.stem) }
    type.property("ext") { file, call in try call.push(file.path.ext) }
    type.property("size") { file, call in call.push(file.stamp.size) }
    type.property("modified") { file, call in call.push(file.stamp.modifiedSeconds) }
    type.property("job") { file, call in try call.push(file.key.id) }
    type.value("data") { file in
      // A copy each time: what is changed in it is not kept.
      try file.data.map { try JSONReader.read(Array($0.json.utf8)).value } ?? .nil
    }
    type.waitingProperty("mime_type") { file in
      if let known = file.knownType { return LuaOperation { [.string(known)] } }
      return .blocking { [.string(try file.mimeType())] }
    }
    type.waitingProperty("detected_type") { file in .blocking { [.string(try file.detectedType())] } }
    type.text { file in "file(\(file.path))" }
    type.value("prepared") { file in file.prepared.map { .object($0.object) } ?? .nil }
    addReading(to: &type)
    addOnce(&type)
  }
}
