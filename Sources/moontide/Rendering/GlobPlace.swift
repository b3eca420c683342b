import FoundationEssentials
import SQLiteLedger
import Workspace

/// Where in a recipe's script a glob stands.
enum GlobPlace {
  private static let mostBytes = 1 << 20

  /// ` (handbook.lua:3)`; empty where the script cannot be read or does not have the glob literally. Blocks.
  static func phrase(of reason: Visibility, in recipe: RecipeRecord, _ workspace: Workspace) -> String {
    guard case .excluded(let glob) = reason else { return "" }
    // As it was named when the recipe last ran, from a directory that is not known any more.
    for path in [CurrentDirectory.absolute(recipe.script), workspace.rootPath + "/" + recipe.script] {
      guard let bytes = FileManager.default.contents(atPath: path), bytes.count <= mostBytes else { continue }
      let lines = String(decoding: bytes, as: UTF8.self).split(
        separator: "\n", omittingEmptySubsequences: false)
      let quotes = ["\"\(glob.pattern)\"", "'\(glob.pattern)'", "[[\(glob.pattern)]]"]
      let line = lines.firstIndex { line in quotes.contains { line.contains($0) } }
      if let line { return " (\(recipe.script):\(line + 1))" }
    }
    return ""
  }
}
