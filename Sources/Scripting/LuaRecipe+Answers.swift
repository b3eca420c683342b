import Ingestion
import LuaHost
import LuaLibrary

/// What came of a key.
enum Answer<Value: Sendable>: Sendable {
  /// The recipe's constant.
  case value(Value)
  case verdict(Verdict)
  /// What a function returned, to be checked; nil when it returned nothing at all.
  case other(LuaValue?)
}

extension LuaRecipe {
  /// Takes a key's constant, or asks its function; nil when the recipe does not have the key.
  func answer<Value>(
    _ rule: Rule<Value>, _ key: RecipeKey, _ file: RecipeFile, _ object: LuaObject,
    _ script: isolated LuaScript
  ) async throws(HandlerFault) -> Answer<Value>? {
    switch rule {
    case .absent: return nil
    case .constant(let value): return .value(value)
    case .verdict(let verdict): return .verdict(verdict)
    case .function(let function):
      let value: LuaValue?
      let begin = beginning
      do {
        // Only the first result counts: gsub's second one is no mistake.
        value = try await script.call(
          function, label: key.rawValue, arguments: { $0.push(object) },
          results: { $0.count == 0 ? LuaValue?.none : try $0.value(1) })
      } catch {
        try requireKnown(key, file)
        let fault = call(key, file).fault(error)
        observe(key, since: begin, fault)
        throw fault
      }
      observe(key, since: begin)
      try requireKnown(key, file)
      if let verdict = value?.object(as: Verdict.self) { return .verdict(verdict) }
      if Value.self == Bool.self, let flag = value?.boolean as? Value { return .value(flag) }
      return .other(value)
    }
  }

  /// Ends a handler of a dry run that reached for what cannot be known, whatever it made of that.
  func requireKnown(
    _ key: RecipeKey, _ file: RecipeFile, _ calls: JobCalls? = .current
  ) throws(HandlerFault) {
    guard let planning = context.planning, let point = calls?.unknown else { return }
    planning.unknown(point, key.rawValue, file.path)
    throw .unknown(point)
  }

  /// The same check for what a handler returned, with the handler's name in the error.
  func checked<Value>(
    _ key: RecipeKey, _ file: RecipeFile, _ check: () throws(WrongValue) -> Value
  ) throws(HandlerFault) -> Value {
    do throws(WrongValue) {
      return try check()
    } catch {
      throw call(key, file).fault(returning: error)
    }
  }

  /// The fault of a handler whose answer is of no use.
  func wrong(_ key: RecipeKey, _ value: LuaValue?, _ file: RecipeFile) -> HandlerFault {
    let wanted = key.wanted.answer
    let problem = value.map { WrongValue($0, wanted: wanted) } ?? WrongValue("nothing; it takes \(wanted)")
    return call(key, file).fault(returning: problem)
  }

  /// What a verdict rules, and which handler gave it where.
  func ruling(_ verdict: Verdict, _ key: RecipeKey, _ state: RecipeState) -> Ruling {
    let place = verdict.place.map { "\(key.rawValue) (\($0.chunk):\($0.line))" }
    return verdict.ruling(by: place ?? state.plan.deciders[key] ?? key.rawValue)
  }

  func call(_ key: RecipeKey, _ file: RecipeFile? = nil) -> HandlerCall {
    HandlerCall(
      handler: key, path: file?.path, source: source, definition: states.current.plan.definitions[key])
  }
}
