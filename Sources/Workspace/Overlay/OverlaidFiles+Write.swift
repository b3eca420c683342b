import Glibc

extension OverlaidFiles {
  func write(_ path: ProjectPath, _ bytes: [UInt8]) throws(WorkspaceError) -> FileInfo {
    let action = "write"
    let target: ProjectPath
    var mode: UInt32 = 0o666
    switch try find(path, cannot: action, makingParents: true) {
    case .disk(let place, let status):
      try real.requireRegular(status, path, action)
      target = place.path
      mode = UInt32(status.st_mode & 0o7777)
    case .node(let place, .file(_, _, let bits)): (target, mode) = (place, bits)
    case .node: throw .notRegular(path.string, .directory, cannot: action)
    case .free(let place): target = place
    }
    try makeParents(of: target, path, cannot: action)
    note(.write(shown(target)))
    return put(target, .bytes(bytes), overlay.stamp(size: bytes.count), mode)
  }

  func makeDirectory(_ path: ProjectPath) throws(WorkspaceError) -> FileInfo {
    let action = "make the directory"
    switch try find(path, cannot: action, makingParents: true) {
    case .disk(let place, let status):
      guard FileKind(mode: status.st_mode) == .directory else { throw .exists(path.string, cannot: action) }
      return FileInfo(path: place.path, status: status)
    case .node(let place, .directory(let stamp)):
      return FileInfo(path: place, kind: .directory, stamp: stamp, mode: 0o777)
    case .node: throw .exists(path.string, cannot: action)
    case .free(let place):
      try makeParents(of: place, path, cannot: action)
      let stamp = overlay.stamp(size: 0)
      overlay.set(self.place(of: place), .directory(stamp))
      note(.makeDirectory(shown(place)))
      return FileInfo(path: place, kind: .directory, stamp: stamp, mode: 0o777)
    }
  }

  func remove(_ path: ProjectPath) throws(WorkspaceError) {
    let action = "remove"
    let target: ProjectPath
    switch try findExisting(path, .keep, cannot: action) {
    case .disk(let place, let status):
      if FileKind(mode: status.st_mode) != .link { try real.requireRegular(status, path, action) }
      target = place.path
    case .node(let place, .file): target = place
    case .node, .free: throw .notRegular(path.string, .directory, cannot: action)
    }
    try requireWritable(target, path, cannot: action)
    overlay.set(place(of: target), .removed)
    note(.remove(shown(target)))
  }

  /// - Parameter other: where `target` is, over the same overlay.
  func move(
    from source: ProjectPath, to target: ProjectPath, in other: OverlaidFiles
  ) throws(WorkspaceError) -> FileInfo {
    let (old, content, stamp, mode) = try file(source, .keep, cannot: "move")
    let new = try other.free(target, cannot: "move \(quoted(source.string)) to")
    try requireWritable(old, source, cannot: "move")
    overlay.set(place(of: old), .removed)
    (isEnclosed ? other : self).note(.move(from: shown(old), to: other.shown(new)))
    return other.put(new, content, stamp, mode)
  }

  /// - Parameter other: where `target` is, over the same overlay.
  func copy(
    from source: ProjectPath, to target: ProjectPath, in other: OverlaidFiles
  ) throws(WorkspaceError) -> FileInfo {
    let action = "copy \(quoted(source.string)) to"
    let (old, content, stamp, mode) = try file(source, cannot: action)
    let new = try other.free(target, cannot: action)
    other.note(.copy(from: shown(old), to: other.shown(new)))
    return other.put(new, content, overlay.stamp(size: Int(stamp.size), modified: stamp.modified), mode)
  }

  private func put(
    _ path: ProjectPath, _ content: Overlay.Content, _ stamp: FileStamp, _ mode: UInt32
  ) -> FileInfo {
    overlay.set(place(of: path), .file(content, stamp, mode: mode))
    return FileInfo(path: path, kind: .file, stamp: stamp, mode: mode)
  }

  /// The place of a new file, its directories made; throws `exists` when it is taken.
  private func free(_ path: ProjectPath, cannot action: String) throws(WorkspaceError) -> ProjectPath {
    guard case .free(let place) = try find(path, .keep, cannot: action, makingParents: true) else {
      throw .exists(path.string, cannot: action)
    }
    try makeParents(of: place, path, cannot: action)
    return place
  }

  /// Makes the directories on the way that are missing. The one on the disk that they begin in has to be writable.
  private func makeParents(
    of path: ProjectPath, _ asked: ProjectPath, cannot action: String
  ) throws(WorkspaceError) {
    var missing: [ProjectPath] = []
    var directory = path.parent
    while let next = directory {
      if case .directory? = overlay[place(of: next)] { break }
      let found = try? real.resolve(next, cannot: action)
      if let found, let kind = found.kind {
        guard kind == .directory else { throw .notDirectory(next.string, kind, cannot: action) }
        try requireWritable(found, asked, cannot: action)
        break
      }
      if case .file? = overlay[place(of: next)] { throw .notDirectory(next.string, .file, cannot: action) }
      missing.append(next)
      directory = next.parent
    }
    for directory in missing.reversed() {
      overlay.set(place(of: directory), .directory(overlay.stamp(size: 0)))
    }
  }

  /// Throws when the names of the directory that a path is in may not be changed.
  private func requireWritable(
    _ path: ProjectPath, _ asked: ProjectPath, cannot action: String
  ) throws(WorkspaceError) {
    guard let parent = path.parent, let place = try? real.resolve(parent, cannot: action), place.status != nil
    else { return }
    try requireWritable(place, asked, cannot: action)
  }

  private func requireWritable(
    _ directory: Place, _ asked: ProjectPath, cannot action: String
  ) throws(WorkspaceError) {
    try real.attempt(asked, action) { () throws(SystemError) in
      _ = try SystemCalls.check {
        faccessat(directory.directory.number, directory.name, W_OK | X_OK, AT_EACCESS)
      }
    }
  }
}
