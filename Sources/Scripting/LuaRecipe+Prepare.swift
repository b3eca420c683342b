import Ingestion
import LuaHost
import LuaLibrary
import Workspace

/// What `prepare` gave.
enum Prepared: Sendable {
  /// The file is sent as it is.
  case nothing
  case verdict(Verdict)
  case file(PreparedContent)
  /// In their order; their names differ.
  case parts([(name: String, content: PreparedContent)])
}

extension LuaRecipe {
  /// Calls `prepare` with an empty directory of the job's own.
  func prepared(
    _ function: LuaFunction, _ file: RecipeFile, _ script: isolated LuaScript
  ) async throws(HandlerFault) -> Prepared {
    let directory = WorkDirectory(of: file.key, in: context.workspace)
    let work = WorkPlace(directory: directory.path, of: context.workspace)
    do throws(WorkspaceError) {
      _ = try await offload { () throws(WorkspaceError) in try directory.make() }
    } catch {
      throw .failure(Failure(.file, error.message))
    }
    let value: LuaValue
    let begin = beginning
    do {
      let object = file.object
      value = try await script.call(
        function, label: RecipeKey.prepare.rawValue,
        arguments: { arguments in
          arguments.push(object)
          try arguments.push(work.directory)
        }, results: { try $0.value(1) })
    } catch {
      try requireKnown(.prepare, file)
      let fault = call(.prepare, file).fault(error)
      observe(.prepare, since: begin, fault)
      throw fault
    }
    observe(.prepare, since: begin)
    try requireKnown(.prepare, file)
    if value.isNil { return .nothing }
    if let verdict = value.object(as: Verdict.self) { return .verdict(verdict) }
    let texts = try checked(.prepare, file) { () throws(WrongValue) in try Self.texts(value) }
    let workspace = context.workspace
    do throws(WrongValue) {
      let contents = try await offload { () throws(WrongValue) in
        var contents: [PreparedContent] = []
        for text in texts { contents.append(try PreparedContent(text, work, workspace)) }
        return contents
      }
      if case .string = value, let content = contents.first { return .file(content) }
      return .parts(try Self.named(contents))
    } catch {
      throw call(.prepare, file).fault(returning: error)
    }
  }

  /// One text, or a list of them.
  private static func texts(_ value: LuaValue) throws(WrongValue) -> [String] {
    let wanted = RecipeKey.prepare.wanted.answer
    guard case .table(let table) = value else { return [try Values.text(value, wanted: wanted)] }
    if let name = table.names.first {
      throw WrongValue("a table with the field `\(escapingControls(name))`; it takes \(wanted)")
    }
    guard table.fields.isEmpty else {
      throw WrongValue("a list with a hole at \(table.array.count + 1); it takes \(wanted)")
    }
    var texts: [String] = []
    for item in table.array { texts.append(try Values.text(item, wanted: wanted)) }
    return texts
  }

  /// Each with a name that tells it from the others: below the work directory its path, elsewhere its name.
  private static func named(
    _ contents: [PreparedContent]
  ) throws(WrongValue) -> [(name: String, content: PreparedContent)] {
    var seen: Set<String> = []
    var parts: [(name: String, content: PreparedContent)] = []
    for content in contents {
      let name = if case .work(let path) = content.place { path } else { content.name }
      guard seen.insert(name).inserted else {
        throw WrongValue(
          "two files called \"\(escapingControls(name))\"; each part is known by its name, and needs one of its own"
        )
      }
      parts.append((name, content))
    }
    return parts
  }
}

extension PreparedContent {
  /// The file that a script named. Blocks.
  fileprivate init(_ text: String, _ work: WorkPlace, _ workspace: Workspace) throws(WrongValue) {
    do throws(WorkspaceError) {
      let info: FileInfo
      if let path = work.path(text, from: workspace.rootPath) {
        info = try work.open().info(path)
        self.init(.work(info.path.string), stamp: info.stamp)
      } else {
        info = try workspace.info(workspace.path(text))
        self.init(.project(info.path.string), stamp: info.stamp)
      }
      guard info.kind == .file else {
        throw WorkspaceError(.notRegular, path: text, "it is \(info.kind.phrase)")
      }
    } catch {
      throw WrongValue("\"\(escapingControls(text))\": \(error.message)")
    }
  }
}

extension Ruling {
  /// The same, with other bytes than the file's.
  func sending(_ content: PreparedContent) -> Ruling {
    guard case .send(var wishes) = self else { return self }
    wishes.content = content
    return .send(wishes)
  }
}
