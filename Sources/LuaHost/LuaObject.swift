/// A Swift value that scripts hold.
///
/// Two uses: an object with fields and methods (`LuaObjectType`), and an opaque value that a script
/// only passes on, such as a verdict that a handler returns.
package final class LuaObject: Sendable {
  /// The Swift value.
  package let value: any Sendable
  let type: LuaTypeDescriptor?
  /// The name that scripts see in messages and from `tostring`.
  package let typeName: String

  /// An object with fields and methods.
  package init<Value: Sendable>(_ value: Value, type: LuaObjectType<Value>) {
    self.value = value
    self.type = type.descriptor
    typeName = type.descriptor.name
  }

  /// A value of which scripts see nothing but its name.
  package init(opaque value: any Sendable, name: String) {
    self.value = value
    type = nil
    typeName = name
  }
}

extension LuaObject: Equatable {
  package static func == (left: LuaObject, right: LuaObject) -> Bool { left === right }
}

/// A Swift error on its way through a script.
final class LuaErrorBox: Sendable {
  let error: any Error
  /// Where the script called what failed, however often it is raised again.
  let place: LuaPlace?

  init(_ error: any Error, at place: LuaPlace? = nil) {
    self.error = error
    self.place = place
  }
}
