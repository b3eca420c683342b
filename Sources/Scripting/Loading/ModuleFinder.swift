import LuaHost
import Synchronization
import Workspace

/// Finds what a script requires: beside the script, then in the project's `lib/`, and nowhere else.
///
/// A module is read once; all states of a script get the same bytes.
final class ModuleFinder: Sendable {
  private struct State {
    /// By the name that is required.
    var found: [String: LuaSource] = [:]
    var isSealed = false
  }

  private let directory: String?
  private let workspace: Workspace
  private let state = Mutex(State())

  /// - Parameter directory: where the script is; nil when it is not from a file.
  init(beside directory: String?, in workspace: Workspace) {
    self.directory = directory
    self.workspace = workspace
  }

  /// The modules that were found: `dates.iso (lib/dates/iso.lua)`.
  var sources: [String: [UInt8]] {
    // Two places may have a file of the same name, but each name is only required from one.
    state.withLock { state in
      Dictionary(uniqueKeysWithValues: state.found.map { ("\($0.key) (\($0.value.name))", $0.value.bytes) })
    }
  }

  /// Has every module refused from now on that was not found before.
  func seal() {
    state.withLock { $0.isSealed = true }
  }

  /// The source of a module; nil when there is none of that name.
  func find(_ name: String) async throws -> LuaSource? {
    let (known, isSealed) = state.withLock { ($0.found[name], $0.isSealed) }
    if let known { return known }
    let path = try Self.path(name)
    guard !isSealed else {
      throw ModuleProblem(
        message: "require \"\(name)\" in a handler, or in some cases only; "
          + "require it at the top of the recipe, so that a changed module is noticed")
    }
    guard let source = try await offload({ [self] in try read(path) }) else {
      let places = ["\(path).lua", "\(path)/init.lua"].map { directory == nil ? "lib/\($0)" : $0 }
      throw ModuleProblem(
        message: "there is no module \"\(name)\": neither \(places[0]) nor \(places[1])"
          + (directory == nil ? "" : " is beside the script or in the project's lib/"))
    }
    // Whoever came first: all states have to see the same bytes.
    return state.withLock { state in
      if let known = state.found[name] { return known }
      state.found[name] = source
      return source
    }
  }

  /// The path without its ending that a name stands for: `dates.iso` is `dates/iso`.
  private static func path(_ name: String) throws(ModuleProblem) -> String {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    let isPlain = parts.allSatisfy { part in
      !part.isEmpty && part.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0 != "/" && $0 != "\\" }
    }
    guard isPlain else {
      throw ModuleProblem(
        message: "\"\(escapingControls(name))\" is no module's name; "
          + "write names with dots between them, such as require \"dates.iso\" for dates/iso.lua")
    }
    return parts.joined(separator: "/")
  }

  /// Blocks.
  private func read(_ path: String) throws -> LuaSource? {
    if let directory, let source = try read(path, below: Workspace(root: directory)) {
      return source
    }
    return try read("lib/" + path, below: workspace)
  }

  private func read(_ path: String, below workspace: Workspace) throws -> LuaSource? {
    for file in [path + ".lua", path + "/init.lua"] {
      do throws(WorkspaceError) {
        let bytes = try workspace.read(ProjectPath(file), limit: ScriptSource.largest)
        return LuaSource(name: escapingControls(file), bytes: bytes)
      } catch {
        guard error.code == .notFound || error.code == .notDirectory else { throw error }
      }
    }
    return nil
  }
}

/// Why a module cannot be required.
struct ModuleProblem: Error, CustomStringConvertible {
  let message: String

  var description: String { message }
}
