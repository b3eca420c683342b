import ArgumentParser
import Glibc

/// The entry: parses, runs, and turns whatever went wrong into a message and an exit status.
@main
enum Main {
  static func main() async {
    // Before anything changes it: keys are erased from the environment once they are read.
    _ = LaunchEnvironment.variables
    // A reader that goes away, as in `moontide run … | head`, must not end a run in the middle.
    signal(SIGPIPE, SIG_IGN)
    KeyProtection.begin()
    do {
      let (grants, words) = try GrantFlags.take(from: Array(CommandLine.arguments.dropFirst()))
      try await GrantFlags.$current.withValue(grants) { try await run(words) }
    } catch let failure as CommandFailure {
      complain(failure.message)
      exit(failure.status.rawValue)
    } catch let status as ExitStatus {
      exit(status.rawValue)
    } catch {
      // Help and version are thrown too, with status 0; everything else is a wrong call.
      let isSuccess = Moontide.exitCode(for: error).isSuccess
      let stream = isSuccess ? StandardStream.output : .error
      stream.write(Moontide.fullMessage(for: error) + "\n")
      exit((isSuccess ? ExitStatus.done : .usage).rawValue)
    }
  }

  private static func run(_ words: [String]) async throws {
    var command = try Moontide.parseAsRoot(words)
    if var command = command as? any AsyncParsableCommand {
      try await command.run()
    } else {
      try command.run()
    }
  }
}

struct Moontide: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "moontide",
    abstract: "Ingest files into Lightfield, as a few lines of Lua say.",
    discussion: """
      A recipe says which files matter, what they are called, what they are for and what happens to them \
      afterwards. Moontide sends each of them exactly once; run again, it does only what is left.

      Exit status: 0 everything done; 1 some files failed or were rejected, something was left undone, or not \
      exactly one meeting was found; 2 a wrong call; 3 the script does not load or failed; 4 the service refused \
      or is away; 5 another process works with this project; 6 stopped by a pause, \
      --window, --max-files or --max-bytes; \
      130 interrupted.
      """,
    version: Version.text,
    subcommands: [
      Run.self, Exec.self, Trust.self, Files.self, Meetings.self, Profiles.self, Serve.self, Keys.self,
      Adopt.self, Jobs.self, Status.self, PauseCommand.self, ResumeCommand.self, Why.self,
    ])
}

enum Version {
  static let text = "0.1.0"
}
