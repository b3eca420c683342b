import Ingestion
import LuaLibrary
import ScriptTestSupport
import Scripting
import Testing
import Workspace

@Suite struct LoadTests {
  @Test(
    "What is wrong with a recipe is said with script, line and key, and what to do",
    arguments: [
      (
        "",
        "r.lua: the recipe returns nothing; it has to end with a table: return { name = \"…\", discover = … }"
      ),
      (
        "return 42",
        "r.lua: the recipe returns a number (42); it has to end with a table: return { name = \"…\", discover = … }"
      ),
      ("return {}", "r.lua: `name` is missing: the recipe's jobs are kept under it; write name = \"…\""),
      (
        "return { name = 'r' }",
        "r.lua: `discover` is missing: it says which files there are; write discover = \"handbook/**/*.md\""
      ),
      (
        "return { name = '', discover = '*' }",
        "r.lua:1: `name` is a string (\"\"); it takes a name of letters, digits, - _ and ., at most 64"
      ),
      (
        "return { name = 'a/b', discover = '*' }",
        "r.lua:1: `name` is a string (\"a/b\"); it takes a name of letters, digits, - _ and ., at most 64"
      ),
      (
        "return { name = 7, discover = '*' }",
        "r.lua:1: `name` is a number (7); it takes a name of letters, digits, - _ and ., at most 64"
      ),
      (wrap("renam = function(f) return f.name end"), "r.lua:2: unknown key `renam`; did you mean `rename`?"),
      (wrap("conpleted = { move = 'x' }"), "r.lua:2: unknown key `conpleted`; did you mean `completed`?"),
      (
        wrap("frobnicate = 1"),
        "r.lua:2: unknown key `frobnicate`; the keys are name, discover, accept, prepare, rename, mime_type, purpose, decide, completed, failed, status, summary, changed,"
      ),
      (
        wrap("[1] = 'x'"),
        "r.lua: a recipe has only named keys, and this one has a string (\"x\") without one"
      ),
      (
        wrap("settle = 'soon'"),
        "r.lua:2: `settle` is a string (\"soon\"); it takes seconds, such as 5, or a text such as \"500ms\" or \"2m\""
      ),
      (
        wrap("rescan = 0"),
        "r.lua:2: `rescan` is a number (0); it takes a time above 0: seconds, or a text such as \"90s\" or \"15m\""
      ),
      (
        wrap("every = '15m'"),
        "r.lua:2: `every` is for a `discover` that is a function; for directories, which are watched, write rescan = 300"
      ),
      (
        wrap("in_progress = { 'x/*.part' }"),
        "r.lua:2: `in_progress` is a string (\"x/*.part\"); it takes a list of names such as { \"*.part\", \"*.tmp\" }"
      ),
      (
        wrap("ready = '{name}'"),
        "r.lua:2: `ready` is a string (\"{name}\"): the marker would be the file itself"
      ),
      (
        wrap("changed = 'no'"),
        "r.lua:2: `changed` is a string (\"no\"); it takes \"send\", \"skip\" or \"fail\""
      ),
      (wrap("retries = 5"), "r.lua:2: `retries` is a number (5); it takes a table such as { attempts = 5"),
      (
        wrap("permissions = true"),
        "r.lua:2: `permissions` is true; it takes a table such as { net = { \"hooks.slack.com\" }, env = "
      ),
      (
        wrap("permissions = {\nnett = { 'x' } }"),
        "r.lua:3: `permissions`: unknown field 'nett' (did you mean 'net'?)"
      ),
      (wrap("permissions = { 'net' }"), "r.lua:2: `permissions`: a value without a name"),
      (
        wrap("permissions = { net = { 'http://x/' } }"),
        "r.lua:2: `permissions`: field 'net': \"http://x/\" is no host: it is an address with a path"
      ),
      (
        wrap("permissions = { service = 'file:read' }"),
        "r.lua:2: `permissions`: field 'service': \"file:read\" is no scope of the API; did you mean files:read?"
      ),
      (
        wrap("permissions = { env = function() end }"),
        "r.lua:2: `permissions`: field 'env': list of strings wanted, got function"
      ),
      (
        wrap("plugins = {}"),
        "r.lua:2: the key `plugins` is not supported by this version; remove it"
      ),
      (
        wrap("accept = 1"), "r.lua:2: `accept` is a number (1); it takes true, false, a verdict or a function"
      ),
      (
        wrap("rename = true"),
        "r.lua:2: `rename` is true; it takes a template such as \"{stem}-{date}{ext}\", or a function"
      ),
      (
        wrap("rename = '{stam}.md'"),
        "r.lua:2: `rename` is a string (\"{stam}.md\"): unknown placeholder {stam}; did you mean {stem}?"
      ),
      (
        wrap("rename = '{stem'"),
        "r.lua:2: `rename` is a string (\"{stem\"): a brace is not closed; write {{ for a brace that is meant as one"
      ),
      (
        wrap("mime_type = 'markdown'"),
        "r.lua:2: `mime_type` is a string (\"markdown\"); it takes a MIME type such as \"text/plain\", or a function"
      ),
      (
        wrap("purpose = {}"),
        "r.lua:2: `purpose` is a table; it takes a purpose such as \"knowledge_workspace\", or a function"
      ),
      (
        wrap("decide = function() end,\naccept = true"),
        "r.lua:2: `decide` stands instead of accept, rename, mime_type and purpose; `accept` is given too"
      ),
      (
        wrap("completed = 'done/'"),
        "r.lua:2: `completed` is a string (\"done/\"); it takes { move = DIR }, { copy = DIR }, { remove = true } or a function"
      ),
      (
        wrap("completed = { mov = 'done/' }"),
        "r.lua:2: `completed` is a table with the unknown field `mov`; did you mean `move`?"
      ),
      (
        wrap("completed = { move = 'a', remove = true }"),
        "r.lua:2: `completed` is more than one action; it takes { move = DIR }, { copy = DIR }, { remove = true } or a function"
      ),
      (
        wrap("completed = {}"),
        "r.lua:2: `completed` is an empty table; it takes { move = DIR }, { copy = DIR }, { remove = true } or a function"
      ),
      (
        wrap("failed = { remove = false }"),
        "r.lua:2: `failed` is remove = false; it takes { move = DIR }, { copy = DIR }, { remove = true }, moontide.retry(SECONDS) or a function"
      ),
      (
        wrap("failed = { move = '../out' }"),
        "r.lua:2: `failed` is move = \"../out\": \"../out\" is outside of the project; use a path below the project directory"
      ),
      (wrap("summary = 1"), "r.lua:2: `summary` is a number (1); it takes a function"),
      (
        "return { name = 'r',\n discover = 7 }",
        "r.lua:2: `discover` is a number (7); it takes a glob, a table of root, include, exclude and hidden, or a function"
      ),
      (
        "return { name = 'r', discover = { root = '.',\n exlude = 'x' } }",
        "r.lua:2: `discover` is a table with the unknown field `exlude`; did you mean `exclude`?"
      ),
      (
        "return { name = 'r', discover = { root = '..' } }",
        "r.lua:1: `discover` has the root \"..\": \"..\" is outside of the project; use a path below the project directory"
      ),
      (
        "return { name = 'r', discover = '[a' }",
        "r.lua:1: `discover` has a mistake: the glob \"[a\", character "
      ),
      (
        "return {\n name = 'r'\n discover = '*' }",
        "r.lua:3: '}' expected (to close '{' at line 1) near 'discover'"
      ),
      ("local x = nil\nx.y = 1", "r.lua:2: attempt to index a nil value (local 'x')"),
      (
        "moontide.fs.list('.')\nreturn {}",
        "r.lua:1: moontide.fs.list: I/O while a recipe loads: move it into a handler"
      ),
    ])
  func errors(text: String, message: String) async throws {
    let error = try await Bench().loadError(text)
    #expect(error.message.hasPrefix(message), "\(error.message)")
    #expect(!error.message.contains("\n"))
  }

