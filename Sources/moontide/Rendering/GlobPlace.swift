import FoundationEssentials
import SQLiteLedger
import Workspace

/// Where in a recipe's script a glob stands.
enum GlobPlace {
  private static let mostBytes = 1 << 20

  /// What says where a file was left out: ` (handbook.lua:3)`, with the globs of which none matches. Blocks.
  static func phrase(of reason: Visibility, in recipe: RecipeRecord, _ workspace: Workspace) -> String {
    let (root, include) = (recipe.walk?.root ?? ".", recipe.walk?.include ?? [])
    let below = include.map { root + "/" + $0 }
    switch reason {
    case .excluded(let glob):
      return place(of: [glob.pattern], in: recipe, workspace).map { " (\($0))" } ?? ""
    case .notIncluded:
      let globs = include.map { "\"\($0)\"" }.joined(separator: ", ")
      return " (\(globs)\(place(of: include + below, in: recipe, workspace).map { "; \($0)" } ?? ""))"
    case .outsideRoot:
      return place(of: [root] + below, in: recipe, workspace).map { " (\($0))" } ?? ""
    default: return ""
    }
  }

  /// The script and the line in which one of these stands first; nil where the script cannot be read or has none of them
  /// literally.
  private static func place(
    of texts: [String], in recipe: RecipeRecord, _ workspace: Workspace
  ) -> String? {
    let quoted = texts.flatMap { ["\"\($0)\"", "'\($0)'", "[[\($0)]]"] }
    // As it was named when the recipe last ran, from a directory that is not known any more.
    for path in [CurrentDirectory.absolute(recipe.script), workspace.rootPath + "/" + recipe.script] {
      guard let bytes = FileManager.default.contents(atPath: path), bytes.count <= mostBytes else { continue }
      let lines = String(decoding: bytes, as: UTF8.self).split(
        separator: "\n", omittingEmptySubsequences: false)
      let line = lines.firstIndex { line in quoted.contains { line.contains($0) } }
      if let line { return "\(recipe.script):\(line + 1)" }
    }
    return nil
  }
}
