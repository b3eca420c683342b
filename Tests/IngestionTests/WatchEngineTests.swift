import FileSessions
import Foundation
import Ingestion
import SQLiteLedger
import Synchronization
import Testing
import Workspace

@Suite("An engine that waits for files", .timeLimit(.minutes(2)))
struct WatchEngineTests {
  @Test(
    "waits in a one-time run for a young file, also for one of the future, and leaves one that keeps changing"
  )
  func oneTime() async throws {
    let project = try TemporaryProject()
    let rig = try await Rig(project)
    let clockBox = Mutex<VirtualClock?>(nil)
    let clock = VirtualClock(runsByItself: true) {
      // Whoever writes this file never rests.
      guard let now = clockBox.withLock({ $0 })?.now else { return }
      try? project.age("growing.md", modified: now)
    }
    clockBox.withLock { $0 = clock }
    for (path, age) in [("old.md", -3600.0), ("young.md", -1), ("future.md", 7200), ("growing.md", -0.5)] {
      try project.write(path, to: path)
      try project.age(path, modified: clock.now + .seconds(age))
    }
    try project.write("no", to: "never.md.part")
    let watch = try WatchRig(rig, SwiftRecipe(include: ["*"], settling: Settling()), clock: clock)
    let began = clock.now
    let summary = await watch.run()
    #expect(summary.sent == 3 && summary.waiting == 1 && summary.found == 4 && summary.isClean, "\(summary)")
    let waited = clock.now - began
    #expect(waited >= .seconds(10) && waited < .seconds(15), "\(waited)")
    let left = await watch.allEvents().compactMap { event -> String? in
      if case .waiting(let path, .changing) = event { path.string } else { nil }
    }
    #expect(left == ["growing.md"])
    #expect(try await Set(rig.sessions().map(\.filename)) == ["old.md", "young.md", "future.md"])
  }

  @Test("waits for the marker, which is no candidate, and says which")
  func marker() async throws {
    let project = try TemporaryProject()
    try project.write("a", to: "a.csv")
    try project.write("", to: "a.csv.done")
    try project.write("b", to: "b.csv")
    let rig = try await Rig(project)
    let recipe = try SwiftRecipe(
      include: ["*"], settling: Settling(quiet: .zero, ready: ReadyMarker("{name}.done")))
    let watch = try WatchRig(rig, recipe, clock: VirtualClock(runsByItself: true))
    let summary = await watch.run()
    #expect(summary.sent == 1 && summary.waiting == 1 && summary.found == 2, "\(summary)")
    #expect(recipe.asked.withLock { $0 } == ["a.csv"])
  }

  @Test("decides about a file that changes often once, when it has stopped")
  func coalesces() async throws {
    let project = try TemporaryProject()
    let clock = VirtualClock(runsByItself: false)
    let (rig, tree) = (try await Rig(project), ToldTree())
    let recipe = try SwiftRecipe(settling: Settling())
    let watch = try WatchRig(rig, recipe, clock: clock)
    let summary = try await watch.watch(through: tree.open) { events in
      #expect(await events.caughtUp()?.found == 0, "the first pass is told of")
      for number in 1...5 {
        try project.write(String(repeating: "x", count: number), to: "a.md")
        try project.age("a.md", modified: clock.now)
        try await tree.told(changed: "a.md", "gone.md")
        clock.advance(by: .seconds(1.9))
      }
      let last = clock.now
      #expect(await clock.flow { await events.sent() } == "a.md")
      #expect(clock.now >= last + .seconds(0.1))
      // Perhaps it was told of while it was under way, and is looked at once more.
      #expect(await clock.flow { await events.caughtUp() }?.sent == 1)
    }
    #expect(summary.sent == 1 && summary.found == 1 && summary.stop == .requested, "\(summary)")
    #expect(recipe.asked.withLock { $0 } == ["a.md"])
    #expect(try await rig.sessions().map(\.sizeBytes) == [5])
    #expect(recipe.summaries.withLock { $0.map(\.sent) } == [0, 1], "once each time nothing is left")
    #expect(tree.isClosed)
  }

