import Synchronization

/// The state that a recipe's calls begin in, and those that it left behind.
final class RecipeStates: Sendable {
  private struct Retired {
    weak var state: RecipeState?
  }

  private struct States {
    var current: RecipeState
    var retired: [Retired] = []
    var isClosed = false
  }

  private let states: Mutex<States>

  init(_ first: RecipeState) {
    states = Mutex(States(current: first))
  }

  /// Where new calls begin.
  var current: RecipeState { states.withLock { $0.current } }

  /// Has new calls begin in another state, unless somebody else saw to that already.
  func replace(_ old: RecipeState, with new: RecipeState) {
    states.withLock { states in
      guard states.current === old, !states.isClosed else { return }
      states.retired.removeAll { $0.state == nil }
      states.retired.append(Retired(state: old))
      states.current = new
    }
  }

  /// Ends all states; handlers that wait are cancelled.
  func close() async {
    let open = states.withLock { states in
      states.isClosed = true
      return [states.current] + states.retired.compactMap(\.state)
    }
    for state in open { await state.script.close() }
  }
}
