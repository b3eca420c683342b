import FileSessions
import Ingestion
import Testing
import Workspace

@Suite("Settling")
struct SettlingTests {
  private let now = Timestamp(milliseconds: 2_000_000_000_000)
  private let quiet = Duration.seconds(2)

  private func stamp(_ size: Int64 = 1, age: Duration) -> FileStamp {
    FileStamp(size: size, modified: (now + (.zero - age)).milliseconds * 1_000_000, inode: 1)
  }

  @Test("takes at once what was changed long ago, and looks at the rest again when its time has come")
  func age() {
    var old = Stillness(now: now)
    #expect(old.look(stamp(age: .seconds(2)), now: now, quiet: quiet, trustsTimes: true) == .settled)
    var young = Stillness(now: now)
    #expect(
      young.look(stamp(age: .seconds(0.5)), now: now, quiet: quiet, trustsTimes: true)
        == .again(at: now + .seconds(1.5)))
    #expect(
      young.look(stamp(age: .seconds(0.5)), now: now + .seconds(1.5), quiet: quiet, trustsTimes: true)
        == .settled)
  }

  @Test("begins anew with each change of size or time, until that is hopeless")
  func changing() {
    var still = Stillness(now: now)
    for second in 0..<9 {
      let moment = now + .seconds(second)
      let seen = FileStamp(size: Int64(second), modified: moment.milliseconds * 1_000_000, inode: 1)
      let answer = still.look(seen, now: moment, quiet: quiet, trustsTimes: true)
      #expect(answer == .again(at: moment + quiet))
      #expect(!still.isHopeless(now: moment, quiet: quiet))
    }
    #expect(still.isHopeless(now: now + .seconds(10), quiet: quiet))
  }

  @Test("does not wait for a time in the future, nor for a clock that was set back")
  func skew() {
    var ahead = Stillness(now: now)
    let future = stamp(age: .seconds(-86_400))
    #expect(
      ahead.look(future, now: now, quiet: quiet, trustsTimes: true) == .again(at: now + quiet))
    #expect(ahead.look(future, now: now + quiet, quiet: quiet, trustsTimes: true) == .settled)
    var back = Stillness(now: now + .seconds(3600))
    _ = back.look(future, now: now + .seconds(3600), quiet: quiet, trustsTimes: false)
    #expect(back.look(future, now: now, quiet: quiet, trustsTimes: false) == .again(at: now + quiet))
  }

  @Test("believes no other machine's times: the file itself has to stay the same")
  func untrusted() {
    var still = Stillness(now: now)
    let old = stamp(age: .seconds(3600))
    #expect(still.look(old, now: now, quiet: quiet, trustsTimes: false) == .again(at: now + quiet))
    #expect(
      still.look(stamp(2, age: .seconds(3600)), now: now + quiet, quiet: quiet, trustsTimes: false)
        == .again(at: now + quiet + quiet))
  }

  @Test("waits 2 seconds, 30 on a network file system, or as long as it is told")
  func usual() {
    #expect(Settling().quiet(on: FileSystemKind(magic: 0xEF53)) == .seconds(2))
    #expect(Settling().quiet(on: FileSystemKind(magic: 0x6969)) == .seconds(30))
    #expect(Settling(quiet: .seconds(5)).quiet(on: FileSystemKind(magic: 0x6969)) == .seconds(5))
  }

  @Test(
    "leaves names of files in progress alone",
    arguments: [
      ("a.md", false), ("a.md.part", true), ("b.crdownload", true), ("c.tmp", true), ("~$d.docx", true),
      ("part", false), ("x.tmp/a.md", false),
    ])
  func names(name: String, isLeft: Bool) throws {
    #expect((Settling().withholding(try ProjectPath(name)) != nil) == isLeft)
    #expect(Settling(inProgress: []).withholding(try ProjectPath(name)) == nil)
  }

  @Test(
    "knows markers by their shape",
    arguments: [
      ("{name}.done", "d/a.csv", "d/a.csv.done"), ("{stem}.ready", "d/a.csv", "d/a.ready"),
      ("READY", "d/a.csv", "d/READY"), (".{name}", "a.csv", ".a.csv"),
    ])
  func markers(template: String, file: String, marker: String) throws {
    let ready = try ReadyMarker(template)
    let (file, marker) = (try ProjectPath(file), try ProjectPath(marker))
    #expect(ready.path(for: file) == marker && ready.isMarker(marker.name) && !ready.isMarker(file.name))
    #expect(template.contains("{name}") == (ready.file(of: marker) == file))
    #expect(Settling(ready: ready).withholding(marker) == .marker)
  }

  @Test(
    "refuses markers that would be the file itself, or elsewhere",
    arguments: ["{name}", "", "done/{name}", "{nam}.x", "{name}{stem}"])
  func wrongMarkers(template: String) {
    #expect(throws: ReadyMarker.Problem.self) { try ReadyMarker(template) }
  }

  @Test("explains any path, with the first reason")
  func explains() throws {
    let project = try TemporaryProject()
    for path in [
      "in/a.csv", "in/a.csv.done", "in/b.csv", "in/c.csv.part", "in/old/d.csv", "in/.e.csv", "in/f.txt",
    ] {
      try project.write("x", to: path)
      try project.age(path, modified: now + .seconds(-60))
    }
    try project.link("in/l.csv", to: "in/a.csv")
    let workspace = try project.workspace()
    let walk = WalkSettings(
      root: try ProjectPath("in"), globs: try GlobSet(include: ["**/*.csv", "**/*.part"], exclude: ["old/"]))
    let settling = Settling(ready: try ReadyMarker("{name}.done"))
    func said(_ path: String, at moment: Timestamp? = nil) throws -> CandidateView {
      workspace.explain(try ProjectPath(path), walk: walk, settling: settling, now: moment ?? now)
    }
    #expect(try said("in/a.csv") == .taken)
    #expect(try said("in/a.csv", at: now + .seconds(-59)) == .withheld(.changing))
    #expect(try said("in/b.csv") == .withheld(.waiting(for: ProjectPath("in/b.csv.done"))))
    #expect(try said("in/c.csv.part").description.contains("*.part"))
    #expect(try said("in/old/d.csv").description.contains("old/"))
    #expect(try said("in/.e.csv") == .unseen(.hidden(component: ".e.csv")))
    #expect(try said("in/f.txt") == .unseen(.notIncluded))
    #expect(try said("in/l.csv") == .unseen(.link(ProjectPath("in/l.csv"))))
  }

  @Test("keeps one entry a path and gives each when it is due, in order, whatever is postponed")
  func room() throws {
    var room = WaitingRoom()
    for number in stride(from: 99, through: 0, by: -1) {
      room.hold(
        WaitingRoom.Guest(
          path: try ProjectPath("\(number)"), stillness: Stillness(now: now), due: now + .seconds(number)))
    }
    // Postponed, preferred, and deferred instead.
    room.hold(
      WaitingRoom.Guest(path: try ProjectPath("3"), stillness: Stillness(now: now), due: now + .seconds(50)))
    room.hold(
      WaitingRoom.Guest(path: try ProjectPath("90"), stillness: Stillness(now: now), due: now + .seconds(1)))
    room.hold(WaitingRoom.Guest(path: try ProjectPath("4"), due: now + .seconds(4)))
    #expect(room.count == 100 && room.settling == 99)
    let first = room.takeDue(now: now + .seconds(5), limit: 100).map(\.path.string)
    #expect(Set(first) == ["0", "1", "90", "2", "4", "5"] && first.first == "0")
    #expect(room.takeDue(now: now + .seconds(5), limit: 100).isEmpty)
    room.clockWentBack(by: .seconds(50))
    #expect(room.takeDue(now: now, limit: 100).map(\.path.string).contains("50"))
    let rest = room.takeDue(now: now + .seconds(1000), limit: 1000)
    #expect(room.count == 0 && room.settling == 0 && rest.count > 40)
  }
}
