import Ingestion
import LuaHost
import LuaLibrary
import Workspace

extension LuaRecipe {
  package func discovery() async throws(Failure) -> Discovery {
    switch plan.discover {
    case .walk(let settings): return .walk(settings)
    case .name(let path, let settings):
      let isDirectory = await offload { [workspace = context.workspace] in
        (try? workspace.info(path).kind) == .directory
      }
      guard !isDirectory else {
        throw failure(
          of: call(.discover).failure("\"\(path)\" is a directory; for all files in it write \"\(path)/**\""),
          in: call(.discover))
      }
      return .walk(settings)
    case .function(let function):
      let pages = try await PathPages(of: self, from: function)
      return .named { () async throws(Failure) in try await pages.next() }
    }
  }
}
