import Glibc

extension Workspace {
  /// Moves a file to a new path, making directories on the way; what is there is never overwritten.
  ///
  /// On one device this is one rename. Between devices the bytes are copied beside the target, made
  /// durable and put in place before the source is removed, so a crash leaves both rather than none;
  /// a source that changes meanwhile stays (`changed`). Only regular files: a link would lead elsewhere
  /// from its new place. Throws `exists` when there is something at `target`.
  ///
  /// - Parameter other: where `target` is; nil: here. Over an overlay, both are.
  @discardableResult
  package func move(
    from source: ProjectPath, to target: ProjectPath, in other: Workspace? = nil
  ) throws(WorkspaceError) -> FileInfo {
    if let overlaid {
      return try overlaid.move(from: source, to: target, in: other?.overlaid ?? overlaid)
    }
    let action = "move"
    let (old, status) = try resolveExisting(source, .keep, cannot: action)
    try requireRegular(status, source, action)
    let other = other ?? self
    let new = try other.resolveFree(target, cannot: "move \(quoted(source.string)) to")
    do throws(SystemError) {
      guard capabilities.contains(.oneDevice) else { throw SystemError(number: EXDEV) }
      try capabilities.rename(old.name, in: old.directory, to: new.name, in: new.directory)
      return FileInfo(path: new.path, status: status)
    } catch {
      guard error.number == EXDEV else {
        throw failure(error, target, cannot: "move \(quoted(source.string)) to")
      }
    }
    let file = try open(source)
    guard FileIdentity(try file.status()) == FileIdentity(status) else {
      throw .changed(source.string, cannot: action)
    }
    let info = try other.copy(file, to: new, cannot: "move \(quoted(source.string)) to")
    try attempt(source, "remove, after copying it to \(quoted(target.string)),") { () throws(SystemError) in
      let now = try SystemCalls.status(of: old.name, in: old.directory)
      guard FileStamp(now) == FileStamp(status) else { return }
      try SystemCalls.check { unlinkat(old.directory.number, old.name, 0) }
    }
    return info
  }

  /// Copies a file to a new path, making directories on the way; what is there is never overwritten.
  ///
  /// The target appears whole and durable or not at all. Permission bits and the time of modification
  /// are kept. Throws `exists` when there is something at `target`, `changed` when the source changed
  /// while it was read.
  ///
  /// - Parameter other: where `target` is; nil: here.
  @discardableResult
  package func copy(
    from source: ProjectPath, to target: ProjectPath, in other: Workspace? = nil
  ) throws(WorkspaceError) -> FileInfo {
    if let overlaid {
      return try overlaid.copy(from: source, to: target, in: other?.overlaid ?? overlaid)
    }
    let action = "copy \(quoted(source.string)) to"
    let file = try open(source)
    let other = other ?? self
    return try other.copy(file, to: try other.resolveFree(target, cannot: action), cannot: action)
  }

  private func copy(_ file: OpenFile, to new: Place, cannot action: String) throws(WorkspaceError) -> FileInfo
  {
    do {
      let before = try file.status()
      let temporary = try TemporaryFile(in: new.directory, mode: 0o600)
      try temporary.copyContent(of: file)
      try temporary.copyOwnerAndMode(of: before)
      try temporary.copyTimes(of: before)
      try temporary.synchronize()
      guard try file.stamp() == FileStamp(before), try temporary.status().st_size == before.st_size else {
        throw WorkspaceError.changed(file.path.string, cannot: "copy")
      }
      let info = FileInfo(path: new.path, status: try temporary.status())
      try temporary.place(new.name, capabilities: capabilities)
      return info
    } catch let error as WorkspaceError {
      throw error
    } catch let error as SystemError {
      throw failure(error, new.path, cannot: action)
    } catch {
      throw WorkspaceError(.io, path: new.asked, "cannot \(action) \(quoted(new.asked)): \(error)")
    }
  }

  /// The place of a new file; throws `exists` when it is taken, be it by a link that leads nowhere.
  private func resolveFree(_ path: ProjectPath, cannot action: String) throws(WorkspaceError) -> Place {
    let place = try resolve(path, .keep, cannot: action, makingParents: true)
    guard place.status == nil else { throw .exists(path.string, cannot: action) }
    return place
  }

  private func failure(_ error: SystemError, _ path: ProjectPath, cannot action: String) -> WorkspaceError {
    error.number == EEXIST
      ? .exists(path.string, cannot: action) : WorkspaceError(error, path: path.string, cannot: action)
  }
}
