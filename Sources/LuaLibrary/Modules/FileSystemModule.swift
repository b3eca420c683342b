import LuaHost
import Workspace

extension LuaLibrary {
  /// The most paths that `moontide.fs.glob` gives.
  static let mostPaths = 100_000

  /// `moontide.fs`: files of the project. Paths are relative to it; what is written is never found again by
  /// `discover`.
  static func fileSystem(_ context: LibraryContext) -> LuaModule {
    LuaModule("moontide.fs") { module in
      reading(context, &module)
      listing(context, &module)
      writing(context, &module)
    }
  }

  private static func reading(_ context: LibraryContext, _ module: inout LuaModule) {
    let workspace = context.workspace
    module.waiting("read") { call in
      let path = try context.readable(&call, 1)
      let count = call.has(2) ? try call.byteCount(2) : nil
      return .blocking {
        let file = try workspace.open(path)
        let bytes =
          if let count { try FileContent.head(file, count: count) } else {
            try FileContent.whole(file, advice: "moontide.fs.read(path, n)")
          }
        return [.bytes(bytes)]
      }
    }
    module.function("lines") { call in
      let path = try context.readable(&call, 1)
      call.push(LineIterator.object(LineReader(path) { try workspace.open(path) }))
    }
    module.script(
      """
      local fs = ...
      local open, iterate = fs.lines, (function() \(LineIterator.source) end)()
      function fs.lines(path) return iterate(open(path)) end
      """)
    module.waiting("exists") { call in
      let path = try context.readable(&call, 1)
      return .blocking { [.boolean(try workspace.exists(path))] }
    }
    module.waiting("stat") { call in
      let path = try context.readable(&call, 1)
      return .blocking {
        let info = try workspace.info(path)
        return [
          .fields([
            "path": .string(path.string), "name": .string(path.name), "kind": .string(info.kind.rawValue),
            "size": .integer(info.stamp.size), "modified": .number(info.stamp.modifiedSeconds),
          ])
        ]
      }
    }
  }

  private static func listing(_ context: LibraryContext, _ module: inout LuaModule) {
    let workspace = context.workspace
    module.waiting("list") { call in
      let path = call.has(1) ? try context.readable(&call, 1) : .root
      return .blocking {
        let listing = try workspace.list(path)
        for problem in listing.problems { context.log(.warn, "moontide.fs.list: \(problem.message)") }
        return [
          .list(
            try listing.entries.map { entry in
              .fields([
                "name": .string(entry.name), "path": .string(try path.appending(entry.name).string),
                "kind": .string(entry.kind.rawValue),
              ])
            })
        ]
      }
    }
    module.waiting("glob") { call in
      let wanted = try WalkRequest(&call, context)
      return .blocking { [.list(try wanted.paths(in: context).map { .string($0.string) })] }
    }
  }

  private static func writing(_ context: LibraryContext, _ module: inout LuaModule) {
    let workspace = context.workspace
    module.waiting("write") { call in
      let path = try context.writable(&call, 1)
      let bytes = try call.bytes(2)
      return LuaOperation {
        let written = try await offload { try workspace.write(path, bytes).path }
        try await context.recordWrite(written)
        return [.string(written.string)]
      }
    }
    module.waiting("mkdir") { call in
      let path = try context.writable(&call, 1)
      return .blocking { [.string(try workspace.makeDirectory(path).path.string)] }
    }
    module.waiting("remove") { call in
      let path = try context.writable(&call, 1)
      return .blocking {
        try workspace.remove(path)
        return []
      }
    }
    module.waiting("move") { call in
      let source = try context.writable(&call, 1)
      return try context.placing(&call, source) { source, target throws(WorkspaceError) in
        try workspace.move(from: source, to: target)
      }
    }
    module.waiting("copy") { call in
      let source = try context.readable(&call, 1)
      return try context.placing(&call, source) { source, target throws(WorkspaceError) in
        try workspace.copy(from: source, to: target)
      }
    }
  }
}

extension FileStamp {
  /// The time of modification in seconds since 1970.
  package var modifiedSeconds: Double { Double(modified) / 1e9 }
}

extension LibraryContext {
  /// A path that the script wants to read.
  func readable(_ call: inout LuaCall, _ index: Int) throws -> ProjectPath {
    let path = try workspace.path(call.string(index))
    try require(.read(path), by: call.name)
    return path
  }

  /// A path that the script wants to change.
  fileprivate func writable(_ call: inout LuaCall, _ index: Int) throws -> ProjectPath {
    let path = try workspace.path(call.string(index))
    try require(.write(path), by: call.name)
    return path
  }

  /// A move or a copy to argument 2, which is a path, or a directory that is there or ends in a slash.
  fileprivate func placing(
    _ call: inout LuaCall, _ source: ProjectPath,
    _ place: @escaping @Sendable (ProjectPath, ProjectPath) throws(WorkspaceError) -> FileInfo
  ) throws -> LuaOperation {
    let isDirectory = try call.string(2).utf8.last == UInt8(ascii: "/")
    let wanted = try writable(&call, 2)
    return LuaOperation { [workspace, recordWrite] in
      let placed = try await offload { () throws in
        var target = wanted
        if try isDirectory || (workspace.exists(wanted) && workspace.info(wanted).kind == .directory) {
          target = try wanted.appending(source.name)
        }
        return try place(source, target).path
      }
      try await recordWrite(placed)
      return [.string(placed.string)]
    }
  }
}

/// What `moontide.fs.glob` is asked for: a pattern and options, or a table with both.
private struct WalkRequest: Sendable {
  let root: ProjectPath
  let globs: GlobSet
  let hidden: Bool

  init(_ call: inout LuaCall, _ context: LibraryContext) throws {
    let isTable = call.typeName(1) == "table"
    let options = try call.optionalFields(isTable ? 1 : 2)
    try options.onlyKnown(
      isTable ? ["include", "exclude", "root", "hidden"] : ["exclude", "root", "hidden"])
    root = try context.workspace.path(options.optionalString("root") ?? ".")
    try context.require(.read(root), by: call.name)
    let include = isTable ? try options.optionalStrings("include") ?? [] : [try call.string(1)]
    let exclude = try options.optionalStrings("exclude") ?? []
    do throws(GlobError) {
      globs = try GlobSet(include: include, exclude: exclude)
    } catch {
      throw LuaValueError(place: call.name, problem: error.message)
    }
    hidden = try options.optionalBoolean("hidden") ?? false
  }

  /// The paths in the order of the walk. Blocks.
  func paths(in context: LibraryContext) throws -> [ProjectPath] {
    var walker = try context.workspace.walk(root: root, globs: globs, hidden: hidden)
    var paths: [ProjectPath] = []
    while let item = walker.next() {
      switch item {
      case .problem(let error): context.log(.warn, "moontide.fs.glob: \(error.message)")
      case .file(let path, _, _):
        guard paths.count < LuaLibrary.mostPaths else {
          throw LuaValueError(
            place: "moontide.fs.glob", problem: "more than \(LuaLibrary.mostPaths) files match",
            hint: "narrow the pattern, or let discover walk")
        }
        paths.append(path)
      }
    }
    return paths
  }
}
