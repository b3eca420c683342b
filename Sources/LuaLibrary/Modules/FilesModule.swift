import FileSessions
import LuaHost
import Workspace

extension LuaLibrary {
  /// `moontide.files`: the file sessions of the service.
  static func files(_ context: LibraryContext) -> LuaModule {
    LuaModule("moontide.files") { module in
      sending(context, &module)
      looking(context, &module)
      module.script(pages)
    }
  }

  private static func sending(_ context: LibraryContext, _ module: inout LuaModule) {
    module.waiting("create") { call in
      try context.require(.service(scope: ServiceScope.createFiles), by: call.name)
      let fields = try call.fields(1)
      try fields.onlyKnown(["filename", "mime_type", "size_bytes", "purpose"])
      let size = try fields.optionalInt("size_bytes", in: 0...Int.max)
      guard let size else { throw fields.error("size_bytes", wanted: "integer of at least 0") }
      let file = NewFile(
        filename: try fields.string("filename"), mimeType: try fields.string("mime_type"),
        sizeBytes: Int64(size), purpose: try fields.optionalString("purpose").map(Purpose.init(rawValue:)))
      return LuaOperation { [try await context.open(file).value] }
    }
    module.waiting("upload") { call in
      let wanted = try context.toRead(&call, 1)
      try context.require(.service(scope: ServiceScope.createFiles), by: call.name)
      let fields = try call.optionalFields(2)
      try fields.onlyKnown(["filename", "mime_type", "purpose"])
      let wish = UploadWish(
        file: wanted, filename: try fields.optionalString("filename"),
        mimeType: try fields.optionalString("mime_type"),
        purpose: try fields.optionalString("purpose").map(Purpose.init(rawValue:)))
      return LuaOperation { [try await context.send(wish).value] }
    }
  }

  private static func looking(_ context: LibraryContext, _ module: inout LuaModule) {
    module.waiting("get") { call in
      try context.require(.service(scope: ServiceScope.readFiles), by: call.name)
      let id = try call.string(1)
      try call.requireKnowable("files.get", in: context)
      return LuaOperation { [SessionHandle(try await context.service.retrieve(id), context: context).value] }
    }
    module.waiting("list") { call in
      try context.require(.service(scope: ServiceScope.readFiles), by: call.name)
      let fields = try call.optionalFields(1)
      try fields.onlyKnown(["limit", "offset"])
      let limit = try fields.optionalInt("limit", in: 1...Int(Int32.max))
      let offset = try fields.optionalInt("offset", in: 0...Int(Int32.max))
      try call.requireKnowable("files.list", in: context)
      return LuaOperation {
        let page = try await context.service.list(limit: limit, offset: offset)
        var table = LuaTable(array: page.data.map { SessionHandle($0, context: context).value })
        table["total_count"] = .int(page.totalCount)
        return [.table(table)]
      }
    }
  }
}

/// What `moontide.files.upload` was asked to send.
struct UploadWish: Sendable {
  let file: WantedFile
  let filename: String?
  let mimeType: String?
  let purpose: Purpose?
}

extension LibraryContext {
  /// Opens a session, and tells of it before anybody goes on with it.
  func open(_ file: NewFile) async throws -> SessionHandle {
    let opened = try await service.create(file, key: newKey())
    try await sessionOpened(opened.session)
    return SessionHandle(opened.session, target: opened.target, context: self)
  }

  /// The three steps. A session whose bytes could not be sent is cancelled.
  func send(_ wish: UploadWish) async throws -> SessionHandle {
    let file = try await offload { [types] () throws in
      let place = try wish.file.place()
      let open = try place.workspace.open(place.path)
      return NewFile(
        filename: wish.filename ?? wish.file.name,
        mimeType: try wish.mimeType ?? types.mimeType(name: wish.file.name, content: open),
        sizeBytes: try open.stamp().size, purpose: wish.purpose)
    }
    let handle = try await open(file)
    do {
      try await handle.upload(wish.file)
      try await handle.complete(nil)
      return handle
    } catch {
      // Also when this task was cancelled, so in one that was not.
      await Task { try? await handle.cancel() }.value
      throw error
    }
  }
}
