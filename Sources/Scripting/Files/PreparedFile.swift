import Ingestion
import LuaHost
import LuaLibrary
import Workspace

/// What `prepare` made of a file, as handlers see it: `file.prepared`.
final class PreparedFile: Readable {
  private let content: PreparedContent
  /// The job that it was made for.
  private let key: JobKey
  private let context: LibraryContext
  let helpers: ScriptHelpers

  /// - Parameter key: the job that it was made for; of a part that of the whole.
  init(_ content: PreparedContent, of key: JobKey, context: LibraryContext, helpers: ScriptHelpers) {
    self.content = content
    self.key = key
    self.context = context
    self.helpers = helpers
  }

  var object: LuaObject { LuaObject(self, type: Self.luaType) }

  /// The path as `moontide.fs` takes it: absolute, or relative to the project.
  var title: String {
    switch content.place {
    case .work(let path): WorkDirectory(of: key, in: context.workspace).path + "/" + path
    case .project(let path): path
    }
  }

  func permit(by function: String) throws {
    guard case .project(let path) = content.place else { return }
    try context.require(.read(try context.workspace.path(path)), by: function)
  }

  func open() throws(WorkspaceError) -> OpenFile { try content.open(for: key, in: context.workspace) }

  /// Where it would be if it lay beside the file: what a template's `{stem}` and `{ext}` are about.
  func path(beside file: ProjectPath) -> ProjectPath {
    guard let parent = file.parent, let path = try? parent.appending(content.name) else { return file }
    return path
  }

  private var name: ProjectPath? { try? ProjectPath(content.name) }

  private func mimeType() throws(WorkspaceError) -> String {
    try context.types.mimeType(name: content.name, content: open())
  }

  private func detectedType() throws(WorkspaceError) -> String {
    try context.types.detectedType(of: open()) ?? MIMETypes.unknown
  }

  private static let luaType = LuaObjectType<PreparedFile>("prepared file") { type in
    type.property("path") { file, call in try call.push(file.title) }
    type.property("name") { file, call in try call.push(file.content.name) }
    type.property("stem") { file, call in try call.push(file.name?.stem ?? file.content.name) }
    type.property("ext") { file, call in try call.push(file.name?.ext ?? "") }
    type.property("size") { file, call in call.push(file.content.stamp.size) }
    type.waitingProperty("mime_type") { file in .blocking { [.string(try file.mimeType())] } }
    type.waitingProperty("detected_type") { file in .blocking { [.string(try file.detectedType())] } }
    type.text { file in "prepared file(\(file.title))" }
    addReading(to: &type)
  }
}
