/// What one of several engines that share a ledger does about a request.
///
/// The record of a file that is under way is its engine's alone, so each does what concerns its own recipe. What
/// concerns recipes that do not run is done by the engine that was there first.
enum RequestDuty: Hashable, Sendable {
  /// It does it.
  case perform
  /// It puts these in the request's place, one for each of the engines and one for the rest.
  case split([JobSelection])
  /// Another one does it.
  case leave

  /// - Parameters:
  ///   - recipes: those of all engines, `own` among them.
  ///   - isFirst: whether this engine was there before the others.
  init(of selection: JobSelection, for own: String?, among recipes: Set<String>, isFirst: Bool) {
    if recipes.count <= 1 {
      self = .perform
    } else if let recipe = selection.recipe {
      self = recipe == own || (isFirst && !recipes.contains(recipe)) ? .perform : .leave
    } else {
      let apart = recipes.subtracting(selection.otherThan ?? []).sorted()
      guard !apart.isEmpty else {
        self = isFirst ? .perform : .leave
        return
      }
      let parts = apart.map { recipe in
        var part = selection
        part.recipe = recipe
        part.otherThan = nil
        return part
      }
      var rest = selection
      rest.otherThan = ((selection.otherThan ?? []) + apart).sorted()
      self = .split(parts + [rest])
    }
  }
}