  @Test("asks again about a deferred file when it is due, and walks again after so long")
  func deferred() async throws {
    let project = try TemporaryProject()
    try project.write("later", to: "later.md")
    let clock = VirtualClock(runsByItself: false)
    let (rig, tree, postponed) = (try await Rig(project), ToldTree(), CallsLeft(1))
    let recipe = try SwiftRecipe(rediscovery: .seconds(1000)) { _ in
      postponed.take() ? .postpone(.seconds(60), reason: "not yet") : .send(Wishes())
    }
    let watch = try WatchRig(rig, recipe, clock: clock)
    _ = try await watch.watch(through: tree.open) { events in
      #expect(await events.caughtUp()?.deferred == 1)
      let began = clock.now
      #expect(await clock.flow { await events.sent() } == "later.md")
      #expect(clock.now >= began + .seconds(60))
      // A file that a walk met under way is looked at once more, for which time has to go on.
      _ = await clock.flow { await events.caughtUp() }
      // Nobody tells of this one.
      try project.write("unseen", to: "unseen.md")
      #expect(await clock.flow { await events.sent() } == "unseen.md")
      #expect(clock.now >= began + .seconds(1000))
      try project.write("more", to: "more.md")
      tree.tell { $0.rescan = .overflow }
      #expect(await events.sent() == "more.md")
      let told = await clock.flow { await events.caughtUp() }
      #expect(told?.alreadyDone == 0, "what was done before is not counted again")
    }
  }

  @Test(
    "while it polls, takes at once what has not changed for long, in its first pass; later not by its time alone"
  )
  func polling() async throws {
    let project = try TemporaryProject()
    let clock = VirtualClock(runsByItself: false)
    let (rig, tree) = (try await Rig(project), ToldTree())
    try project.write("old", to: "old.md")
    try project.age("old.md", modified: clock.now + .seconds(-3600))
    tree.tell { $0.notices.append(.polling(why: "a test says so")) }
    let watch = try WatchRig(rig, try SwiftRecipe(settling: Settling()), clock: clock)
    let summary = try await watch.watch(through: tree.open) { events in
      let first = await events.sent()
      #expect(first == "old.md")
      try project.write("moved in", to: "in.md")
      try project.age("in.md", modified: clock.now + .seconds(-3600))
      let before = clock.now
      let second = await clock.flow { await events.sent() }
      #expect(second == "in.md")
      #expect(clock.now - before >= Engine.usualPolling + .seconds(2))
    }
    #expect(summary.sent == 2, "\(summary)")
  }

  @Test("takes a file when its marker comes")
  func markerComes() async throws {
    let project = try TemporaryProject()
    try project.write("a", to: "a.csv")
    try project.write("b", to: "b.csv")
    let clock = VirtualClock(runsByItself: false)
    let (rig, tree) = (try await Rig(project), ToldTree())
    let recipe = try SwiftRecipe(
      include: ["*.csv"], settling: Settling(quiet: .zero, ready: ReadyMarker("{stem}.ready")))
    let watch = try WatchRig(rig, recipe, clock: clock)
    let summary = try await watch.watch(through: tree.open) { events in
      #expect(await events.caughtUp()?.waiting == 2)
      try project.write("", to: "b.ready")
      try tree.tell(changed: "b.ready")
      #expect(await events.sent() == "b.csv")
    }
    #expect(summary.sent == 1 && summary.waiting == 1 && summary.found == 2, "\(summary)")
  }

  @Test("waits for a root that is gone, fails nothing meanwhile, and goes on when it is back")
  func root() async throws {
    let project = try TemporaryProject()
    try project.write("a", to: "in/a.md")
    let clock = VirtualClock(runsByItself: false)
    let rig = try await Rig(project)
    let recipe = try SwiftRecipe(root: "in")
    let watch = try WatchRig(rig, recipe, clock: clock)
    let summary = try await watch.watch { events in
      #expect(await events.sent() == "in/a.md")
      _ = await events.caughtUp()
      try FileManager.default.moveItem(atPath: project.root + "/in", toPath: project.root + "/away")
      #expect(await events.problem()?.contains("nothing there counts as deleted") == true)
      try project.write("b", to: "away/b.md")
      try FileManager.default.moveItem(atPath: project.root + "/away", toPath: project.root + "/in")
      #expect(await events.sent() == "in/b.md")
      #expect(await clock.flow { await events.caughtUp() }?.failed == 0)
    }
    #expect(summary.sent == 2 && summary.failed == 0 && summary.problems == 1, "\(summary)")
  }

