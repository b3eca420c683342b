import LuaHost

/// The `moontide.*` modules that scripts see.
package enum LuaLibrary {
  /// All modules, in the order in which a script's state defines them.
  package static func modules(_ context: LibraryContext) -> [LuaModule] {
    [
      base(context), LuaTasks.module("moontide", sleep: context.sleep), path(), json(), log(context),
      fileSystem(context), files(context), meetings(context), environment(context), hash(context),
      time(context), store(context), process(context), http(context),
    ]
  }

  /// The configuration of a script that has these modules, and prints to the context's output, or else to its log.
  ///
  /// - Parameter additions: modules of the caller's own, which may extend the library's.
  package static func configuration(
    _ context: LibraryContext, limits: LuaLimits = .standard, additions: [LuaModule] = []
  ) -> LuaConfiguration {
    LuaConfiguration(
      name: context.script, modules: modules(context) + additions, limits: limits,
      print: context.output ?? { context.log(.info, $0) })
  }

  /// The longest time that a script can name, in seconds: longer ones are mistakes.
  package static let longestWait: Double = 366 * 24 * 60 * 60

  /// `moontide.sleep` and `moontide.args`.
  private static func base(_ context: LibraryContext) -> LuaModule {
    LuaModule("moontide") { module in
      module.value("args", context.arguments.value)
      module.waiting("sleep") { call in
        let duration = try call.seconds(1)
        return LuaOperation {
          if let planning = context.planning {
            planning.pass(duration)
          } else {
            try await context.sleep(duration)
          }
          return []
        }
      }
    }
  }
}

extension LuaCall {
  /// A time in seconds, at least 0 and at most a year.
  package func seconds(_ index: Int) throws -> Duration {
    let seconds = try finite(index, in: 0...)
    guard seconds <= LuaLibrary.longestWait else {
      throw LuaValueError(
        place: "\(name): argument #\(index)", problem: "\(seconds) seconds are more than a year",
        hint: "the time is given in seconds")
    }
    return .seconds(seconds)
  }
}
