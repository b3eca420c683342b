import Glibc

extension Workspace {
  /// Opens a regular file for reading; nothing else is ever opened, so this does not wait on a pipe.
  ///
  /// Links inside the project are followed. Throws `notRegular` for directories, pipes and the like.
  package func open(_ path: ProjectPath) throws(WorkspaceError) -> OpenFile {
    if let overlaid { return try overlaid.open(path) }
    let action = "read"
    let (place, status) = try resolveExisting(path, cannot: action)
    try requireRegular(status, path, action)
    // It may be another file by now: no link is followed, a pipe does not block, and what was opened
    // is looked at again.
    let descriptor = try attempt(path, action) { () throws(SystemError) in
      try SystemCalls.open(
        place.name, in: place.directory, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
    }
    let file = OpenFile(descriptor, path: place.path)
    try requireRegular(try file.status(), path, action)
    return file
  }

  /// The whole content; throws `tooLarge` when there are more than `limit` bytes.
  package func read(_ path: ProjectPath, limit: Int) throws(WorkspaceError) -> [UInt8] {
    try open(path).readAll(limit: limit)
  }

  /// What is at this path; links inside the project are followed.
  package func info(_ path: ProjectPath) throws(WorkspaceError) -> FileInfo {
    if let overlaid { return try overlaid.info(path) }
    let (place, status) = try resolveExisting(path, cannot: "look at")
    return FileInfo(path: place.path, status: status)
  }

  /// Whether there is something; a link that leads nowhere counts as nothing.
  ///
  /// Throws where that cannot be known or must not be: `outside`, `protected`, `permission`.
  package func exists(_ path: ProjectPath) throws(WorkspaceError) -> Bool {
    if let overlaid { return try overlaid.exists(path) }
    do {
      return try resolve(path, cannot: "look at").status != nil
    } catch {
      if error.code == .notFound || error.code == .notDirectory { return false }
      throw error
    }
  }

  /// The names in a directory, sorted by their bytes; without what is never seen.
  ///
  /// They are all in memory at once: for trees of unknown size there is `walk`.
  package func list(_ path: ProjectPath = .root) throws(WorkspaceError) -> DirectoryListing {
    if let overlaid { return try overlaid.list(path) }
    let action = "list"
    let (directory, place) = try openDirectory(path, cannot: action)
    let state = stateIdentity()
    var listing = DirectoryListing(entries: [], problems: [])
    do {
      let stream = try DirectoryStream(directory)
      while let entry = try stream.next() {
        guard let name = entry.text else {
          listing.problems.append(.notUTF8(joined(place.path, repaired(entry.name))))
          continue
        }
        guard !Self.isProtected(name) else { continue }
        do throws(SystemError) {
          let (kind, identity) = try entry.look(in: directory, state: state)
          if identity != nil && identity == state { continue }
          listing.entries.append(DirectoryEntry(name: name, kind: kind))
        } catch  where error.number != ENOENT {
          listing.problems.append(
            WorkspaceError(error, path: joined(place.path, name), cannot: "look at"))
        } catch {
          // Removed since it was listed.
        }
      }
    } catch {
      throw WorkspaceError(error, path: path.string, cannot: action)
    }
    listing.entries.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    return listing
  }

  /// A directory to stand on, looked at again after it was opened.
  func openDirectory(
    _ path: ProjectPath, cannot action: String
  ) throws(WorkspaceError) -> (Descriptor, Place) {
    let (place, status) = try resolveExisting(path, cannot: action)
    let kind = FileKind(mode: status.st_mode)
    guard kind == .directory else { throw .notDirectory(path.string, kind, cannot: action) }
    let identity: FileIdentity
    let directory: Descriptor
    do {
      directory = try SystemCalls.open(place.name, in: place.directory, SystemCalls.directory)
      identity = FileIdentity(try SystemCalls.status(of: directory))
    } catch {
      throw WorkspaceError(error, path: path.string, cannot: action)
    }
    guard identity != stateIdentity() else { throw .protected(path.string) }
    return (directory, place)
  }

  func requireRegular(_ status: stat, _ path: ProjectPath, _ action: String) throws(WorkspaceError) {
    let kind = FileKind(mode: status.st_mode)
    guard kind == .file else { throw .notRegular(path.string, kind, cannot: action) }
  }

  /// A name below a path as text, also for names that no `ProjectPath` can hold.
  func joined(_ path: ProjectPath, _ name: String) -> String {
    path.isRoot ? name : path.string + "/" + name
  }
}
