import LuaHost
import Workspace

/// What a script may do: for now what every script of a project may.
///
/// The workspace itself already keeps scripts below the project and out of `.moontide/`; what is declared in
/// a recipe and granted on the command line is decided here.
package struct Permissions: Hashable, Sendable {
  private enum Grant: Hashable { case project, nothing }

  private let grant: Grant

  /// Reading and writing below the project, and the file sessions of the service.
  package static let project = Permissions(grant: .project)

  /// Nothing at all.
  package static let none = Permissions(grant: .nothing)

  /// Passes, or throws what the script is to be told.
  ///
  /// - Parameter function: who asks, as scripts know it: `moontide.fs.read`.
  package func check(_ access: Access, by function: String) throws(PermissionError) {
    guard grant == .nothing else { return }
    throw PermissionError(access: access, function: function)
  }
}

/// Something that a script wants to do.
package enum Access: Hashable, Sendable {
  case read(ProjectPath)
  case write(ProjectPath)
  /// A call that takes this scope of the API, such as `files:create`.
  case service(scope: String)

  /// The permission's name.
  package var name: String {
    switch self {
    case .read: "read"
    case .write: "write"
    case .service: "service"
    }
  }

  /// What is wanted of it.
  package var object: String {
    switch self {
    case .read(let path), .write(let path): path.string
    case .service(let scope): scope
    }
  }
}

/// A script wanted more than it may.
package struct PermissionError: Error, Hashable, Sendable, CustomStringConvertible, LuaErrorFields {
  package let access: Access
  /// The function that was called.
  package let function: String

  package init(access: Access, function: String) {
    self.access = access
    self.function = function
  }

  package var description: String {
    "\(function): not permitted: \(access.name) \"\(escapingControls(access.object))\""
  }

  package func luaField(_ name: String) -> LuaValue? {
    switch name {
    case "kind": "permission"
    case "permission": .string(access.name)
    case "wanted": .string(access.object)
    default: nil
    }
  }
}