  @Test(
    "takes nothing for deleted when the root goes away in the middle of a run, and sends it when it is back")
  func rootOfRun() async throws {
    let project = try TemporaryProject()
    for name in ["a", "b", "c"] { try project.write(name, to: "in/sub/\(name).md") }
    let rig = try await Rig(project)
    let recipe = try SwiftRecipe(root: "in", afterFailure: .remove)
    let once = CallsLeft(1)
    let first = try await rig.run(
      recipe,
      wrap: { service in
        MeddlingService(base: service) {
          guard once.take() else { return }
          try? FileManager.default.moveItem(atPath: project.root + "/in", toPath: project.root + "/away")
        }
      })
    // The one that was open is read to its end; the others cannot be found.
    #expect(first.summary.failed == 0 && first.summary.problems == 3 - first.summary.sent, "\(first.summary)")
    #expect(!first.summary.isClean && recipe.failures.withLock { $0.isEmpty })
    try FileManager.default.moveItem(atPath: project.root + "/away", toPath: project.root + "/in")
    let second = try await rig.run(recipe).summary
    #expect(second.sent == 3 - first.summary.sent && second.isClean, "\(second)")
    #expect(try await rig.sessions().filter { $0.status == .completed }.count == 3)
    #expect(try await rig.sessions().filter { $0.status == .pending }.isEmpty)
  }

  @Test("asks a service that is away again by itself, ever more rarely", arguments: [1, 2])
  func outage(files: Int) async throws {
    let project = try TemporaryProject()
    for number in 1...files { try project.write("\(number)", to: "\(number).md") }
    let clock = VirtualClock(runsByItself: false)
    let (rig, tree) = (try await Rig(project), ToldTree())
    let away = FaultyService.Fault.refused(ServiceError(.serviceUnavailable, "away"))
    let watch = try WatchRig(rig, SwiftRecipe(), clock: clock) {
      // All but the last one are sent before.
      FaultyService($0, [.create: Array(repeating: nil, count: files - 1) + [away, away]])
    }
    let summary = try await watch.watch(through: tree.open) { events in
      let began = clock.now
      for seconds in [5, 10] {
        #expect(await clock.flow { await events.problem() }?.contains("again in \(seconds) s") == true)
      }
      #expect(await clock.flow { await events.sent() } != nil)
      #expect(clock.now >= began + .seconds(15))
    }
    #expect(summary.sent == files && summary.failed == 0 && summary.stop == .requested, "\(summary)")
  }

  @Test(
    "tells how many files wait behind a key that is refused, also those that it has not come to",
    arguments: [true, false])
  func heldUp(isWatching: Bool) async throws {
    let project = try TemporaryProject()
    for number in 1...400 { try project.write("\(number)", to: "\(number).md") }
    let clock = VirtualClock(runsByItself: false)
    let (rig, tree) = (try await Rig(project), ToldTree())
    let error = ServiceError(.unauthorized, "The key is not known.")
    let watch = try WatchRig(rig, SwiftRecipe(), clock: clock) { OutService(base: $0, error: error) }
    guard isWatching else {
      let summary = await watch.run()
      #expect(summary.found == 400 && summary.left == 400 && summary.stop == .service(error), "\(summary)")
      return
    }
    let summary = try await watch.watch(through: tree.open) { events in
      for _ in 1...2 {
        let told = await clock.flow { await events.problem() }
        #expect(told?.hasPrefix("paused: key refused; 400 files waiting. ") == true, "\(told ?? "nothing")")
      }
    }
    #expect(summary.failed == 0 && summary.sent == 0, "\(summary)")
    #expect(summary.found == 400 && summary.left == 400, "those that waited are left: \(summary)")
  }

  @Test("sends what a file has become while what was to follow on it failed, once that is through")
  func changedMeanwhile() async throws {
    let project = try TemporaryProject()
    try project.write("old", to: "a.md")
    let clock = VirtualClock(runsByItself: false)
    let (rig, tree) = (try await Rig(project), ToldTree())
    let recipe = try SwiftRecipe(after: .copy(to: "copies"), rediscovery: .seconds(100_000), stepFaults: 1)
    let watch = try WatchRig(rig, recipe, clock: clock)
    let summary = try await watch.watch(through: tree.open) { events in
      #expect(await events.sent() == "a.md")
      _ = await clock.flow { await events.caughtUp() }
      try project.write("newer", to: "a.md")
      try await tree.told(changed: "a.md")
      let began = clock.now
      #expect(await clock.flow { await events.sent() } == "a.md")
      #expect(clock.now < began + .seconds(1_000), "not only when everything is looked through again")
      _ = await clock.flow { await events.caughtUp() }
    }
    #expect(summary.sent == 2, "\(summary)")
    #expect(try await rig.sessions().map(\.sizeBytes).sorted() == [3, 5])
  }

