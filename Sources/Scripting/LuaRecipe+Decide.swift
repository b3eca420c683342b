import FileSessions
import Ingestion
import LuaHost
import LuaLibrary

extension LuaRecipe {
  /// One visit to the script for all candidates. Each is decided by itself: while the handlers of one wait,
  /// the others go on.
  package func decide(_ candidates: [Candidate]) async -> [Ruling] {
    await script.visit { script in
      guard plan.asksScript else {
        var rulings: [Ruling] = []
        for candidate in candidates { rulings.append(await self.rule(on: candidate, script)) }
        return rulings
      }
      return await withTaskGroup(of: (Int, Ruling).self) { group in
        for (index, candidate) in candidates.enumerated() {
          group.addImmediateTask {
            (index, await self.rule(on: candidate, script))
          }
        }
        var rulings = [Ruling?](repeating: nil, count: candidates.count)
        for await (index, ruling) in group { rulings[index] = ruling }
        return rulings.map { $0 ?? .unasked }
      }
    }
  }

  private func rule(on candidate: Candidate, _ script: isolated LuaScript) async -> Ruling {
    guard quarantine == nil else { return .unasked }
    let file = RecipeFile(candidate, context: context, lines: lines)
    do throws(HandlerFault) {
      let ruling =
        plan.decide.isAbsent
        ? try await handlers(candidate, file, script) : try await decision(candidate, file, script)
      note(nil)
      return ruling
    } catch {
      switch error {
      case .failure(let failure):
        note(failure)
        return .fault(failure)
      case .cancelled: return .unasked
      }
    }
  }

  /// `accept`, `rename`, `mime_type`, `purpose`: the first refusal ends it.
  private func handlers(
    _ candidate: Candidate, _ file: RecipeFile, _ script: isolated LuaScript
  ) async throws(HandlerFault) -> Ruling {
    let object = file.object
    var wishes = Wishes()

    switch try await answer(plan.accept, .accept, file, object, script) {
    case nil, .value(true)?: break
    case .value(false)?: return .skip(reason: "not accepted")
    case .verdict(let verdict)?: return verdict.ruling
    case .other(let value)?: throw wrong(.accept, value, file)
    }
    switch try await answer(plan.rename, .rename, file, object, script) {
    case nil: break
    case .value(let template)?: wishes.filename = try filled(template, .rename, file)
    case .verdict(let verdict)?: return verdict.ruling
    case .other(let value)?:
      guard let value else { throw wrong(.rename, value, file) }
      wishes.filename = try checked(.rename, file) { () throws(WrongValue) in
        try Values.filename(Values.text(value, wanted: RecipeKey.rename.wanted.answer))
      }
    }
    switch try await answer(plan.mimeType, .mimeType, file, object, script) {
    case nil, .other(nil)?, .other(.nil)?: break
    case .value(let type)?: wishes.mimeType = type
    case .verdict(let verdict)?: return verdict.ruling
    case .other(let value?)?:
      wishes.mimeType = try checked(.mimeType, file) { () throws(WrongValue) in
        try Values.mimeType(value, wanted: RecipeKey.mimeType.wanted.answer)
      }
    }
    switch try await answer(plan.purpose, .purpose, file, object, script) {
    case nil, .other(nil)?, .other(.nil)?: break
    case .value(let purpose)?: wishes.purpose = Purpose(rawValue: purpose)
    case .verdict(let verdict)?: return verdict.ruling
    case .other(let value?)?:
      wishes.purpose = try checked(.purpose, file) { () throws(WrongValue) in
        Purpose(rawValue: try Values.purpose(value, wanted: RecipeKey.purpose.wanted.answer))
      }
    }
    return .send(wishes)
  }

  private func decision(
    _ candidate: Candidate, _ file: RecipeFile, _ script: isolated LuaScript
  ) async throws(HandlerFault) -> Ruling {
    switch try await answer(plan.decide, .decide, file, file.object, script) {
    case nil: return .send(Wishes())
    case .verdict(let verdict)?: return verdict.ruling
    case .value(let decision)?:
      return .send(
        Wishes(
          filename: try decision.filename.map { template throws(HandlerFault) in
            try filled(template, .decide, file)
          }, mimeType: decision.mimeType,
          purpose: decision.purpose.map(Purpose.init(rawValue:))))
    case .other(let value)?:
      return try checked(.decide, file) { () throws(WrongValue) in try Self.wishes(value) }
    }
  }

  /// What a table that `decide` returned asks for.
  private static func wishes(_ value: LuaValue?) throws(WrongValue) -> Ruling {
    let wanted = RecipeKey.decide.wanted.answer
    guard let value else { throw WrongValue("nothing; it takes \(wanted)") }
    guard case .table(let table) = value else { throw WrongValue(value, wanted: wanted) }
    try Values.onlyKnown(table, ["filename", "mime_type", "purpose"], wanted: wanted)
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
    return .send(wishes)
  }

  private func filled(
    _ template: FilenameTemplate, _ key: RecipeKey, _ file: RecipeFile
  ) throws(HandlerFault) -> String {
    try checked(key, file) { () throws(WrongValue) in
      try Values.filename(template.filename(path: file.path, relative: file.relative, stamp: file.stamp))
    }
  }
}
