import FileSessions
import Ingestion
import LuaHost
import LuaLibrary

extension LuaRecipe {
  package func completed(_ file: SettledFile, session: FileSession) async throws(Failure) -> AfterAction? {
    let handle = SessionHandle(session, context: context, isOfJob: true)
    return try await action(\.completed, .completed, file) { arguments in arguments.push(handle.object) }
  }

  package func status(_ file: SettledFile, session: FileSession) async throws(Failure) {
    let handle = SessionHandle(session, context: context, isOfJob: true)
    _ = try await action(\.observing, .status, file) { arguments in arguments.push(handle.object) }
  }

  package func failed(_ file: SettledFile, failure: Failure) async throws(Failure) -> AfterAction? {
    try await action(\.failed, .failed, file) { arguments in
      try arguments.pushTable(fields: 9) { table in
        try table.set("kind", failure.kind.rawValue)
        try table.set("message", failure.message)
        table.set("tries", failure.tries ?? 1)
        if let handler = failure.handler { try table.set("handler", handler) }
        if let status = failure.status { table.set("status", status) }
        if let type = failure.type { try table.set("type", type) }
        if let code = failure.code { try table.set("code", code) }
        if let param = failure.param { try table.set("param", param) }
        if let requestID = failure.requestID { try table.set("request_id", requestID) }
      }
    }
  }

  /// Runs a handler of a settled file.
  ///
  /// When it runs out of memory it is run once more, alone in a new state, so that it is not blamed for what
  /// others hold; but not once it has waited for the host, since it may have done something by then.
  private func action(
    _ rule: KeyPath<RecipePlan, Rule<AfterAction>> & Sendable, _ key: RecipeKey, _ settled: SettledFile,
    _ second: @escaping @Sendable (inout LuaArguments) throws -> Void
  ) async throws(Failure) -> AfterAction? {
    let state = states.current
    let waited = Flag()
    var fault: HandlerFault
    do throws(HandlerFault) {
      return try await action(rule, key, settled, in: state, waited, second)
    } catch {
      // What it would want of the file is not known.
      if case .unknown = error { return nil }
      fault = error
    }
    if case .outOfMemory = fault, !waited.isRaised, let fresh = try? await origin.makeState() {
      do throws(HandlerFault) {
        let action = try await action(rule, key, settled, in: fresh, waited, second)
        states.replace(state, with: fresh)
        return action
      } catch {
        fault = error
      }
    }
    // What was stopped may have left the state full.
    if case .outOfMemory = fault, let fresh = try? await origin.makeState() {
      states.replace(state, with: fresh)
    }
    let failure = failure(of: fault, in: call(key))
    note(failure)
    throw failure
  }

  private func action(
    _ rule: KeyPath<RecipePlan, Rule<AfterAction>>, _ key: RecipeKey, _ settled: SettledFile,
    in state: RecipeState, _ waited: Flag,
    _ second: @escaping @Sendable (inout LuaArguments) throws -> Void
  ) async throws(HandlerFault) -> AfterAction? {
    let function: LuaFunction
    switch state.plan[keyPath: rule] {
    case .absent, .verdict: return nil
    case .constant(let action): return action
    case .function(let handler): function = handler
    }
    let file = RecipeFile(settled, context: context, helpers: state.helpers, once: once)
    let object = file.object
    let calls = jobCalls(of: settled)
    let value: LuaValue
    let begin = beginning
    do {
      value = try await JobCalls.$current.withValue(calls) {
        try await state.script.visit { script in
          var value = LuaValue.nil
          let pending = try script.start(
            function, label: key.rawValue,
            arguments: {
              $0.push(object)
              try second(&$0)
            }, results: { value = try $0.value(1) })
          guard let pending else { return value }
          waited.raise()
          return try await script.finish(pending, results: { try $0.value(1) })
        }
      }
    } catch {
      try requireKnown(key, file, calls)
      let fault = call(key, file).fault(error)
      observe(key, since: begin, fault)
      throw fault
    }
    observe(key, since: begin)
    try requireKnown(key, file, calls)
    note(nil)
    // What an observer returns means nothing.
    if value.isNil || key == .status { return nil }
    return try checked(key, file) { () throws(WrongValue) in
      try Values.action(value, key, wanted: key.wanted.answer, in: context.workspace)
    }
  }

  package func summary(_ summary: RunSummary) async throws(Failure) {
    let state = states.current
    guard let function = state.plan.summary else { return }
    do {
      try await state.script.call(
        function, label: RecipeKey.summary.rawValue,
        arguments: { arguments in
          try arguments.pushTable(fields: 14) { table in
            table.set("found", summary.found)
            table.set("sent", summary.sent)
            table.set("already_done", summary.alreadyDone)
            table.set("touched", summary.touched)
            table.set("skipped", summary.skipped)
            table.set("deferred", summary.deferred)
            table.set("waiting", summary.waiting)
            table.set("rejected", summary.rejected)
            table.set("failed", summary.failed)
            table.set("steps_failed", summary.stepsFailed)
            table.set("problems", summary.problems)
            table.set("left", summary.left)
            table.set("bytes", summary.bytes)
            table.set("seconds", summary.duration.inSeconds)
          }
        }, results: { _ in })
    } catch {
      if let planning = context.planning, let point = (error as? LuaError)?.underlying as? UnknownPoint {
        return planning.unknown(point, RecipeKey.summary.rawValue, nil)
      }
      throw failure(of: error, in: call(.summary))
    }
  }

  /// The failure that an error of a handler is.
  func failure(of error: any Error, in call: HandlerCall) -> Failure {
    switch (error as? HandlerFault) ?? call.fault(error) {
    case .failure(let failure), .outOfMemory(let failure): failure
    case .cancelled:
      Failure(.script, "\(call.handler.rawValue) was stopped with the run", handler: call.handler.rawValue)
    case .unknown(let point): Failure(.script, point.description, handler: call.handler.rawValue)
    }
  }
}
