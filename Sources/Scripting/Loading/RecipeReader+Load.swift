import Ingestion
import LuaHost

extension RecipeReader {
  /// `concurrency`: how many of the recipe's files are under way at once.
  func concurrency() throws(ScriptError) -> Int? {
    guard let value = self[.concurrency] else { return nil }
    guard let number = value.integer, (1...256).contains(number) else {
      throw unwanted(.concurrency, value)
    }
    return Int(number)
  }

  /// `order`: in which its candidates are taken.
  func order() throws(ScriptError) -> CandidateOrder? {
    guard let value = self[.order] else { return nil }
    guard let order = value.text.flatMap(CandidateOrder.init(rawValue:)) else {
      throw unwanted(.order, value)
    }
    return order
  }
}
