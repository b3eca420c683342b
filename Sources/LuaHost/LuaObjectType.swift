/// How scripts see a kind of Swift value: its name, properties and methods.
///
/// ```swift
/// static let luaType = LuaObjectType<File>("file") { type in
///   type.property("path") { file, call in call.push(file.path) }
///   type.waitingMethod("read") { file, call in
///     let count = try call.optionalInt(1, in: 0...Int.max)
///     return LuaOperation { [.bytes(try await file.read(count))] }
///   }
/// }
/// ```
///
/// Make one for each kind and keep it: a script's state defines it once.
package struct LuaObjectType<Object: Sendable>: Sendable {
  let descriptor: LuaTypeDescriptor

  /// Describes a kind of object.
  ///
  /// - Parameters:
  ///   - name: What scripts see in messages: `file`.
  ///   - allowsUnknownFields: Whether a field that does not exist is nil instead of an error.
  package init(
    _ name: String, allowsUnknownFields: Bool = false, _ build: (inout LuaObjectTypeBuilder<Object>) -> Void
  ) {
    var builder = LuaObjectTypeBuilder<Object>(name: name)
    build(&builder)
    descriptor = LuaTypeDescriptor(
      name: name, members: builder.members, text: builder.text, allowsUnknownFields: allowsUnknownFields)
  }

  /// The names of the fields and methods, sorted.
  package var memberNames: [String] { descriptor.members.map(\.name).sorted() }
}

/// Collects the members of a `LuaObjectType`.
package struct LuaObjectTypeBuilder<Object: Sendable> {
  let name: String
  var members: [LuaTypeDescriptor.Member] = []
  var text: (@Sendable (any Sendable) -> String)?

  /// A field that is computed when it is read.
  package mutating func property(
    _ name: String, _ body: @escaping @Sendable (Object, inout LuaCall) throws -> Void
  ) {
    add(name, isProperty: true, .immediate { call in try body(call.receiver(), &call) })
  }

  /// A field that is computed when it is read, as a boxed value.
  package mutating func value(_ name: String, _ body: @escaping @Sendable (Object) throws -> LuaValue) {
    property(name) { object, call in try call.push(body(object)) }
  }

  /// A field for which the script waits.
  package mutating func waitingProperty(
    _ name: String, _ body: @escaping @Sendable (Object) throws -> LuaOperation
  ) {
    add(name, isProperty: true, .waiting { call in try body(call.receiver()) })
  }

  /// A method; its arguments are numbered from 1, without the object.
  package mutating func method(
    _ name: String, _ body: @escaping @Sendable (Object, inout LuaCall) throws -> Void
  ) {
    add(name, isProperty: false, .immediate { call in try body(call.receiver(), &call) })
  }

  /// A method for which the script waits; it reads its arguments, then returns what to wait for.
  package mutating func waitingMethod(
    _ name: String, _ body: @escaping @Sendable (Object, inout LuaCall) throws -> LuaOperation
  ) {
    add(name, isProperty: false, .waiting { call in try body(call.receiver(), &call) })
  }

  /// What `tostring` gives.
  package mutating func text(_ body: @escaping @Sendable (Object) -> String) {
    let name = name
    text = { value in (value as? Object).map(body) ?? name }
  }

  private mutating func add(_ name: String, isProperty: Bool, _ body: LuaHostFunction.Body) {
    members.append(.init(name: name, isProperty: isProperty, body: body))
  }
}

/// A type of host object without its Swift type.
final class LuaTypeDescriptor: Sendable {
  struct Member: Sendable {
    let name: String
    let isProperty: Bool
    let body: LuaHostFunction.Body
  }

  let name: String
  let members: [Member]
  let text: (@Sendable (any Sendable) -> String)?
  let allowsUnknownFields: Bool

  init(
    name: String, members: [Member], text: (@Sendable (any Sendable) -> String)?, allowsUnknownFields: Bool
  ) {
    self.name = name
    self.members = members
    self.text = text
    self.allowsUnknownFields = allowsUnknownFields
  }
}
