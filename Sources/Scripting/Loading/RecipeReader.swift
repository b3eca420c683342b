import Ingestion
import LuaHost
import Workspace

/// Checks what a recipe's script returned and makes a plan of it.
struct RecipeReader {
  let source: ScriptSource
  let table: LuaTable
  let workspace: Workspace

  /// - Throws: `ScriptError` when the script returned something other than one table.
  init(_ returned: [LuaValue], of source: ScriptSource, in workspace: Workspace) throws(ScriptError) {
    guard let first = returned.first, case .table(let table) = first else {
      let what = returned.first.map { "returns \(described($0))" } ?? "returns nothing"
      throw ScriptError(
        "the recipe \(what); it has to end with a table: return { name = \"…\", discover = … }", in: source)
    }
    self.source = source
    self.table = table
    self.workspace = workspace
  }

  /// - Parameter ceiling: what the recipe may lower.
  func plan(below ceiling: LuaLimits) throws(ScriptError) -> RecipePlan {
    try refuseUnknownKeys()
    var plan = RecipePlan(name: try name(), discover: try discover(), limits: try limits(below: ceiling))
    plan.accept = try rule(.accept) { value throws(WrongValue) in
      guard case .boolean(let flag) = value else {
        throw WrongValue(value, wanted: RecipeKey.accept.wanted.value)
      }
      return flag
    }
    plan.rename = try rule(.rename, template)
    plan.mimeType = try rule(.mimeType) { value throws(WrongValue) in
      try Values.mimeType(value, wanted: RecipeKey.mimeType.wanted.value)
    }
    plan.purpose = try rule(.purpose) { value throws(WrongValue) in
      try Values.purpose(value, wanted: RecipeKey.purpose.wanted.value)
    }
    plan.decide = try rule(.decide, decision)
    plan.completed = try rule(.completed, allowsVerdict: false) { value throws(WrongValue) in
      try Values.action(value, .completed, wanted: RecipeKey.completed.wanted.value, in: workspace)
    }
    plan.failed = try rule(.failed, allowsVerdict: false) { value throws(WrongValue) in
      try Values.action(value, .failed, wanted: RecipeKey.failed.wanted.value, in: workspace)
    }
    plan.status = try function(.status)
    plan.summary = try function(.summary)
    plan.changed = try changed()
    plan.sendsContentOnce = try sendsContentOnce()
    plan.retries = try retries()
    plan.settling = try settling()
    plan.rediscovery = try rediscovery(of: plan.discover)
    plan.concurrency = try concurrency()
    plan.order = try order()
    plan.permissions = try permissions()
    return plan
  }

  private func changed() throws(ScriptError) -> ChangePolicy {
    guard let value = self[.changed] else { return .send }
    guard let policy = value.text.flatMap(ChangePolicy.init(rawValue:)) else {
      throw wrong(.changed, "is \(described(value)); it takes \(RecipeKey.changed.wanted.value)")
    }
    return policy
  }

  private func sendsContentOnce() throws(ScriptError) -> Bool {
    guard let value = self[.dedupe] else { return false }
    guard value.text == "content" else {
      throw wrong(.dedupe, "is \(described(value)); it takes \(RecipeKey.dedupe.wanted.value)")
    }
    return true
  }

  /// The functions of the table.
  var functions: [RecipeKey: LuaFunction] {
    var functions: [RecipeKey: LuaFunction] = [:]
    for key in RecipeKey.allCases { functions[key] = self[key]?.function }
    return functions
  }

  subscript(_ key: RecipeKey) -> LuaValue? { table[key.rawValue] }

  func wrong(_ key: RecipeKey, _ problem: String) -> ScriptError {
    ScriptError("`\(key.rawValue)` \(problem)", key: key.rawValue, in: source)
  }

  private func refuseUnknownKeys() throws(ScriptError) {
    for key in table.fields.keys.sorted(by: { $0.description < $1.description }) {
      if case .string(let string) = key, let name = string.text, RecipeKey(rawValue: name) != nil { continue }
      throw ScriptError(RecipeKey.problem(with: key), key: key.description, in: source)
    }
    guard table.array.isEmpty else {
      throw ScriptError(
        "a recipe has only named keys, and this one has \(described(table.array[0])) without one", in: source)
    }
    guard self[.decide] != nil else { return }
    for key in [RecipeKey.accept, .rename, .mimeType, .purpose] where self[key] != nil {
      throw wrong(
        .decide, "stands instead of accept, rename, mime_type and purpose; `\(key.rawValue)` is given too")
    }
  }

  private func name() throws(ScriptError) -> String {
    guard let value = self[.name] else {
      throw ScriptError(
        "`name` is missing: the recipe's jobs are kept under it; write name = \"…\"", in: source)
    }
    let isSane = { (scalar: Unicode.Scalar) in
      switch scalar {
      case "a"..."z", "A"..."Z", "0"..."9", "-", "_", ".": true
      default: false
      }
    }
    guard let text = value.text, (1...64).contains(text.utf8.count), text.unicodeScalars.allSatisfy(isSane),
      !text.hasPrefix(".")
    else { throw wrong(.name, "is \(described(value)); it takes \(RecipeKey.name.wanted.value)") }
    return text
  }

