import Glibc

extension Workspace {
  /// Removes the unfinished files that a crash left in a directory; tells how many there were.
  ///
  /// Those of processes that still run stay: neither is the process of the name there, nor does anybody hold the lock, as
  /// one in another container may that shares the directory. A directory that is gone has none.
  @discardableResult
  package func sweepUnfinished(in directory: ProjectPath) throws(WorkspaceError) -> Int {
    guard overlaid == nil, try exists(directory) else { return 0 }
    let (directory, _) = try openDirectory(directory, cannot: "sweep")
    var count = 0
    do {
      let stream = try DirectoryStream(directory)
      while let entry = try stream.next() {
        guard let name = entry.text, let process = TemporaryFile.process(of: name), process != getpid(),
          kill(process, 0) != 0, errno == ESRCH,
          let file = try? SystemCalls.open(name, in: directory, O_RDONLY | O_NOFOLLOW | O_NONBLOCK),
          flock(file.number, LOCK_EX | LOCK_NB) == 0
        else { continue }
        if unlinkat(directory.number, name, 0) == 0 { count += 1 }
      }
    } catch {
      throw WorkspaceError(error, path: ".", cannot: "sweep")
    }
    return count
  }
}
