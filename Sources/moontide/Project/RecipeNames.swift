import Synchronization

/// The names of the recipes that run side by side: files are recorded under them, so each is one recipe's.
final class RecipeNames: Sendable {
  private let names = Mutex<[String: String]>([:])

  /// Notes the name of a script's recipe, which may have changed.
  func claim(_ name: String, for script: String) throws(CommandFailure) {
    let holder = names.withLock { names -> String? in
      if let holder = names.first(where: { $0.value == name && $0.key != script })?.key { return holder }
      names[script] = name
      return nil
    }
    guard let holder else { return }
    throw CommandFailure(
      .script,
      "\(script) and \(holder) both have name = \"\(name)\", under which their files are recorded: give one of "
        + "them another.")
  }
}
