import CLuaBridge

/// Host functions and values under one name, such as `moontide.fs`.
///
/// The functions of a module whose name has dots become fields of the table before the last dot. A
/// name that a module does not have is an error that suggests the nearest one.
package struct LuaModule: Sendable {
  enum Member: Sendable {
    case function(String, LuaHostFunction.Body)
    case value(String, LuaValue)
    case script(String)
  }

  let path: String
  var members: [Member] = []
  var missing: LuaHostFunction.Body?

  /// Describes a module.
  ///
  /// - Parameter path: Its name as scripts write it: `moontide`, `moontide.fs`.
  package init(_ path: String, _ build: (inout LuaModule) -> Void) {
    self.path = path
    build(&self)
  }

  /// A function that gives its results at once, by pushing them.
  package mutating func function(
    _ name: String, _ body: @escaping @Sendable (inout LuaCall) throws -> Void
  ) {
    members.append(.function(name, .immediate(body)))
  }

  /// A function for which the script waits; it reads its arguments, then returns what to wait for.
  package mutating func waiting(
    _ name: String, _ body: @escaping @Sendable (inout LuaCall) throws -> LuaOperation
  ) {
    members.append(.function(name, .waiting(body)))
  }

  /// A value.
  package mutating func value(_ name: String, _ value: LuaValue) {
    members.append(.value(name, value))
  }

  /// Functions written in Lua.
  ///
  /// The source is run once when a script's state is made, with the module's table as its argument,
  /// and adds to it. It may use all modules that come before.
  package mutating func script(_ source: String) {
    members.append(.script(source))
  }

  /// Computes the fields that are not there; argument 2 is the key.
  package mutating func missing(_ body: @escaping @Sendable (inout LuaCall) throws -> Void) {
    missing = .immediate(body)
  }
}

/// A function of the host as scripts call it.
struct LuaHostFunction: Sendable {
  enum Body: Sendable {
    case immediate(@Sendable (inout LuaCall) throws -> Void)
    case waiting(@Sendable (inout LuaCall) throws -> LuaOperation)
    /// One that may wait even while a recipe loads.
    case alwaysWaiting(@Sendable (inout LuaCall) throws -> LuaOperation)

    /// How the trampoline is to treat it.
    var waits: Int32 {
      switch self {
      case .immediate: Int32(CLB_IMMEDIATE)
      case .waiting: Int32(CLB_WAITS)
      case .alwaysWaiting: Int32(CLB_ALWAYS_WAITS)
      }
    }
  }

  /// The full name: `moontide.fs.read`, `file:read`.
  let name: String
  /// The number of arguments before the first one that counts: 1 for a method.
  let skipped: Int32
  let body: Body
}
