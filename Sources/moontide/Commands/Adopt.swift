import ArgumentParser
import FileSessions
import Ingestion
import LuaHost
import SQLiteLedger
import Scripting
import Workspace

struct Adopt: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Have what is there already count as sent.",
    discussion: """
      The files that the recipe discovers now are read and recorded; none is sent, and no other handler runs. Their \
      present content is not sent by later runs; a file that changes is. For folders whose content the destination \
      has from elsewhere.

      \(GrantFlags.help)
      """)

  @Flag(help: "Do it without asking.")
  var yes = false

  @Argument(
    help: ArgumentHelp("The recipe, a Lua file.", valueName: "recipe"), completion: .file(extensions: ["lua"])
  )
  var recipePath: String

  @OptionGroup var arguments: ArgumentOptions

  @OptionGroup var limits: LimitOptions
  @OptionGroup var options: ProjectOptions
  @OptionGroup var target: DestinationOptions

  func run() async throws {
    let ceiling = try limits.ceiling()
    _ = try await reportingScript { () async throws(ScriptError) in try await ScriptSource.read(recipePath) }
    let workspace = try options.openWorkspace()
    try await Destination.with(target, in: workspace, for: .adopt) { destination in
      let display = Display(style: .lines, access: destination.access)
      display.headline(destination.headline)
      let ledger = try await SQLiteLedger.take(in: workspace)
      let bench = Bench(workspace: workspace, destination: destination, ledger: ledger, display: display)
      let loader = RecipeLoader(
        script: recipePath, arguments: arguments.byName, limits: ceiling, bench: bench,
        names: RecipeNames())
      let recipe = try await loader.load()
      let engine = bench.engine(for: recipe, seat: Gate(places: 1).join(recipe.name), stop: StopSignal())
      let result = await Result {
        try await adopt(Adoption(engine: engine), recipe: recipe.name, at: destination)
      }
      await recipe.close()
      await bench.close()
      do {
        try result.get()
      } catch let failure as Failure {
        throw CommandFailure(.script, failure.message)
      } catch let error as LedgerError {
        throw CommandFailure(.usage, error.message)
      }
    }
  }

  private func adopt(_ adoption: Adoption, recipe: String, at destination: Destination) async throws {
    let found = try await adoption.survey()
    guard found.adopted > 0 else {
      return say("There is nothing to adopt: \(Format.count(found.known, "file")) counted as sent before.")
    }
    let files = "\(Format.count(found.adopted, "file")) (\(Format.bytes(found.bytes)))"
    if !yes {
      say(
        "\(files) of \(recipe) would count as sent to \(destination.profile), and never be sent as they are now."
      )
      guard try Confirmation.isGiven(to: "Adopt them?", unasked: "adopt them unasked") else {
        say("Nothing was adopted.")
        throw ExitStatus.filesFailed
      }
    }
    let outcome = try await adoption.perform()
    say(
      "\(Format.count(outcome.adopted, "file")) adopted, \(Format.bytes(outcome.bytes)); \(outcome.known) counted as "
        + "sent before, \(outcome.underWay) under way, \(outcome.problems) with problems.")
    if outcome.problems > 0 { throw ExitStatus.filesFailed }
  }
}

extension Result where Failure == any Error {
  fileprivate init(_ body: () async throws -> Success) async {
    do { self = .success(try await body()) } catch { self = .failure(error) }
  }
}
