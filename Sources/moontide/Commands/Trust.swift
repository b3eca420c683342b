import ArgumentParser
import FileSessions
import LuaLibrary
import Scripting
import Workspace

struct Trust: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Grant a recipe what it asks for, until it changes.",
    discussion: """
      Shows what the recipe's permissions ask for, asks, and remembers the answer in your configuration \
      directory, by the content of the recipe and of the modules that it requires. When a byte of these changes \
      the recipe is granted nothing any more, until it is trusted again.
      """)

  @Flag(help: "Trust it without asking.")
  var yes = false

  @Flag(help: "List what is trusted.")
  var list = false

  @Flag(help: "Trust the recipe no longer, in no version.")
  var forget = false

  @OptionGroup var arguments: ArgumentOptions

  @OptionGroup var limits: LimitOptions
  @OptionGroup var options: ProjectOptions

  @Argument(
    help: ArgumentHelp("The recipe, a Lua file.", valueName: "recipe"), completion: .file(extensions: ["lua"])
  )
  var recipePath: String?

  func validate() throws {
    guard !(list && forget) else { throw ValidationError("--list and --forget do not go together.") }
    guard list || recipePath != nil else { throw ValidationError("Name a recipe, or give --list.") }
    guard !list || recipePath == nil else { throw ValidationError("--list takes no recipe.") }
  }

  func run() async throws {
    let workspace = try options.openPlace()
    let withheld = Withheld(try ProfileCatalog.read(in: workspace), nil, LaunchEnvironment.variables)
    let authority = Authority(workspace: workspace, withheld: withheld) {
      StandardStream.error.write($0.printableLines + "\n")
    }
    guard let store = authority.store else {
      throw CommandFailure(
        .usage, "There is no place to keep trust in: neither XDG_CONFIG_HOME nor HOME is an absolute path.")
    }
    do {
      guard let recipePath else { return try await offload { try listAll(store) } }
      let file = await offload { Authority.file(recipePath) }
      if forget { return try await forget(file, in: store, workspace) }
      guard !(await offload { store.isWithin(workspace.rootPath) }) else {
        throw CommandFailure(.usage, authority.insideProject(store))
      }
      try await trust(try await request(recipePath, in: workspace), file, in: store, authority)
    } catch let error as TrustError {
      throw CommandFailure(.usage, "\(error)")
    }
  }

  private func request(_ path: String, in workspace: Workspace) async throws -> RecipeRequest {
    let ceiling = try limits.ceiling()
    return try await reportingScript { () async throws(ScriptError) in
      let service = UnavailableService(
        ServiceError(.notFound, "There is no service while a recipe is only loaded."))
      let context = LibraryContext(
        workspace: workspace, types: MIMETypes(), service: service, permissions: .recipe,
        arguments: .named(arguments.byName), sleep: { _ in }, newKey: { "" },
        log: { StandardStream.error.write("\($0.script): \($0.text)\n") })
      return try await RecipeRequest.read(ScriptSource.read(path), context: context, limits: ceiling)
    }
  }

  private func trust(
    _ request: RecipeRequest, _ file: String, in store: TrustStore, _ authority: Authority
  ) async throws {
    if request.declared.isEmpty {
      return say("\(request.script) asks for nothing beyond what every recipe may.")
    }
    // Where paths lead now is what is shown and granted: a link of the project that changes later grants nothing.
    let base = authority.base
    let wanted = await offload { PermissionDeclaration(request.declared.wanted.resolved(base)) }
    let (trusted, isKnown) = try await offload {
      (try store.trusted(request.fingerprint), try store.all().contains { $0.script == file })
    }
    if trusted == wanted { return say("\(request.script) is trusted already, in this version.") }
    say(TrustText.question(request, wanted.wanted, changed: isKnown && trusted == nil))
    guard
      try yes || Confirmation.isGiven(to: "Trust it with that?", unasked: "trust it unasked")
    else {
      say("It is granted nothing.")
      throw ExitStatus.filesFailed
    }
    try await offload {
      try store.trust(request.fingerprint, name: file, with: wanted, at: WallClock.system.now)
    }
    say("\(request.script) is trusted with that, until it or a module of it changes.")
  }

  private func forget(_ file: String, in store: TrustStore, _ workspace: Workspace) async throws {
    // A copy under another name is the same recipe. One that does not load is known by its path alone.
    let fingerprint =
      if let recipePath { try? await request(recipePath, in: workspace).fingerprint.description } else {
        String?.none
      }
    let count = try await offload {
      try store.forget { $0.script == file || $0.fingerprint == fingerprint }
    }
    say(count == 0 ? "It was not trusted." : "It is trusted no longer.")
  }

  private func listAll(_ store: TrustStore) throws(TrustError) {
    let all = try store.all()
    if all.isEmpty { say("No recipe is trusted.") }
    for script in all { say(TrustText.entry(script)) }
  }
}
