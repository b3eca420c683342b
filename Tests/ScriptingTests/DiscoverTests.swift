import Ingestion
import ScriptTestSupport
import Scripting
import Testing
import Workspace

@Suite struct DiscoverTests {
  /// All pages of what a `discover` gives, or the message that ends them.
  private func pages(_ discover: String, in bench: Bench) async throws -> (pages: [[String]], error: String?)
  {
    let recipe = try await bench.recipe("return { name = 'r', discover = \(discover) }")
    var pages: [[String]] = []
    do throws(Failure) {
      guard case .named(let next) = try await recipe.discovery() else { return (pages, "not named") }
      while let page = try await next() {
        if !page.isEmpty { pages.append(page.map(\.path.string)) }
      }
    } catch {
      await recipe.close()
      return (pages, error.message)
    }
    await recipe.close()
    return (pages, nil)
  }

  @Test(
    "A walk is described by a glob or a table",
    arguments: [
      ("'notes/**/*.md'", ".", ["notes/**/*.md"], [], false),
      ("{}", ".", [], [], false),
      ("{ root = 'notes' }", "notes", [], [], false),
      (
        "{ root = 'notes/', include = '*.md', exclude = { 'a', 'b/**' }, hidden = true }", "notes", ["*.md"],
        ["a", "b/**"], true
      ),
    ] as [(String, String, [String], [String], Bool)])
  func walks(discover: String, root: String, include: [String], exclude: [String], hidden: Bool) async throws
  {
    let recipe = try await Bench().recipe("return { name = 'r', discover = \(discover) }")
    guard case .walk(let settings) = try await recipe.discovery() else {
      Issue.record("no walk")
      return
    }
    #expect(
      settings
        == WalkSettings(
          root: try ProjectPath(root), globs: try GlobSet(include: include, exclude: exclude), hidden: hidden)
    )
    await recipe.close()
  }

  @Test("A glob that is a directory's name says what to write")
  func directory() async throws {
    let bench = try Bench()
    try bench.project.write("notes/a.md")
    let recipe = try await bench.recipe("return { name = 'r', discover = 'notes' }")
    await #expect(
      throws: Failure(
        .script, "r.lua:1: in discover: \"notes\" is a directory; for all files in it write \"notes/**\"",
        handler: "discover", trace: "  1 | return { name = 'r', discover = 'notes' }\n    | ^"
      )
    ) { try await recipe.discovery() }
    await recipe.close()
  }

  @Test(
    "A function gives paths as a list, by yielding, or by an iterator",
    arguments: [
      ("function() return { 'a.md', { path = 'b/c.md' } } end", ["a.md", "b/c.md"]),
      (
        "function() coroutine.yield('a.md') moontide.sleep(1) coroutine.yield { path = './b/c.md' } end",
        ["a.md", "b/c.md"]
      ),
      (
        "function() local n = 0 return function() n = n + 1 moontide.sleep(1) return ({ 'a.md', 'b.md' })[n] end end",
        ["a.md", "b.md"]
      ),
      ("function() return pairs({ ['a.md'] = true }) end", ["a.md"]),
      ("function() return moontide.fs.glob('x/*') end", ["x/1.md", "x/2.md"]),
      ("function() coroutine.yield('a.md') return { 'b.md', 'a.md' } end", ["a.md", "b.md"]),
      ("function() return coroutine.wrap(function() coroutine.yield('a.md') end) end", ["a.md"]),
      ("function() return {} end", []),
    ])
  func functions(discover: String, paths: [String]) async throws {
    let bench = try Bench()
    try bench.project.write("x/1.md")
    try bench.project.write("x/2.md")
    let result = try await pages(discover, in: bench)
    #expect(result.error == nil)
    #expect(result.pages.flatMap(\.self) == paths)
    #expect(bench.log.isEmpty)
  }

  @Test("An iterator is asked for no more than a page at a time")
  func lazy() async throws {
    let bench = try Bench()
    let recipe = try await bench.recipe(
      """
      return { name = 'r', discover = function()
        for i = 1, 1000 do
          if i % 100 == 0 then print(i) end
          coroutine.yield(i .. '.md')
        end
      end }
      """)
    guard case .named(let next) = try await recipe.discovery() else { return }
    #expect(bench.log.isEmpty)
    #expect(try await next()?.count == 256)
    #expect(bench.log == ["info: 100", "info: 200"])
    #expect(try await next()?.count == 256)
    #expect(bench.log.count == 5)
    var rest = 0
    while let page = try await next() { rest += page.count }
    #expect(rest == 488)
    await recipe.close()
  }

  @Test("A function that has no end gives page after page, so that the run can be ended")
  func endless() async throws {
    let recipe = try await Bench().recipe(
      "return { name = 'r', discover = function() return function() return 'a.md' end end }")
    guard case .named(let next) = try await recipe.discovery() else {
      Issue.record("not named")
      return
    }
    #expect(try await next()?.map(\.path.string) == ["a.md"])
    #expect(try await next()?.isEmpty == true)
    #expect(try await next()?.isEmpty == true)
    await recipe.close()
  }

  @Test(
    "What is wrong with what a function gives is said after the paths before it were given",
    arguments: [
      (
        "function() return { 'a.md', 42 } end",
        "r.lua:1: in discover: discover gave a number (42); it takes a path, or { path = …, data = … }"
      ),
      (
        "function() coroutine.yield('a.md') coroutine.yield({ pat = 'x' }) end",
        "r.lua:1: in discover: discover gave a table with the unknown field `pat`; did you mean `path`?"
      ),
      (
        "function() return { 'a.md', { path = 'b', data = print } } end",
        "r.lua:1: in discover: discover gave `data` that cannot be kept as JSON: a function has no JSON"
      ),
      (
        "function() return { 'a.md', '../b' } end",
        "r.lua:1: in discover: discover gave \"../b\": \"../b\" is outside of the project; use a path below the project directory"
      ),
      ("function() coroutine.yield('a.md') error('no more') end", "r.lua:1: in discover: no more"),
      (
        "function() coroutine.yield('a.md') moontide.fs.list('nowhere') end",
        "r.lua:1: in discover: cannot list \"nowhere\": "
      ),
    ])
  func mistakes(discover: String, message: String) async throws {
    let result = try await pages(discover, in: Bench())
    #expect(result.pages == [["a.md"]])
    #expect(result.error?.hasPrefix(message) == true, "\(result.error ?? "")")
  }

  @Test(
    "A function that gives something else says what it takes",
    arguments: [
      (
        "function() return 'a.md' end",
        "discover returned a string; it takes a list of paths, an iterator, or yields"
      ),
      (
        "function() return { root = 'x' } end",
        "discover returned a table without a list in it; it takes a list of paths"
      ),
      ("function() coroutine.yield() end", "discover yielded nothing; it takes a path"),
    ])
  func wrong(discover: String, message: String) async throws {
    let result = try await pages(discover, in: Bench())
    #expect(result.error?.hasSuffix(message) == true, "\(result.error ?? "")")
  }

  @Test(
    "A failure of discover shows the line with its caret and what was running",
    arguments: [
      (
        "function()\n  error('no')\nend", 2,
        "  2 |   error('no')\n    |   ^\n    [C]: in function 'error'\n    r.lua:2: in "
      ),
      (
        "function()\n  return { 42 }\nend", 1,
        "  1 | return { name = 'r', discover = function()\n    | ^\n    r.lua:1: in "
      ),
    ])
  func trace(discover: String, line: Int, trace: String) async throws {
    let recipe = try await Bench().recipe("return { name = 'r', discover = \(discover) }")
    guard case .named(let next) = try await recipe.discovery() else { return }
    var failure: Failure?
    do throws(Failure) { _ = try await next() } catch { failure = error }
    #expect(
      failure?.message.hasPrefix("r.lua:\(line): in discover: ") == true, "\(failure?.message ?? "none")")
    #expect(failure?.trace?.hasPrefix(trace) == true, "\(failure?.trace ?? "none")")
    await recipe.close()
  }

  @Test("A function that gives nothing at all is warned of")
  func nothing() async throws {
    let bench = try Bench()
    let result = try await pages("function() local forgotten = { 'a.md' } end", in: bench)
    #expect(result.pages.isEmpty && result.error == nil)
    #expect(bench.log == ["warn: discover returned nothing and yielded no path"])
  }
}