  @Test("The report of a load error shows the line and points at the key")
  func report() async throws {
    let error = try await Bench().loadError(wrap("  renam = function(f) return f.name end,"))
    #expect(
      error.report == """
        r.lua:2: unknown key `renam`; did you mean `rename`?
          2 |   renam = function(f) return f.name end,
            |   ^^^^^
        """)
    #expect(error.code == .invalid)
  }

  @Test("A key is found in the recipe's own table, not in strings, comments or inner tables")
  func place() async throws {
    let text = """
      -- renam = 1
      local s = "renam = 2" --[[ renam = 3 ]]
      local renam = [==[ renam = 4 ]==]
      local t = { x = { renam = 5 } }
      return {
        name = "r", discover = "*",
        x == renam,
        renam = 6,
      }
      """.replacing("  x == renam,\n", with: "")
    #expect(try await Bench().loadError(text).message.hasPrefix("r.lua:7: unknown key `renam`"))
  }

  @Test("A script that is not there or cannot be read says so")
  func unreadable() async throws {
    let bench = try Bench()
    for (path, reason) in [
      ("/no/such.lua", "No such file or directory"), (bench.project.path, "Is a directory"),
    ] {
      await #expect(throws: ScriptError.self) {
        do throws(ScriptError) {
          _ = try await LuaRecipe.load(path: path, context: bench.surroundings.context())
        } catch {
          #expect(error.code == .unreadable)
          #expect(error.message == "The script \(path) cannot be read: \(reason).")
          throw error
        }
      }
    }
  }

  @Test(
    "A recipe's file is read from anywhere, named by its last part, and its version follows text and arguments"
  )
  func versions() async throws {
    let bench = try Bench()
    let other = try Project()
    try other.write("hand.lua", "return { name = 'hand', discover = moontide.args.glob or '**' }")
    func version(_ arguments: [String: String], _ path: String = "hand.lua") async throws -> String {
      let recipe = try await LuaRecipe.load(
        path: other.path + "/" + path, context: bench.surroundings.context(.named(arguments)))
      #expect(recipe.name == "hand")
      #expect(!recipe.handlesCompleted && !recipe.handlesFailed)
      await recipe.close()
      return recipe.version
    }
    let plain = try await version([:])
    #expect(try await version([:]) == plain)
    #expect(plain.count == 64)
    #expect(try await version(["glob": "a", "x": "1"]) == version(["x": "1", "glob": "a"]))
    #expect(try await version(["glob": "a"]) != plain)
    #expect(try await version(["a": "b=c"]) != version(["a=b": "c"]))
    try other.write("hand.lua", "return { name = 'hand', discover = '**' } --")
    #expect(try await version([:]) != plain)
  }

  @Test("An argument that was not given is nil")
  func arguments() async throws {
    let bench = try Bench()
    let recipe = try await bench.recipe(
      wrap("rename = (moontide.args.prefix or '') .. '{name}' .. tostring(moontide.args.none)"),
      .named(["prefix": "x-"]))
    try bench.project.write("a.md")
    #expect(await recipe.decide([try bench.candidate("a.md")]) == [.send(Wishes(filename: "x-a.mdnil"))])
    await recipe.close()
  }
}
