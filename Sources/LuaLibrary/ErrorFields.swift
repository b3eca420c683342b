import FileSessions
import LuaHost
import Workspace

/// `kind` is `service`; `type`, `status`, `code`, `param` and `request_id` are the API's.
extension ServiceError: LuaErrorFields {
  package func luaField(_ name: String) -> LuaValue? {
    switch name {
    case "kind": "service"
    case "type": .string(kind.rawValue)
    case "status": status.map { .int($0) }
    case "code": code.map { .string($0) }
    case "param": param.map { .string($0) }
    case "request_id": requestID.map { .string($0) }
    case "message": .string(escapingControls(message))
    default: nil
    }
  }
}

/// `kind` is `file`; `code` says what went wrong (`not_found`, `exists`, …), `path` with what.
extension WorkspaceError: LuaErrorFields {
  package func luaField(_ name: String) -> LuaValue? {
    switch name {
    case "kind": "file"
    case "code": .string(snakeCase(code.rawValue))
    case "path": .string(path)
    default: nil
    }
  }
}

private func snakeCase(_ name: String) -> String {
  name.map { $0.isUppercase ? "_" + $0.lowercased() : String($0) }.joined()
}
