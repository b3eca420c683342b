import FileSessions
import LuaHost

extension SessionHandle {
  /// How scripts see a session; the fields are named as in the official Python SDK.
  static let luaType = LuaObjectType<SessionHandle>("session") { type in
    type.value("id") { .string($0.session.id) }
    type.value("filename") { .string($0.session.filename) }
    type.value("mime_type") { .string($0.session.mimeType) }
    type.value("size_bytes") { .integer($0.session.sizeBytes) }
    type.value("status") { .string($0.session.status.rawValue) }
    type.value("created_at") { .string($0.session.createdAt.description) }
    type.value("expires_at") { $0.session.expiresAt.map { .string($0.description) } ?? .nil }
    type.value("completed_at") { $0.session.completedAt.map { .string($0.description) } ?? .nil }
    type.text { handle in "session(\(handle.session.id), \(handle.session.status.rawValue))" }
    addMethods(&type)
  }

  private static func addMethods(_ type: inout LuaObjectTypeBuilder<SessionHandle>) {
    type.waitingMethod("upload") { handle, call in
      let wanted = try handle.context.toRead(&call, 1)
      try handle.context.require(.service(scope: ServiceScope.createFiles), by: call.name)
      return LuaOperation {
        try await handle.upload(wanted)
        return [handle.value]
      }
    }
    type.waitingMethod("complete") { handle, call in
      try handle.context.require(.service(scope: ServiceScope.createFiles), by: call.name)
      let md5 = try call.optionalString(1).map { text in
        guard let digest = MD5Digest(hex: text) else {
          throw LuaValueError(
            place: "\(call.name): argument #1", wanted: "md5 (32 hexadecimal digits, lower case)",
            got: "string \"\(escapingControls(String(text.prefix(40))))\"")
        }
        return digest
      }
      return LuaOperation {
        try await handle.complete(md5)
        return [handle.value]
      }
    }
    type.waitingMethod("cancel") { handle, call in
      try handle.context.require(.service(scope: ServiceScope.createFiles), by: call.name)
      return LuaOperation {
        try await handle.cancel()
        return [handle.value]
      }
    }
    type.waitingMethod("refresh") { handle, call in
      try handle.requireReading(by: call.name)
      if !handle.session.isSimulated { try call.requireKnowable("session:refresh", in: handle.context) }
      return LuaOperation {
        try await handle.refresh()
        return [handle.value]
      }
    }
    type.waitingMethod("download_url") { handle, call in
      try handle.requireReading(by: call.name)
      try call.requireKnowable("session:download_url", in: handle.context)
      return LuaOperation {
        let place = try await handle.context.service.url(handle.session.id)
        return [.string(place.url), .string(place.expiresAt.description)]
      }
    }
  }
}

extension SessionHandle {
  /// Its own job's session a handler may always look at; another one takes the API's scope.
  private func requireReading(by function: String) throws {
    if isOfJob { return }
    try context.require(.service(scope: ServiceScope.readFiles), by: function)
  }
}
