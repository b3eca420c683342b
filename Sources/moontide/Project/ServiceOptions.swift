import ArgumentParser
import FileSessions
import Ingestion
import Workspace

/// What every command takes that talks to a service by hand.
struct ServiceOptions: ParsableArguments {
  @OptionGroup var project: ProjectOptions
  @OptionGroup var target: DestinationOptions

  @Flag(help: "Print the API's JSON.")
  var json = false

  /// Opens the destination for `body`, which Ctrl-C cancels, and tells what a service says in words.
  func with(
    _ intent: Destination.Intent, _ body: @escaping @Sendable (ServiceDesk) async throws -> Void
  ) async throws {
    let workspace = try project.openPlace()
    try await Destination.with(target, in: workspace, for: intent) { destination in
      let desk = ServiceDesk(destination: destination, statePath: workspace.statePath)
      let stop = StopSignal()
      let interruption = Interruption(stop: stop, cancelsAtOnce: true)
      let result = await interruption.watching {
        do { return Result<Void, any Error>.success(try await body(desk)) } catch { return .failure(error) }
      }
      do {
        try result.get()
      } catch let error as CommandFailure {
        throw error
      } catch {
        if interruption.wasInterrupted || stop.isRequested { throw ExitStatus.interrupted }
        guard let error = error as? ServiceError else { throw error }
        throw CommandFailure(
          ServiceErrorText.status(of: error), ServiceErrorText.text(error, at: destination))
      }
    }
  }
}
