import LuaHost
import LuaLibrary

extension RecipeReader {
  /// `permissions`: what the recipe asks for, to be granted or not.
  func permissions() throws(ScriptError) -> PermissionDeclaration {
    guard let value = self[.permissions] else { return .none }
    guard case .table(let table) = value else {
      throw wrong(.permissions, "is \(described(value)); it takes \(RecipeKey.permissions.wanted.value)")
    }
    do {
      return try PermissionDeclaration(LuaFields(table, place: "`permissions`"))
    } catch {
      let unknown = table.names.first { PermissionKind(rawValue: $0) == nil }
      throw ScriptError("\(error)", key: unknown ?? RecipeKey.permissions.rawValue, in: source)
    }
  }
}
