import Glibc
import Testing
import Workspace

@Suite struct SweepTests {
  @Test("Unfinished files of processes that are gone are removed, others stay")
  func sweep() throws {
    // A process that has ended, and was waited for: its number is nobody's.
    var process: pid_t = 0
    var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("true"), nil]
    defer { arguments.forEach { free($0) } }
    #expect(posix_spawnp(&process, "true", nil, nil, &arguments, nil) == 0)
    #expect(waitpid(process, nil, 0) == process)

    let gone = "in/.moontide-\(process)-1.part"
    let held = "in/.moontide-\(process)-2.part"
    let others = [
      "in/.moontide-\(getpid())-77.part", "in/.moontide-1-1.part", "in/.moontide-x-1.part", "in/a.part",
      "in/.moontide-notes", "in/.moontide-\(process)-1.part.txt",
    ]
    let project = try TemporaryProject().make(gone, held)
    for other in others { try project.make(other) }
    let lock = open(project.directory + "/" + held, O_RDONLY)
    defer { close(lock) }
    #expect(flock(lock, LOCK_EX | LOCK_NB) == 0)
    let workspace = try project.workspace()
    #expect(try workspace.sweepUnfinished(in: path("in")) == 1)
    #expect(try project.names("in") == (others + [held]).map { String($0.dropFirst(3)) }.sorted())
    #expect(try workspace.sweepUnfinished(in: path("none")) == 0)
  }

  @Test("A link tells where it leads, as it is written, whatever is there")
  func links() throws {
    let project = try TemporaryProject().make("a.md", "dir/b.md")
    project.link("lost", to: "nowhere/x")
    project.link("out", to: "/etc/passwd")
    project.link("way", to: "dir")
    project.link("dir/up", to: "../a.md")
    let workspace = try project.workspace()
    #expect(try workspace.linkTarget(of: path("lost")) == "nowhere/x")
    #expect(try workspace.linkTarget(of: path("out")) == "/etc/passwd")
    #expect(try workspace.linkTarget(of: path("way/up")) == "../a.md")
    for name in ["a.md", "way/b.md", "none"] { #expect(try workspace.linkTarget(of: path(name)) == nil) }
  }
}
