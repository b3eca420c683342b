/// What is done with a file of which other content was sent before.
package enum ChangePolicy: String, CaseIterable, Sendable {
  /// The recipe is asked, and it is sent.
  case send
  /// It is skipped.
  case skip
  /// It is given up.
  case fail

  /// What stands for the recipe's answer; nil where the recipe is asked.
  var ruling: Ruling? {
    switch self {
    case .send: nil
    case .skip: .skip(reason: "it was sent before and has changed since (changed = \"skip\")")
    case .fail: .reject(reason: "It was sent before and has changed since (changed = \"fail\").")
    }
  }
}
