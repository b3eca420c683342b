import Digests
import Ingestion
import LuaHost
import LuaLibrary
import Synchronization
import Workspace

/// The paths that a `discover` function gives, page by page, each path once.
final class PathPages: Sendable {
  /// How many paths a page has at the most.
  static let pageSize = 256

  private struct State {
    /// Digests of the paths that were given; 16 bytes each, whatever the paths' length.
    var seen: Set<PathDigest> = []
    /// What is to be thrown once the paths before it were given.
    var failure: Failure?
    /// Where a dry run cannot follow any further, once the paths before that were given.
    var unknown: UnknownPoint?
  }

  private let recipe: LuaRecipe
  /// The generator lives in the state that it began in.
  private let home: RecipeState
  private let nextPage: LuaFunction
  private let state = Mutex(State())

  /// Makes ready to call the function; it runs when the first page is asked for.
  init(of recipe: LuaRecipe, in home: RecipeState, from function: LuaFunction) async throws(Failure) {
    self.recipe = recipe
    self.home = home
    do {
      let made = try await home.script.call(home.helpers.pages, [.function(function)], label: "discover")
      guard let page = made.first?.function else { throw LuaError(code: .failed, message: "no pages") }
      nextPage = page
    } catch {
      throw recipe.failure(of: error, in: recipe.call(.discover))
    }
  }

  /// The next paths, fewer where some were given before; nil at the end.
  func next() async throws(Failure) -> [NamedFile]? {
    let call = recipe.call(.discover)
    try throwFailure()
    if endsUnknown() { return nil }
    let items: [LuaValue]
    do {
      let isPlanned = recipe.context.planning != nil
      guard let found = try await isPlanned ? knownPage() : page(of: Self.pageSize) else { return nil }
      items = found
    } catch {
      throw recipe.failure(of: error, in: call)
    }
    let files = take(items, call)
    if files.isEmpty {
      try throwFailure()
      if endsUnknown() { return nil }
    }
    return files
  }

  /// The next items, at most so many; nil at the end.
  private func page(of size: Int) async throws -> [LuaValue]? {
    let results = try await home.script.call(nextPage, [.integer(Int64(size))], label: "discover")
    if let page = results.first?.table { return page.array }
    if results.last == true { recipe.context.log(.warn, "discover returned nothing and yielded no path") }
    return nil
  }

  /// The same in a dry run: one by one, so that what was found before something unknown is told from what comes after.
  private func knownPage() async throws -> [LuaValue]? {
    var items: [LuaValue] = []
    while items.count < Self.pageSize {
      let reach = Reach()
      var item: [LuaValue]?
      var failure: (any Error)?
      do {
        item = try await Reach.$current.withValue(reach) { try await page(of: 1) }
      } catch {
        failure = error
      }
      if let point = reach.point {
        state.withLock { $0.unknown = point }
        return items
      }
      // It comes again after those before it.
      if let failure, items.isEmpty { throw failure }
      guard let item else { return items.isEmpty ? nil : items }
      items += item
    }
    return items
  }

  /// Whether a dry run cannot follow any further, which it is told then.
  private func endsUnknown() -> Bool {
    guard let point = state.withLock({ $0.unknown }) else { return false }
    recipe.context.planning?.unknown(point, RecipeKey.discover.rawValue, nil)
    return true
  }

  private func throwFailure() throws(Failure) {
    if let failure = state.withLock({ $0.failure }) { throw failure }
  }

  /// The paths up to the first one that is none, which fails the next page.
  private func take(_ items: [LuaValue], _ call: HandlerCall) -> [NamedFile] {
    state.withLock { state in
      var files: [NamedFile] = []
      for item in items {
        do throws(WrongValue) {
          let file = try self.file(item)
          if state.seen.insert(PathDigest(file.path)).inserted { files.append(file) }
        } catch {
          state.failure = recipe.failure(of: call.failure("discover gave \(error.problem)"), in: call)
          break
        }
      }
      return files
    }
  }

  private func file(_ item: LuaValue) throws(WrongValue) -> NamedFile {
    let wanted = "a path, or { path = …, data = … }"
    var (value, data) = (item, JobData?.none)
    if case .table(let table) = item {
      try Values.onlyKnown(table, ["path", "data"], wanted: wanted)
      value = table["path"] ?? .nil
      data = try table["data"].map { value throws(WrongValue) in try Values.data(value) }
    }
    let text = try Values.text(value, wanted: wanted)
    do throws(WorkspaceError) {
      return NamedFile(try recipe.context.workspace.path(text), data: data)
    } catch {
      throw WrongValue("\"\(escapingControls(text))\": \(error.message)")
    }
  }
}

/// Half of a path's SHA-256: two paths do not share it by chance.
private struct PathDigest: Hashable {
  let high: UInt64
  let low: UInt64

  init(_ path: ProjectPath) {
    var numbers: (UInt64, UInt64) = (0, 0)
    for (index, byte) in SHA256.digest(Array(path.string.utf8)).prefix(16).enumerated() {
      if index < 8 {
        numbers.0 = numbers.0 << 8 | UInt64(byte)
      } else {
        numbers.1 = numbers.1 << 8 | UInt64(byte)
      }
    }
    (high, low) = numbers
  }
}

extension PathPages {
  /// A chunk that returns a function: given `discover`, it gives a function that returns a page of at most as
  /// many items as it is given, or nil at the end and whether there was nothing at all.
  ///
  /// `discover` runs in a coroutine, since it may yield its items; or it returns a list, or an iterator with what
  /// a generic `for` gives to it. An error waits until the items before it were given.
  static let source = """
    return function(discover)
      local coroutine, error, pcall, type = coroutine, error, pcall, type
      local thread = coroutine.create(discover)
      local yielded, empty, ended, failed, failure = false, false, false, false, nil
      local step

      local function items_of_list(list)
        if #list == 0 and next(list) ~= nil then
          error("discover returned a table without a list in it; it takes a list of paths", 0)
        end
        local at, count = 0, #list
        return function()
          at = at + 1
          local item = list[at]
          if item == nil and at <= count then
            error("discover returned a list with a hole at " .. at, 0)
          end
          return item
        end
      end

      local function run()
        local ok, first, state, control = coroutine.resume(thread)
        if not ok then error(first, 0) end
        if coroutine.status(thread) == "suspended" then
          if first == nil then error("discover yielded nothing; it takes a path", 0) end
          yielded = true
          return first
        end
        if first == nil then
          empty = not yielded
          step = function() return nil end
        elseif type(first) == "table" then
          step = items_of_list(first)
        elseif type(first) == "function" then
          step = function()
            control = first(state, control)
            return control
          end
        else
          error("discover returned a " .. type(first) .. "; it takes a list of paths, an iterator, or yields", 0)
        end
        return step()
      end

      step = run
      return function(size)
        if failed then error(failure, 0) end
        local page, count = {}, 0
        while count < size and not ended do
          local ok, item = pcall(step)
          if not ok then
            failed, failure = true, item
            if count == 0 then error(item, 0) end
            return page
          end
          if item == nil then
            -- An iterator that is asked again begins anew, or fails.
            ended = true
          else
            count = count + 1
            page[count] = item
          end
        end
        if count == 0 then return nil, empty end
        return page
      end
    end
    """
}