  private func function(_ key: RecipeKey) throws(ScriptError) -> LuaFunction? {
    guard let value = self[key] else { return nil }
    guard case .function(let function) = value else {
      throw wrong(key, "is \(described(value)); it takes \(key.wanted.value)")
    }
    return function
  }

  private func rule<Value>(
    _ key: RecipeKey, allowsVerdict: Bool = true, _ read: (LuaValue) throws(WrongValue) -> Value
  ) throws(ScriptError) -> Rule<Value> {
    guard let value = self[key] else { return .absent }
    if case .function(let function) = value { return .function(function) }
    if allowsVerdict, let verdict = value.object(as: Verdict.self) { return .verdict(verdict) }
    do throws(WrongValue) {
      return .constant(try read(value))
    } catch {
      throw wrong(key, "is \(error.problem)")
    }
  }

  private func template(_ value: LuaValue) throws(WrongValue) -> FilenameTemplate {
    let wanted = RecipeKey.rename.wanted.value
    let text = try Values.text(value, wanted: wanted)
    guard !text.isEmpty else { throw WrongValue(value, wanted: wanted) }
    do throws(FilenameTemplate.Problem) {
      return try FilenameTemplate(text)
    } catch {
      throw WrongValue("\(described(value)): \(error.message)")
    }
  }

  private func decision(_ value: LuaValue) throws(WrongValue) -> RecipePlan.Decision {
    let wanted = RecipeKey.decide.wanted.value
    guard case .table(let table) = value else { throw WrongValue(value, wanted: wanted) }
    try Values.onlyKnown(table, Values.decisionFields, wanted: wanted)
    var decision = RecipePlan.Decision()
    if let value = table["filename"] { decision.filename = try template(value) }
    if let value = table["mime_type"] {
      decision.mimeType = try Values.mimeType(value, wanted: RecipeKey.mimeType.wanted.value)
    }
    if let value = table["purpose"] {
      decision.purpose = try Values.purpose(value, wanted: RecipeKey.purpose.wanted.value)
    }
    decision.data = try table["data"].map { value throws(WrongValue) in try Values.data(value) }
    return decision
  }
}

// MARK: discover

extension RecipeReader {
  fileprivate func discover() throws(ScriptError) -> RecipePlan.Discover {
    switch self[.discover] {
    case nil:
      throw ScriptError(
        "`discover` is missing: it says which files there are; write discover = \"handbook/**/*.md\"",
        in: source)
    case .function(let function)?: return .function(function)
    case .string(let string)?: return try discover(glob: string)
    case .table(let table)?: return .walk(try settings(table))
    case let value?:
      throw wrong(.discover, "is \(described(value)); it takes \(RecipeKey.discover.wanted.value)")
    }
  }

  private func discover(glob string: LuaString) throws(ScriptError) -> RecipePlan.Discover {
    guard let pattern = string.text, !pattern.isEmpty else {
      throw wrong(.discover, "is \(described(.string(string))); it takes \(RecipeKey.discover.wanted.value)")
    }
    let settings = WalkSettings(root: .root, globs: try globs(include: [pattern], exclude: []))
    let hasWildcard = pattern.contains { "*?[{\\".contains($0) }
    if !hasWildcard, let path = try? ProjectPath(pattern) { return .name(path, settings) }
    return .walk(settings)
  }

  private func settings(_ table: LuaTable) throws(ScriptError) -> WalkSettings {
    let fields = LuaFields(table, place: "`discover`")
    let root: String
    let include: [String]
    let exclude: [String]
    let hidden: Bool
    do {
      try Values.onlyKnown(
        table, ["root", "include", "exclude", "hidden"], wanted: "root, include, exclude and hidden")
      root = try fields.optionalString("root") ?? "."
      include = try fields.optionalStrings("include") ?? []
      exclude = try fields.optionalStrings("exclude") ?? []
      hidden = try fields.optionalBoolean("hidden") ?? false
    } catch let error as WrongValue {
      let key = table.names.first { !["root", "include", "exclude", "hidden"].contains($0) }
      throw ScriptError("`discover` is \(error.problem)", key: key ?? "discover", in: source)
    } catch {
      throw ScriptError("\(error)", key: "discover", in: source)
    }
    let globs = try globs(include: include, exclude: exclude)
    do throws(WorkspaceError) {
      return WalkSettings(root: try workspace.path(root), globs: globs, hidden: hidden)
    } catch {
      throw ScriptError(
        "`discover` has the root \"\(escapingControls(root))\": \(error.message)", key: "root", in: source)
    }
  }

  private func globs(include: [String], exclude: [String]) throws(ScriptError) -> GlobSet {
    do throws(GlobError) {
      return try GlobSet(include: include, exclude: exclude)
    } catch {
      throw wrong(.discover, "has a mistake: \(error.message)")
    }
  }
}
