/// What an overlay has at a path at some moment.
package struct OverlaidState: Sendable {
  fileprivate let place: ProjectPath
  fileprivate let node: Overlay.Node?
}

extension Workspace {
  /// What the overlay has at a path; nil without an overlay, and where there is nothing.
  package func overlaidState(of path: ProjectPath) -> OverlaidState? {
    guard let overlaid, let sight = try? overlaid.find(path, .keep, cannot: "look at") else { return nil }
    switch sight {
    case .disk(let place, _): return OverlaidState(place: overlaid.place(of: place.path), node: nil)
    case .node(let path, let node): return OverlaidState(place: overlaid.place(of: path), node: node)
    case .free: return nil
    }
  }

  /// Has the overlay show again at a path what was there; nothing is noted as a change.
  package func putBack(_ state: OverlaidState?) {
    if let state { overlaid?.overlay.restore(state.place, state.node) }
  }
}
