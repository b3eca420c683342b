import LuaHost
import Synchronization
import Testing

@Suite struct LifetimeTests {
  @Test("Cancelling the task cancels what the call waits for, and the script cannot catch it")
  func cancellation() async throws {
    let clock = ManualClock()
    let script = try makeScript(clock)
    let values = try await script.load(
      source: """
        local closed = 0
        local function handler()
          local c <close> = setmetatable({}, {__close = function() closed = closed + 1 end})
          while true do pcall(host.sleep, 100) end
        end
        return handler, function() return closed end
        """, name: "t.lua")
    let handler = try #require(values[0].function)
    let closed = try #require(values[1].function)
    let task = Task { try await script.call(handler, label: "handler") }
    await clock.untilSleeping(1)
    task.cancel()
    do {
      _ = try await task.value
      Issue.record("no error")
    } catch let error as LuaError {
      #expect(error.code == .cancelled)
      #expect(error.label == "handler")
    }
    #expect(clock.sleepers == 0)
    #expect(try await script.call(closed) == [1])
  }

  @Test("Cancelling ends a script that is busy")
  func cancelBusy() async throws {
    let script = try makeScript(limits: LuaLimits(instructions: .max, seconds: 60))
    let started = AsyncStream.makeStream(of: Void.self)
    let task = Task {
      started.continuation.finish()
      return try await script.load(
        source: "while true do pcall(function() while true do end end) end", name: "t.lua")
    }
    for await _ in started.stream {}
    task.cancel()
    do {
      _ = try await task.value
      Issue.record("no error")
    } catch let error as LuaError {
      #expect(error.code == .cancelled)
    }
    #expect(try await script.load(source: "return 1", name: "t.lua") == [1])
  }

  @Test("Closing a script ends the calls that wait, and refuses later ones")
  func closing() async throws {
    let clock = ManualClock()
    let script = try makeScript(clock)
    let handler = try #require(
      try await script.load(source: "return function() host.sleep(100) end", name: "t.lua")[0].function)
    let tasks = (0..<5).map { _ in Task { try await script.call(handler) } }
    await clock.untilSleeping(5)
    await script.close()
    for task in tasks {
      do {
        _ = try await task.value
        Issue.record("no error")
      } catch let error as LuaError {
        #expect(error.code == .closed)
      }
    }
    #expect(clock.sleepers == 0)
    await #expect(throws: LuaError.self) { try await script.call(handler) }
    await #expect(throws: LuaError.self) { try await script.load(source: "", name: "t.lua") }
    await script.close()
  }

  @Test("A script that nobody refers to frees its state, its objects and its thread")
  func release() async throws {
    final class Canary: Sendable {
      let gone: AsyncStream<Void>.Continuation
      init(_ gone: AsyncStream<Void>.Continuation) { self.gone = gone }
      deinit { gone.finish() }
    }
    for _ in 0..<50 {
      let stream = AsyncStream.makeStream(of: Void.self)
      do {
        let script = try makeScript()
        let canary = LuaValue.opaque(Canary(stream.continuation))
        _ = try await script.load(source: "kept = ...", name: "t.lua", arguments: [canary])
      }
      for await _ in stream.stream {}
    }
  }

  @Test("Objects that a script let go of are released before they are many, and those that it holds are kept")
  func garbage() async throws {
    final class Count: Sendable {
      let now = Atomic(0)
      let most = Atomic(0)
    }
    final class Counted: Sendable {
      let count: Count
      init(_ count: Count) {
        self.count = count
        count.most.max(count.now.add(1, ordering: .relaxed).newValue, ordering: .relaxed)
      }
      deinit { count.now.subtract(1, ordering: .relaxed) }
    }
    let count = Count()
    let script = try makeScript()
    let keep = try #require(
      try await script.load(
        source:
          "local kept = {} return function(o, i) if i % 100 == 0 then kept[#kept + 1] = o end return #kept end",
        name: "t.lua")[0].function)
    for number in 0..<50_000 {
      _ = try await script.call(keep, [.opaque(Counted(count)), .integer(Int64(number))])
    }
    #expect((500...5_000).contains(count.now.load(ordering: .relaxed)))
    #expect(count.most.load(ordering: .relaxed) <= 5_000)
    await script.close()
  }

  @Test("print gives the host one line, and the first line may be a #! or start with a byte order mark")
  func printing() async throws {
    let printed = Printed()
    let script = try makeScript(printed: printed)
    _ = try await script.load(
      source:
        "\u{feff}#!/usr/bin/env moontide\nprint(1, nil, 'x', host.book('b'), setmetatable({}, {__tostring = function() return 'T' end}))",
      name: "t.lua")
    #expect(printed.lines == ["1\tnil\tx\tbook(b)\tT"])
    let error = try await failure("#!x\nerror('y')")
    #expect(error.line == 2)
  }

  @Test("Visiting the script makes many calls in one visit")
  func visiting() async throws {
    let script = try makeScript()
    let add = try #require(
      try await script.load(source: "return function(a, b) return a + b end", name: "t.lua")[0].function)
    let sum = try await script.visit { script in
      var sum: Int64 = 0
      for i in 0..<1_000 {
        sum = try await script.call(
          add,
          arguments: { [sum] in
            $0.push(sum)
            $0.push(i)
          }, results: { try $0.integer(1) })
      }
      return sum
    }
    #expect(sum == 499_500)
  }

  @Test("A call can be started at once and finished later, if it waits")
  func startAndFinish() async throws {
    let script = try makeScript()
    let values = try await script.load(
      source: "return function(n) return n + 1 end, function(n) return host.later(n) end, error",
      name: "t.lua")
    let functions = values.compactMap(\.function)
    let results = try await script.visit { script in
      var results: [Int64] = []
      for function in functions.prefix(2) {
        let pending = try script.start(
          function, arguments: { $0.push(1) }, results: { results.append(try $0.integer(1)) })
        guard let pending else { continue }
        results.append(try await script.finish(pending, results: { try $0.integer(1) * 10 }))
      }
      return results
    }
    #expect(results == [2, 10])
    await #expect(throws: LuaError.self) {
      try await script.visit { script in
        _ = try script.start(functions[2], label: "x", arguments: { $0.push(1) }, results: { _ in })
      }
    }
  }

  @Test("What others run before a call that waits has its turn again is not charged to it")
  func turns() async throws {
    let script = try makeScript(limits: LuaLimits(seconds: 0.4))
    let values = try await script.load(
      source: """
        return function() host.now() for _ = 1, 100000 do end return 'done' end,
          function() local start = os.clock() while os.clock() - start < 0.1 do end end
        """, name: "t.lua")
    let functions = values.compactMap(\.function)
    let text = try await script.visit { script in
      let pending = try script.start(functions[0], arguments: { _ in }, results: { _ in })
      for _ in 0..<8 { _ = try script.start(functions[1], arguments: { _ in }, results: { _ in }) }
      return try await script.finish(try #require(pending), results: { try $0.string(1) })
    }
    #expect(text == "done")
  }
}
