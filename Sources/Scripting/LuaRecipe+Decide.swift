import FileSessions
import Ingestion
import LuaHost
import LuaLibrary
import Synchronization
import Workspace

extension LuaRecipe {
  /// One visit to the script for all candidates. Each is decided by itself: while the handlers of one wait,
  /// the others go on.
  ///
  /// When a call runs out of memory those that were under way are decided once more, one at a time, so that
  /// only the one at fault is blamed.
  package func decide(_ candidates: [Candidate], each: @escaping @Sendable (Int, Ruling) -> Void) async {
    var batch = DecidedBatch(candidates, each: each)
    while !batch.undecided.isEmpty {
      let state = states.current
      let suspects = await together(&batch, in: state)
      if Task.isCancelled || quarantine != nil { break }
      if !suspects.isEmpty { await alone(suspects, &batch, instead: state) }
    }
    batch.leaveTheRest()
  }

  package func decide(_ candidates: [Candidate]) async -> [Ruling] {
    let rulings = Mutex([Ruling](repeating: .unasked, count: candidates.count))
    await decide(candidates) { index, ruling in rulings.withLock { $0[index] = ruling } }
    return rulings.withLock { $0 }
  }

  /// Decides what is undecided until a call runs out of memory.
  ///
  /// - Returns: The candidates that were under way then, which may be at fault and may not.
  private func together(_ batch: inout DecidedBatch, in state: RecipeState) async -> [Int] {
    let (candidates, undecided, each) = (batch.candidates, batch.undecided, batch.each)
    let outcomes = await state.script.visit { script in
      guard state.plan.asksScript else {
        var outcomes: [(Int, Outcome)] = []
        for index in undecided {
          let outcome = await outcome(of: candidates[index], in: state, script)
          if case .ruling(let ruling) = outcome { each(index, ruling) }
          outcomes.append((index, outcome))
        }
        return outcomes
      }
      return await withTaskGroup(of: (Int, Outcome).self) { group in
        let memory = Flag()
        for index in undecided {
          if memory.isRaised { break }
          group.addImmediateTask {
            let outcome = await JobCalls.$current.withValue(self.jobCalls(of: candidates[index])) {
              await self.outcome(of: candidates[index], in: state, script)
            }
            switch outcome {
            case .outOfMemory: memory.raise()
            // An error of one that shared the memory may be for want of it.
            case .ruling(.fault) where memory.isRaised: return (index, .cancelled)
            case .ruling(let ruling): each(index, ruling)
            case .cancelled: break
            }
            return (index, outcome)
          }
        }
        var outcomes: [(Int, Outcome)] = []
        if memory.isRaised { group.cancelAll() }
        for await outcome in group {
          outcomes.append(outcome)
          if memory.isRaised { group.cancelAll() }
        }
        return outcomes
      }
    }
    return batch.take(outcomes)
  }

  /// Decides each by itself in a state in which nothing ran out of memory, and blames it if that happens then.
  private func alone(_ suspects: [Int], _ batch: inout DecidedBatch, instead old: RecipeState) async {
    var good: RecipeState?
    for index in suspects {
      guard !Task.isCancelled, quarantine == nil else { return }
      do throws(ScriptError) {
        let state = if let good { good } else { try await origin.makeState() }
        good = state
        let candidate = batch.candidates[index]
        let outcome = await JobCalls.$current.withValue(jobCalls(of: candidate)) {
          await state.script.visit { await self.outcome(of: candidate, in: state, $0) }
        }
        if case .outOfMemory(let failure) = outcome {
          good = nil
          note(failure)
        }
        batch.take(outcome, alone: index)
      } catch {
        batch.take(.ruling(.fault(unloadable(error))), alone: index)
      }
    }
    do throws(ScriptError) {
      let next = if let good { good } else { try await origin.makeState() }
      states.replace(old, with: next)
    } catch {
      for index in batch.undecided { batch.take(.ruling(.fault(unloadable(error))), alone: index) }
    }
  }

  private func unloadable(_ error: ScriptError) -> Failure {
    Failure(.script, "the recipe could not be loaded again after it ran out of memory: \(error.message)")
  }

  private func outcome(
    of candidate: Candidate, in state: RecipeState, _ script: isolated LuaScript
  ) async -> Outcome {
    guard quarantine == nil else { return .ruling(.unasked) }
    let file = RecipeFile(candidate, context: context, helpers: state.helpers, once: once)
    do throws(HandlerFault) {
      let ruling = try await ruling(file, state, script)
      note(nil)
      return .ruling(ruling)
    } catch {
      switch error {
      case .failure(let failure):
        note(failure)
        return .ruling(.fault(failure))
      case .outOfMemory(let failure): return .outOfMemory(failure)
      case .cancelled: return .cancelled
      case .unknown(let point):
        // Told already; what it says of the file here counts for nothing.
        note(nil)
        return .ruling(.skip(reason: point.description))
      }
    }
  }

