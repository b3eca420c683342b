import Glibc

extension Workspace {
  /// Writes a whole file: afterwards, and after a crash, it has the old content or the new one.
  ///
  /// Directories on the way are made. An existing file keeps its permission bits; through a link inside
  /// the project, the file that it leads to is written.
  @discardableResult
  package func write(_ path: ProjectPath, _ bytes: some Sequence<UInt8>) throws(WorkspaceError) -> FileInfo {
    if let overlaid { return try overlaid.write(path, Array(bytes)) }
    let action = "write"
    let place = try resolve(path, cannot: action, makingParents: true)
    if let status = place.status { try requireRegular(status, path, action) }
    let content = ContiguousArray(bytes)
    return try attempt(path, action) { () throws(SystemError) in
      let file = try TemporaryFile(in: place.directory, mode: 0o666)
      if let status = place.status { try file.copyOwnerAndMode(of: status) }
      var failure: SystemError?
      content.withUnsafeBytes { bytes in
        do throws(SystemError) { try file.write(bytes) } catch { failure = error }
      }
      if let failure { throw failure }
      try file.synchronize()
      let info = FileInfo(path: place.path, status: try file.status())
      try file.replace(place.name)
      return info
    }
  }

  /// Makes a directory and those on the way to it; one that is there already is fine.
  @discardableResult
  package func makeDirectory(_ path: ProjectPath) throws(WorkspaceError) -> FileInfo {
    if let overlaid { return try overlaid.makeDirectory(path) }
    let action = "make the directory"
    let place = try resolve(path, cannot: action, makingParents: true)
    let status = try attempt(path, action) { () throws(SystemError) in
      if let status = place.status { return status }
      do throws(SystemError) {
        try SystemCalls.check { mkdirat(place.directory.number, place.name, 0o777) }
      } catch  where error.number == EEXIST {
        // Made at the same time by someone else.
      }
      return try SystemCalls.status(of: place.name, in: place.directory)
    }
    guard FileKind(mode: status.st_mode) == .directory else { throw .exists(path.string, cannot: action) }
    return FileInfo(path: place.path, status: status)
  }

  /// Removes a file, or a link itself; never a directory.
  package func remove(_ path: ProjectPath) throws(WorkspaceError) {
    if let overlaid { return try overlaid.remove(path) }
    let action = "remove"
    let (place, status) = try resolveExisting(path, .keep, cannot: action)
    if FileKind(mode: status.st_mode) != .link { try requireRegular(status, path, action) }
    try attempt(path, action) { () throws(SystemError) in
      _ = try SystemCalls.check { unlinkat(place.directory.number, place.name, 0) }
    }
  }

  func attempt<Result>(
    _ path: ProjectPath, _ action: String, _ body: () throws(SystemError) -> Result
  ) throws(WorkspaceError) -> Result {
    do throws(SystemError) { return try body() } catch {
      throw WorkspaceError(error, path: path.string, cannot: action)
    }
  }
}
