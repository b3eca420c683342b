import LuaHost
import LuaLibrary
import Workspace

/// A file of a handler's job that it reads through methods.
protocol Readable: AnyObject, Sendable {
  /// What messages call it.
  var title: String { get }
  /// Of the state whose handlers see the file.
  var helpers: ScriptHelpers { get }

  /// - Throws: `PermissionError` when the script may not read it.
  func permit(by function: String) throws

  /// Opens the file. Blocks.
  func open() throws(WorkspaceError) -> OpenFile
}

extension Readable {
  /// `read`, `tail` and `lines`.
  static func addReading(to type: inout LuaObjectTypeBuilder<Self>) {
    type.waitingMethod("read") { file, call in
      try file.permit(by: call.name)
      let count = call.has(1) ? try call.byteCount(1) : nil
      return .blocking {
        let open = try file.open()
        guard let count else {
          return [.bytes(try FileContent.whole(open, advice: "file:read(n) or file:lines()"))]
        }
        return [.bytes(try FileContent.head(open, count: count))]
      }
    }
    type.waitingMethod("tail") { file, call in
      try file.permit(by: call.name)
      let count = try call.byteCount(1)
      return .blocking { [.bytes(try FileContent.tail(file.open(), count: count))] }
    }
    type.method("lines") { file, call in
      try file.permit(by: call.name)
      let reader = LineReader(file.title) { try file.open() }
      try call.push(call.call(file.helpers.lines, [.object(LineIterator.object(reader))]))
    }
  }
}
