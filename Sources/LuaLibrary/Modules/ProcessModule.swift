import LuaHost

extension LuaLibrary {
  /// `moontide.process.run { "program", "argument", … }`: `{ status =, stdout =, stderr =, signal = }`.
  static func process(_ context: LibraryContext) -> LuaModule {
    LuaModule("moontide.process") { module in
      module.waiting("run") { call in
        let request = try ProgramRequest(&call, in: context)
        try call.requireKnowable("process", in: context)
        let run = ProgramRun(
          request: request, searchPath: context.environment["PATH"], sleep: context.sleep)
        return LuaOperation {
          // What the program writes is read elsewhere than on the script's thread.
          try await withTaskExecutorPreference(globalConcurrentExecutor) { [try await run().value] }
        }
      }
    }
  }
}
