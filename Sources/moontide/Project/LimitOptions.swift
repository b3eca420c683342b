import ArgumentParser
import LuaHost
import Scripting

/// What each call of a script may use at the most.
struct LimitOptions: ParsableArguments {
  @Option(
    name: .customLong("limit"),
    help: ArgumentHelp(
      "Raises what a call of a script may use: seconds=60, instructions=2G, memory=256M. May be given again.",
      valueName: "name=value"))
  var texts: [String] = []

  /// The standard limits with those that were given.
  func ceiling() throws(CommandFailure) -> LuaLimits {
    do throws(LimitOption.Problem) {
      var options: [LimitOption] = []
      for text in texts { options.append(try LimitOption(text)) }
      return LuaLimits.standard.with(options)
    } catch {
      throw CommandFailure(.usage, "--limit: \(error.message)")
    }
  }
}
