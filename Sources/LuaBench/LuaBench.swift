import CLuaBench
import Foundation
import LuaHost

/// Compares the Lua host with plain C on the same library, in the same run.
@main
enum LuaBench {
  /// Rounds of each measurement, ours and the baseline's in turn; the fastest of each counts, since
  /// everything else is noise of the machine.
  ///
  /// For `valgrind --tool=callgrind`, whose counts do not depend on what else the machine does, the program takes
  /// another number (few are enough) and the beginning of the only name to be measured.
  static let rounds = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 100
  static let only = CommandLine.arguments.dropFirst(2).first ?? ""

  /// Not asynchronous itself: the runtime then ends the main thread, which valgrind does not survive.
  static func main() {
    let done = DispatchSemaphore(value: 0)
    Task.detached {
      do { try await measure() } catch {
        print(error)
        exit(1)
      }
      done.signal()
    }
    done.wait()
  }

  static func measure() async throws {
    let baseline = clbench_open()
    defer { clbench_close(baseline) }
    let clock = ContinuousClock()
    let script = try LuaScript(
      LuaConfiguration(
        name: "bench", modules: [module(clock)], limits: LuaLimits(instructions: .max, seconds: 600)))
    let sources = try await script.load(source: source, name: "bench.lua")
    func function(_ index: Int) throws -> LuaFunction {
      guard let function = sources[index].function else {
        throw LuaError(code: .value, message: "no function")
      }
      return function
    }

    let calls = 10_000
    var failed = false
    func compare(
      _ name: String, atMost limit: Double, _ ours: () async throws -> Duration, _ theirs: (Int32) -> Int64
    ) async throws {
      guard name.hasPrefix(only) else { return }
      var best = (ours: Double.infinity, theirs: Double.infinity)
      for _ in 0..<rounds {
        best.ours = min(best.ours, try await ours() / .nanoseconds(1) / Double(calls))
        best.theirs = min(best.theirs, Double(theirs(Int32(calls))) / Double(calls))
      }
      let ratio = best.ours / best.theirs
      failed = failed || ratio > limit
      print(
        name.padded(to: 40) + "\(best.ours.rounded(1)) ns".padded(to: 12)
          + "C \(best.theirs.rounded(1)) ns".padded(to: 14)
          + "ratio \(ratio.rounded(2)) (at most \(limit)) \(ratio > limit ? "TOO SLOW" : "ok")")
    }

    let plain = try function(0)
    try await compare(
      "handler call, reused coroutine", atMost: 1.5, { try await plainCalls(script, plain, calls) },
      { clbench_plain_calls(baseline, $0) })
    let table = try function(1)
    try await compare(
      "six-field table in, string out", atMost: 1.5, { try await tableCalls(script, table, calls) },
      { clbench_table_calls(baseline, $0) })
    let host = try function(2)
    try await compare(
      "host function call", atMost: 2, { try await loop(script, host, calls) },
      { clbench_host_calls(baseline, $0) })
    let waits = try function(3)
    try await compare(
      "waiting call that returns at once", atMost: 5, { try await loop(script, waits, calls) },
      { clbench_yields(baseline, $0) })

    guard only.isEmpty else { return }
    let sleeper = try function(4)
    let elapsed = try await clock.measure {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<1_000 { group.addTask { _ = try await script.call(sleeper) } }
        try await group.waitForAll()
      }
    }
    let seconds = elapsed / .seconds(1)
    failed = failed || seconds > 0.2
    print(
      "1,000 handlers, 5 sleeps of 10 ms each".padded(to: 40)
        + "\(seconds.rounded(3)) s (at most 0.2 s) \(seconds > 0.2 ? "TOO SLOW" : "ok")")
    if failed { exit(1) }
  }

  static let source = """
    return function(n) return n + 1 end,
      function(file) return file.stem .. file.ext end,
      function(n) local add = bench.add local s = 0 for i = 1, n do s = add(s, i) end return s end,
      function(n) local pause = bench.pause for i = 1, n do pause() end end,
      function() for i = 1, 5 do bench.sleep(0.01) end end
    """

  static func module(_ clock: ContinuousClock) -> LuaModule {
    LuaModule("bench") { module in
      module.function("add") { call in call.push(try call.integer(1) &+ call.integer(2)) }
      let nothing = LuaOperation { [] }
      module.waiting("pause") { _ in nothing }
      module.waiting("sleep") { call in
        let seconds = try call.finite(1, in: 0...)
        return LuaOperation {
          try await clock.sleep(for: .seconds(seconds))
          return []
        }
      }
    }
  }

  static func plainCalls(
    _ script: LuaScript, _ function: LuaFunction, _ count: Int
  ) async throws -> Duration {
    try await script.visit { script in
      let start = clbench_cpu_time()
      var sum: Int64 = 0
      for i in 0..<count {
        _ = try script.start(function, arguments: { $0.push(i) }, results: { sum &+= try $0.integer(1) })
      }
      precondition(sum > 0)
      return .nanoseconds(clbench_cpu_time() - start)
    }
  }

  static func tableCalls(
    _ script: LuaScript, _ function: LuaFunction, _ count: Int
  ) async throws -> Duration {
    try await script.visit { script in
      let start = clbench_cpu_time()
      var sum = 0
      for i in 0..<count {
        _ = try script.start(
          function,
          arguments: { arguments in
            try arguments.pushTable(fields: 6) { table in
              try table.set("path", "handbook/a b.md")
              try table.set("stem", "a b")
              try table.set("ext", ".md")
              table.set("size", i)
              table.set("modified", 1.5)
              table.set("exists", true)
            }
          }, results: { sum &+= try $0.string(1).utf8.count })
      }
      precondition(sum > 0)
      return .nanoseconds(clbench_cpu_time() - start)
    }
  }

  static func loop(
    _ script: LuaScript, _ function: LuaFunction, _ count: Int
  ) async throws -> Duration {
    try await script.visit { script in
      let start = clbench_cpu_time()
      _ = try await script.call(function, arguments: { $0.push(count) }, results: { $0.count })
      return .nanoseconds(clbench_cpu_time() - start)
    }
  }
}

extension String {
  fileprivate func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(1, width - count))
  }
}

extension Double {
  fileprivate func rounded(_ digits: Int) -> Double {
    let scale = [1.0, 10, 100, 1_000][digits]
    return (self * scale).rounded() / scale
  }
}
