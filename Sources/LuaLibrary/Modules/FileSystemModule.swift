import LuaHost
import Workspace

extension LuaLibrary {
  /// The most paths that `moontide.fs.glob` gives.
  static let mostPaths = 100_000

  /// `moontide.fs`: files of the project, and others as far as it is granted. Paths are relative to the project,
  /// or absolute; what is written is never found again by `discover`.
  static func fileSystem(_ context: LibraryContext) -> LuaModule {
    LuaModule("moontide.fs") { module in
      reading(context, &module)
      listing(context, &module)
      writing(context, &module)
    }
  }

  private static func reading(_ context: LibraryContext, _ module: inout LuaModule) {
    module.waiting("read") { call in
      let wanted = try context.toRead(&call, 1)
      let count = call.has(2) ? try call.byteCount(2) : nil
      return .blocking {
        let place = try wanted.place()
        let file = try place.workspace.open(place.path)
        let bytes =
          if let count { try FileContent.head(file, count: count) } else {
            try FileContent.whole(file, advice: "moontide.fs.read(path, n)")
          }
        return [.bytes(bytes)]
      }
    }
    module.function("lines") { call in
      let wanted = try context.toRead(&call, 1)
      let name = escapingControls(try call.string(1))
      call.push(
        LineIterator.object(
          LineReader(name) {
            let place = try wanted.place()
            return try place.workspace.open(place.path)
          }))
    }
    module.script(
      """
      local fs = ...
      local open, iterate = fs.lines, (function() \(LineIterator.source) end)()
      function fs.lines(path) return iterate(open(path)) end
      """)
    module.waiting("exists") { call in
      let wanted = try context.toRead(&call, 1)
      return .blocking {
        let place = try wanted.place()
        return [.boolean(try place.workspace.exists(place.path))]
      }
    }
    module.waiting("stat") { call in
      let wanted = try context.toRead(&call, 1)
      return .blocking {
        let place = try wanted.place()
        let info = try place.workspace.info(place.path)
        return [
          .fields([
            "path": .string(place.shown(place.path)), "name": .string(place.path.name),
            "kind": .string(info.kind.rawValue), "size": .integer(info.stamp.size),
            "modified": .number(info.stamp.modifiedSeconds),
          ])
        ]
      }
    }
  }

  private static func listing(_ context: LibraryContext, _ module: inout LuaModule) {
    module.waiting("list") { call in
      let wanted = try WantedFile(call.optionalString(1) ?? ".", .read, by: call.name, in: context)
      return .blocking {
        let place = try wanted.place()
        let listing = try place.workspace.list(place.path)
        for problem in listing.problems { context.log(.warn, "moontide.fs.list: \(problem.message)") }
        return [
          .list(
            try listing.entries.map { entry in
              .fields([
                "name": .string(entry.name),
                "path": .string(place.shown(try place.path.appending(entry.name))),
                "kind": .string(entry.kind.rawValue),
              ])
            })
        ]
      }
    }
    module.waiting("glob") { call in
      let wanted = try WalkRequest(&call, context)
      return .blocking { [.list(try wanted.paths(in: context).map { .string($0) })] }
    }
  }

  private static func writing(_ context: LibraryContext, _ module: inout LuaModule) {
    module.waiting("write") { call in
      let wanted = try context.toWrite(&call, 1)
      let bytes = try call.bytes(2)
      try call.requireRoom(for: bytes.count, in: context)
      return LuaOperation {
        let (place, written) = try await offload { () throws in
          let place = try wanted.place()
          return (place, try place.workspace.write(place.path, bytes).path)
        }
        try await context.record(written, in: place)
        return [.string(place.shown(written))]
      }
    }
    module.waiting("mkdir") { call in
      let wanted = try context.toWrite(&call, 1)
      return .blocking {
        let place = try wanted.place()
        return [.string(place.shown(try place.workspace.makeDirectory(place.path).path))]
      }
    }
    module.waiting("remove") { call in
      let wanted = try context.toWrite(&call, 1, keepsLastLink: true)
      return .blocking {
        let place = try wanted.place()
        try place.workspace.remove(place.path)
        return []
      }
    }
    module.waiting("move") { call in
      let source = try context.toWrite(&call, 1, keepsLastLink: true)
      return try context.placing(&call, source) { source, target throws(WorkspaceError) in
        try source.workspace.move(from: source.path, to: target.path, in: target.workspace)
      }
    }
    module.waiting("copy") { call in
      let source = try context.toRead(&call, 1)
      return try context.placing(&call, source) { source, target throws(WorkspaceError) in
        try source.workspace.copy(from: source.path, to: target.path, in: target.workspace)
      }
    }
  }
}

extension FileStamp {
  /// The time of modification in seconds since 1970.
  package var modifiedSeconds: Double { Double(modified) / 1e9 }
}

extension LibraryContext {
  /// A move or a copy to argument 2, which is a path, or a directory that is there or ends in a slash.
  fileprivate func placing(
    _ call: inout LuaCall, _ wanted: WantedFile,
    _ put: @escaping @Sendable (FilePlace, FilePlace) throws(WorkspaceError) -> FileInfo
  ) throws -> LuaOperation {
    let isDirectory = try call.string(2).utf8.last == UInt8(ascii: "/")
    let wantedTarget = try toWrite(&call, 2)
    return LuaOperation {
      let (place, placed) = try await offload { () throws in
        var (source, target) = try wanted.place().together(with: wantedTarget.place())
        let workspace = target.workspace
        if try isDirectory
          || (workspace.exists(target.path) && workspace.info(target.path).kind == .directory)
        {
          target.path = try target.path.appending(wanted.name)
        }
        return (target, try put(source, target).path)
      }
      try await record(placed, in: place)
      return [.string(shown(placed, in: place))]
    }
  }

  /// A path as the script gets it; one of the project also where it was reached from outside.
  private func shown(_ path: ProjectPath, in place: FilePlace) -> String {
    if place.isOfJob { return place.shown(path) }
    guard place.isOutside else { return path.string }
    let absolute = place.workspace.absolute(path)
    return (try? workspace.path(absolute).string) ?? absolute
  }
}

/// What `moontide.fs.glob` is asked for: a pattern and options, or a table with both.
private struct WalkRequest: Sendable {
  let root: WantedFile
  let globs: GlobSet
  let hidden: Bool

  init(_ call: inout LuaCall, _ context: LibraryContext) throws {
    let isTable = call.typeName(1) == "table"
    let options = try call.optionalFields(isTable ? 1 : 2)
    try options.onlyKnown(
      isTable ? ["include", "exclude", "root", "hidden"] : ["exclude", "root", "hidden"])
    root = try WantedFile(options.optionalString("root") ?? ".", .read, by: call.name, in: context)
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
  func paths(in context: LibraryContext) throws -> [String] {
    let place = try root.place()
    var walker = try place.workspace.walk(root: place.path, globs: globs, hidden: hidden)
    var paths: [String] = []
    while let item = walker.next() {
      switch item {
      case .problem(let error): context.log(.warn, "moontide.fs.glob: \(error.message)")
      case .file(let path, _, _):
        guard paths.count < LuaLibrary.mostPaths else {
          throw LuaValueError(
            place: "moontide.fs.glob", problem: "more than \(LuaLibrary.mostPaths) files match",
            hint: "narrow the pattern, or let discover walk")
        }
        paths.append(place.shown(path))
      }
    }
    return paths
  }
}
