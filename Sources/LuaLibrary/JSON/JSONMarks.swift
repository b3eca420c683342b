import LuaHost

/// The values of JSON that Lua has no own for.
package enum JSONMarks {
  private struct Mark: Sendable {
    let text: String
  }

  private static let type = LuaObjectType<Mark>("json value") { type in
    type.text { mark in mark.text }
  }

  /// `null`: nil would leave holes in lists and lose fields.
  package static let null = LuaValue.object(LuaObject(Mark(text: "null"), type: type))

  /// An empty list, which as a Lua table is the same as an empty object. Scripts do not see it: the library's
  /// Lua part puts a table that it remembers as a list in its place.
  package static let emptyList = LuaValue.object(LuaObject(Mark(text: "[]"), type: type))
}