  @Test("counts a file once that it looks at again and again")
  func looksAgain() async throws {
    let project = try TemporaryProject()
    try project.write("later", to: "later.md")
    let clock = VirtualClock(runsByItself: false)
    let (rig, tree, postponed) = (try await Rig(project), ToldTree(), CallsLeft(4))
    let recipe = try SwiftRecipe { _ in
      postponed.take() ? .postpone(.seconds(60), reason: "not yet") : .send(Wishes())
    }
    let watch = try WatchRig(rig, recipe, clock: clock)
    let summary = try await watch.watch(through: tree.open) { events in
      let first = await events.caughtUp()
      #expect(first?.found == 1 && first?.deferred == 1, "\(String(describing: first))")
      #expect(await clock.flow { await events.sent() } == "later.md")
      let last = await clock.flow { await events.caughtUp() }
      #expect(last?.found == 1 && last?.sent == 1, "\(String(describing: last))")
    }
    #expect(summary.found == 1 && summary.deferred == 0 && summary.sent == 1, "\(summary)")
    #expect(recipe.asked.withLock { $0.count } == 5)
    #expect(recipe.summaries.withLock { $0.count } == 2, "that it is put off once more is not told")
  }

  @Test("counts a file that fails again and again by what comes of it in the end", arguments: [3, 9])
  func failsAgain(failures: Int) async throws {
    let project = try TemporaryProject()
    try project.write("late", to: "late.md")
    let clock = VirtualClock(runsByItself: false)
    let (rig, tree) = (try await Rig(project), ToldTree())
    let faults = CallsLeft(failures)
    let recipe = try SwiftRecipe { _ in
      faults.take() ? .fault(Failure(.changing, "not yet")) : .send(Wishes())
    }
    let watch = try WatchRig(rig, recipe, clock: clock)
    let summary = try await watch.watch(through: tree.open) { events in
      #expect(await clock.flow { await events.sent() } == "late.md")
      _ = await clock.flow { await events.caughtUp() }
    }
    #expect(summary.found == 1 && summary.failed == 0 && summary.sent == 1, "\(summary)")
    #expect(recipe.asked.withLock { $0.count } == failures + 1)
  }

  @Test("says once of a file that it is put off, however often `failed` wants it tried again")
  func triedAgain() async throws {
    let project = try TemporaryProject()
    try project.write("late", to: "late.md")
    let clock = VirtualClock(runsByItself: false)
    let (rig, tree, rejections) = (try await Rig(project), ToldTree(), CallsLeft(4))
    let recipe = try SwiftRecipe(afterFailure: .retry(after: 60)) { _ in
      rejections.take() ? .reject(reason: "not yet") : .send(Wishes())
    }
    let watch = try WatchRig(rig, recipe, clock: clock)
    let summary = try await watch.watch(through: tree.open) { events in
      #expect(await clock.flow { await events.sent() } == "late.md")
      _ = await clock.flow { await events.caughtUp() }
    }
    #expect(
      summary.found == 1 && summary.sent == 1 && summary.deferred == 0 && summary.rejected == 0, "\(summary)")
    #expect(recipe.summaries.withLock { $0.map(\.deferred) } == [1, 0])
  }

  @Test("does what other processes ask: tries again what failed, begins nothing in a pause, goes on after it")
  func asked() async throws {
    let project = try TemporaryProject()
    try project.write("a", to: "a.md")
    // Every turn takes a second, and no time.
    let clock = VirtualClock(runsByItself: true)
    let (rig, tree, rejections) = (try await Rig(project), ToldTree(), CallsLeft(1))
    let recipe = try SwiftRecipe(rediscovery: .seconds(1_000_000_000)) { _ in
      rejections.take() ? .reject(reason: "not yet") : .send(Wishes())
    }
    let watch = try WatchRig(rig, recipe, clock: clock)
    let summary = try await watch.watch(through: tree.open) { events in
      #expect(await events.caughtUp()?.rejected == 1)
      let desk = try LedgerDesk(directory: project.state, clock: clock.wall)
      try await desk.leave(.retry(JobSelection()))
      #expect(
        await events.next { if case .answered(let what) = $0 { what } else { nil } }
          == "1 file is tried again")
      #expect(await events.sent() == "a.md")
      #expect(await events.caughtUp()?.sent == 1)

      try await desk.pause(profile: nil, recipe: "test")
      #expect(await events.news()?.hasPrefix("paused since") == true)
      try project.write("b", to: "b.md")
      try await tree.told(changed: "b.md")
      let began = clock.now
      while clock.now < began + .seconds(20) { await Task.yield() }
      #expect(try await rig.sessions().count == 1, "nothing is begun in a pause")
      #expect(try await desk.resume(profile: nil, recipe: nil) == 1)
      #expect(await events.news() == "the pause is over")
      #expect(await events.sent() == "b.md")
      #expect(await events.caughtUp()?.sent == 1)
    }
    #expect(
      summary.sent == 2 && summary.found == 2 && summary.rejected == 0 && summary.left == 0, "\(summary)")
  }
}
