import LuaHost

extension RecipeReader {
  /// `limits`: it may only lower what the person who runs the recipe allows.
  func limits(below ceiling: LuaLimits) throws(ScriptError) -> LuaLimits {
    guard let value = self[.limits] else { return ceiling }
    guard case .table(let table) = value else {
      throw wrong(.limits, "is \(described(value)); it takes \(RecipeKey.limits.wanted.value)")
    }
    do throws(WrongValue) {
      try Values.onlyKnown(
        table, LimitOption.Name.allCases.map(\.rawValue), wanted: RecipeKey.limits.wanted.value)
    } catch {
      throw wrong(.limits, "is \(error.problem)")
    }
    var limits = ceiling
    for name in LimitOption.Name.allCases {
      guard let value = table[name.rawValue] else { continue }
      let option: LimitOption
      do throws(LimitOption.Problem) {
        option = try LimitOption(name, value)
      } catch {
        throw ScriptError("`limits` has \(error.message)", key: name.rawValue, in: source)
      }
      guard option.isWithin(ceiling) else {
        throw ScriptError(
          "`limits` has \(name.rawValue) = \(option.amount), above the limit of \(name.amount(of: ceiling)); a "
            + "recipe can only lower it, `--limit \(name.rawValue)=\(option.amount)` raises it",
          key: name.rawValue, in: source)
      }
      option.apply(to: &limits)
    }
    return limits
  }
}
