import LuaHost
import ScriptTestSupport
import Testing

@Suite struct PathTests {
  @Test(
    "Paths are taken apart and put together as text",
    arguments: [
      ("join('a', 'b', 'c.md')", "a/b/c.md"), ("join('a/', '', 'b')", "a/b"), ("join('a', '/b')", "/b"),
      ("join()", ""), ("dirname('a/b/c.md')", "a/b"), ("dirname('c.md')", "."), ("dirname('/c')", "/"),
      ("dirname('a/')", "."), ("basename('a/b.md/')", "b.md"), ("basename('/')", ""),
      ("stem('a/b.tar.gz')", "b.tar"), ("ext('a/b.tar.gz')", ".gz"), ("stem('.profile')", ".profile"),
      ("ext('.profile')", ""), ("ext('a.')", ""), ("ext('a.b/c')", ""),
      ("normalize('./a//b/../c/.')", "a/c"), ("normalize('../a')", "../a"), ("normalize('a/..')", "."),
      ("normalize('/../a')", "/a"), ("relative('a/b/c', 'a')", "b/c"),
      ("relative('a/b', 'a/c/d')", "../../b"),
      ("relative('a', 'a/')", "."), ("relative('/x/y', '/x')", "y"), ("relative('a/b')", "a/b"),
      ("relative('é/b', 'é')", "b"),
    ])
  func paths(call: String, result: String) async throws {
    #expect(try await run("return moontide.path.\(call)") == [.string(result)])
  }

  @Test("A way that only the disk knows is an error")
  func unknown() async throws {
    #expect(
      try await Surroundings().message("moontide.path.relative('/a', 'b')")
        == "moontide.path.relative: \"/a\" and \"b\" have no common beginning (both paths have to be absolute, or both relative and without a leading ..)"
    )
    #expect(try await run("return pcall(moontide.path.relative, 'a', '..')").first == false)
    #expect(try await run("return #moontide.path.split('/a//b/')") == [2])
  }
}
