import LuaHost
import LuaLibrary
import Testing
import Workspace

/// Files outside of the project, where it was granted.
@Suite struct OutsideFilesTests {
  private func project() throws -> LibraryProject {
    let project = try LibraryProject()
    try project.make("project/in.txt", "inside")
    try project.make("outside/in/a.txt", "granted")
    try project.make("outside/in/deep/b.md", "deep")
    try project.make("outside/secret.txt", "SECRET")
    return project
  }

  @Test("Granted files are read by absolute path, through .. and through links, in every way")
  func reads() async throws {
    let project = try project()
    project.link("project/linked", to: project.outside + "/in")
    let context = try project.context(project.permissions(["--allow-read=../outside/in"]))
    let values = try await runScript(
      """
      local fs, dir = moontide.fs, ...
      local names = {}
      for _, entry in ipairs(fs.list(dir)) do names[#names + 1] = entry.path end
      return fs.read(dir .. "/a.txt"), fs.read("../outside/in/a.txt", 3), fs.read("linked/a.txt"),
        fs.exists(dir .. "/none"), fs.stat(dir .. "/a.txt").path, fs.stat(dir .. "/a.txt").size,
        table.concat(names, " "), table.concat(fs.glob("**/*.md", { root = dir }), " "),
        moontide.hash.file(dir .. "/a.txt", "md5") == moontide.hash.md5("granted")
      """, context, [.string(project.outside + "/in")])
    let dir = project.outside + "/in"
    #expect(
      values == [
        "granted", "gra", "granted", false, .string(dir + "/a.txt"), 7,
        .string("\(dir)/a.txt \(dir)/deep"), .string(dir + "/deep/b.md"), true,
      ])
  }

  @Test("Granted directories are written to, and only what lies below the project is recorded")
  func writes() async throws {
    let project = try project()
    let context = try project.context(
      project.permissions(["--allow-read=../outside/in", "--allow-write=../outside/in"]))
    let values = try await runScript(
      """
      local fs, dir = moontide.fs, ...
      return fs.write(dir .. "/new/w.txt", "w"), fs.copy("in.txt", dir .. "/"), fs.move(dir .. "/a.txt", "got/"),
        fs.mkdir(dir .. "/made"), fs.remove(dir .. "/deep/b.md")
      """, context, [.string(project.outside + "/in")])
    let dir = project.outside + "/in"
    #expect(
      values.prefix(4) == [
        .string(dir + "/new/w.txt"), .string(dir + "/in.txt"), "got/a.txt", .string(dir + "/made"),
      ])
    #expect(project.content("outside/in/new/w.txt") == "w")
    #expect(project.content("outside/in/in.txt") == "inside")
    #expect(project.content("project/got/a.txt") == "granted")
    #expect(project.content("outside/in/a.txt") == nil)
    #expect(project.content("outside/in/deep/b.md") == nil)
    #expect(project.written.withLock { $0 } == ["got/a.txt"])
  }

  @Test("A grant of one file is a grant of that file")
  func oneFile() async throws {
    let project = try project()
    let context = try project.context(project.permissions(["--allow-read=../outside/in/a.txt"]))
    #expect(try await runScript("return moontide.fs.read('../outside/in/a.txt')", context) == ["granted"])
    let error = try await scriptFailure("return moontide.fs.list('../outside/in')", context)
    #expect(error?.underlying is PermissionError)
  }

  @Test("A grant whose path is a link grants what it leads to")
  func linkedGrant() async throws {
    let project = try project()
    project.link("outside/here", to: "in")
    let context = try project.context(project.permissions(["--allow-read=../outside/here"]))
    #expect(try await runScript("return moontide.fs.read('../outside/here/a.txt')", context) == ["granted"])
    #expect(try await runScript("return moontide.fs.read('../outside/in/a.txt')", context) == ["granted"])
  }

  @Test("A path that leads back into the project is one of the project")
  func backInside() async throws {
    let project = try project()
    project.link("outside/in/back", to: project.directory)
    let context = try project.context(project.permissions(["--allow-read=../outside/in"]))
    #expect(
      try await runScript("return moontide.fs.read('../outside/in/back/in.txt')", context) == ["inside"])
    try project.make("project/.moontide/ledger", "state")
    let error = try await scriptFailure(
      "return moontide.fs.read('../outside/in/back/.moontide/ledger')", context)
    #expect((error?.underlying as? WorkspaceError)?.code == .protected)
  }

  @Test("A link that is swapped in again and again never leads out of what is granted")
  func swapping() async throws {
    let project = try project()
    let context = try project.context(project.permissions(["--allow-read=../outside/in"]))
    let directory = project.outside + "/in/turn"
    let swapper = Swapper(directory, to: project.outside)
    defer { swapper.stop() }
    // Each read gives the granted file or an error, never the other one.
    let values = try await runScript(
      """
      local seen = {}
      for i = 1, 2000 do
        local ok, content = pcall(moontide.fs.read, "../outside/in/turn/secret.txt")
        if ok then seen[content] = true end
      end
      return seen.SECRET, seen.granted
      """, context)
    #expect(values.first == .nil)
  }
}
