import FileSessions
import Ingestion
import LuaHost
import LuaLibrary

extension LuaRecipe {
  package func completed(_ file: SettledFile, session: FileSession) async throws(Failure) -> AfterAction? {
    let handle = SessionHandle(session, context: context, isOfJob: true)
    return try await action(plan.completed, .completed, file) { arguments in arguments.push(handle.object) }
  }

  package func failed(_ file: SettledFile, failure: Failure) async throws(Failure) -> AfterAction? {
    try await action(plan.failed, .failed, file) { arguments in
      try arguments.pushTable(fields: 6) { table in
        try table.set("kind", failure.kind.rawValue)
        try table.set("message", failure.message)
        if let handler = failure.handler { try table.set("handler", handler) }
        if let status = failure.status { table.set("status", status) }
        if let code = failure.code { try table.set("code", code) }
        if let param = failure.param { try table.set("param", param) }
      }
    }
  }

  private func action(
    _ rule: Rule<AfterAction>, _ key: RecipeKey, _ settled: SettledFile,
    _ second: @escaping @Sendable (inout LuaArguments) throws -> Void
  ) async throws(Failure) -> AfterAction? {
    let function: LuaFunction
    switch rule {
    case .absent, .verdict: return nil
    case .constant(let action): return action
    case .function(let handler): function = handler
    }
    let file = RecipeFile(settled, context: context, lines: lines)
    let object = file.object
    do {
      let value = try await script.call(
        function, label: key.rawValue,
        arguments: {
          $0.push(object)
          try second(&$0)
        }, results: { try $0.value(1) })
      note(nil)
      if value.isNil { return nil }
      return try checked(key, file) { () throws(WrongValue) in
        try Values.action(value, wanted: key.wanted.answer, in: context.workspace)
      }
    } catch {
      let failure = failure(of: error, in: call(key, file))
      note(failure)
      throw failure
    }
  }

  package func summary(_ summary: RunSummary) async throws(Failure) {
    guard let function = plan.summary else { return }
    do {
      try await script.call(
        function, label: RecipeKey.summary.rawValue,
        arguments: { arguments in
          try arguments.pushTable(fields: 12) { table in
            table.set("found", summary.found)
            table.set("sent", summary.sent)
            table.set("already_done", summary.alreadyDone)
            table.set("touched", summary.touched)
            table.set("skipped", summary.skipped)
            table.set("deferred", summary.deferred)
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
      throw failure(of: error, in: call(.summary))
    }
  }

  /// The failure that an error of a handler is.
  func failure(of error: any Error, in call: HandlerCall) -> Failure {
    switch (error as? HandlerFault) ?? call.fault(error) {
    case .failure(let failure): failure
    case .cancelled:
      Failure(.script, "\(call.handler.rawValue) was stopped with the run", handler: call.handler.rawValue)
    }
  }
}