  /// `accept` and `prepare`, then what is sent under which name; the first refusal ends it.
  private func ruling(
    _ file: RecipeFile, _ state: RecipeState, _ script: isolated LuaScript
  ) async throws(HandlerFault) -> Ruling {
    switch try await answer(state.plan.accept, .accept, file, file.object, script) {
    case nil, .value(true)?: break
    case .value(false)?: return .skip(reason: "not accepted", by: state.plan.deciders[.accept])
    case .verdict(let verdict)?: return ruling(verdict, .accept, state)
    case .other(let value)?: throw wrong(.accept, value, file)
    }
    guard let prepare = state.plan.prepare else { return try await wishes(of: file, state, script) }
    switch try await prepared(prepare, file, script) {
    case .verdict(let verdict): return ruling(verdict, .prepare, state)
    case .nothing: return try await wishes(of: file, state, script)
    case .file(let content):
      return try await wishes(of: sent(file, as: content, part: nil), state, script).sending(content)
    case .parts(let parts):
      var wanted: [PreparedPart] = []
      var (reason, decider): (String?, String?) = (nil, state.plan.deciders[.prepare])
      for (name, content) in parts {
        switch try await wishes(of: sent(file, as: content, part: name), state, script).sending(content) {
        case .send(let wishes): wanted.append(PreparedPart(name: name, wishes: wishes))
        case .skip(let why, let who): (reason, decider) = (why, who)
        case .reject(let reason, let who): return .reject(reason: "\(name): \(reason)", by: who)
        case let ruling: return ruling
        }
      }
      return wanted.isEmpty
        ? .skip(reason: reason ?? "prepare gave no files", by: decider) : .sendParts(wanted)
    }
  }

  private func sent(
    _ file: RecipeFile, as content: PreparedContent, part: String?
  ) throws(HandlerFault) -> RecipeFile {
    do throws(WorkspaceError) {
      return try RecipeFile(file, sentAs: content, part: part)
    } catch {
      throw .failure(Failure(.file, error.message))
    }
  }

  private func wishes(
    of file: RecipeFile, _ state: RecipeState, _ script: isolated LuaScript
  ) async throws(HandlerFault) -> Ruling {
    state.plan.decide.isAbsent
      ? try await handlers(file, state, script) : try await decision(file, state, script)
  }

  /// `rename`, `mime_type`, `purpose`.
  private func handlers(
    _ file: RecipeFile, _ state: RecipeState, _ script: isolated LuaScript
  ) async throws(HandlerFault) -> Ruling {
    let (plan, object) = (state.plan, file.object)
    var wishes = Wishes()

    switch try await answer(plan.rename, .rename, file, object, script) {
    case nil: break
    case .value(let template)?: wishes.filename = try filled(template, .rename, file)
    case .verdict(let verdict)?: return ruling(verdict, .rename, state)
    case .other(let value)?:
      guard let value else { throw wrong(.rename, value, file) }
      wishes.filename = try checked(.rename, file) { () throws(WrongValue) in
        try Values.filename(Values.text(value, wanted: RecipeKey.rename.wanted.answer))
      }
    }
    switch try await answer(plan.mimeType, .mimeType, file, object, script) {
    case nil, .other(nil)?, .other(.nil)?: break
    case .value(let type)?: wishes.mimeType = type
    case .verdict(let verdict)?: return ruling(verdict, .mimeType, state)
    case .other(let value?)?:
      wishes.mimeType = try checked(.mimeType, file) { () throws(WrongValue) in
        try Values.mimeType(value, wanted: RecipeKey.mimeType.wanted.answer)
      }
    }
    switch try await answer(plan.purpose, .purpose, file, object, script) {
    case nil, .other(nil)?, .other(.nil)?: break
    case .value(let purpose)?: wishes.purpose = Purpose(rawValue: purpose)
    case .verdict(let verdict)?: return ruling(verdict, .purpose, state)
    case .other(let value?)?:
      wishes.purpose = try checked(.purpose, file) { () throws(WrongValue) in
        Purpose(rawValue: try Values.purpose(value, wanted: RecipeKey.purpose.wanted.answer))
      }
    }
    return .send(wishes)
  }

  private func decision(
    _ file: RecipeFile, _ state: RecipeState, _ script: isolated LuaScript
  ) async throws(HandlerFault) -> Ruling {
    switch try await answer(state.plan.decide, .decide, file, file.object, script) {
    case nil: return .send(Wishes())
    case .verdict(let verdict)?: return ruling(verdict, .decide, state)
    case .value(let decision)?:
      return .send(
        Wishes(
          filename: try decision.filename.map { template throws(HandlerFault) in
            try filled(template, .decide, file)
          }, mimeType: decision.mimeType,
          purpose: decision.purpose.map(Purpose.init(rawValue:)), data: decision.data))
    case .other(let value)?:
      return try checked(.decide, file) { () throws(WrongValue) in try Self.wishes(value) }
    }
  }

  /// What a table that `decide` returned asks for.
  private static func wishes(_ value: LuaValue?) throws(WrongValue) -> Ruling {
    let wanted = RecipeKey.decide.wanted.answer
    guard let value else { throw WrongValue("nothing; it takes \(wanted)") }
    guard case .table(let table) = value else { throw WrongValue(value, wanted: wanted) }
    try Values.onlyKnown(table, Values.decisionFields, wanted: wanted)
    var wishes = Wishes()
    if let value = table["filename"] {
      wishes.filename = try Values.filename(Values.text(value, wanted: "a filename that is a string"))
    }
    if let value = table["mime_type"] {
      wishes.mimeType = try Values.mimeType(value, wanted: "a mime_type such as \"text/plain\"")
    }
    if let value = table["purpose"] {
      wishes.purpose = Purpose(
        rawValue: try Values.purpose(value, wanted: "a purpose such as \"knowledge_workspace\""))
    }
    wishes.data = try table["data"].map { value throws(WrongValue) in try Values.data(value) }
    return .send(wishes)
  }

  private func filled(
    _ template: FilenameTemplate, _ key: RecipeKey, _ file: RecipeFile
  ) throws(HandlerFault) -> String {
    try checked(key, file) { () throws(WrongValue) in
      let path = file.prepared?.path(beside: file.path) ?? file.path
      return try Values.filename(template.filename(path: path, relative: file.relative, stamp: file.stamp))
    }
  }
}
