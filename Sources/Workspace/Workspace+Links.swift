import Glibc

extension Workspace {
  /// Where the link at this path leads, as it is written; nil where there is no link.
  ///
  /// Links on the way are followed. Of an overlay, the disk is asked.
  package func linkTarget(of path: ProjectPath) throws(WorkspaceError) -> String? {
    let action = "look at"
    let place = try resolve(path, .keep, cannot: action)
    guard place.kind == .link else { return nil }
    return try attempt(path, action) { () throws(SystemError) in
      let link = try SystemCalls.open(place.name, in: place.directory, SystemCalls.pathOnly)
      return repaired(try SystemCalls.target(of: link))
    }
  }
}
