import Glibc
import Testing
import Workspace

@Suite struct GlobTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let pattern: String
    let matching: [String]
    let other: [String]

    var testDescription: String { pattern }

    init(_ pattern: String, _ matching: [String], not other: [String]) {
      self.pattern = pattern
      self.matching = matching
      self.other = other
    }
  }

  @Test(
    "A pattern matches what it says and nothing else",
    arguments: [
      Case("*.md", ["a.md", "b c.md", "ü.md"], not: ["a/b.md", "a.MD", "a.mdx", ".a.md", "md", ".md"]),
      Case("**/*.md", ["a.md", "x/a.md", "x/y/z/a.md"], not: ["a.txt", ".x/a.md", "x/.a.md"]),
      Case("a/**", ["a/b", "a/b/c"], not: ["a", "b/a", "a/.b"]),
      Case("a/", ["a/b", "a/b/c"], not: ["a", "ab/c"]),
      Case("a/**/b", ["a/b", "a/x/b", "a/x/y/b"], not: ["a/xb", "b", "a/b/c"]),
      Case("**", ["a", "a/b"], not: [".a", "a/.b"]),
      Case("**/", ["a", "a/b"], not: [".a"]),
      Case("**/a/**", ["a/x", "y/a/x/z"], not: ["a", "y/a"]),
      Case("./a.md", ["a.md"], not: ["b.md"]),
      Case("a//b/./c", ["a/b/c"], not: ["a/b"]),
      Case("?", ["a", "é", "日"], not: ["ab", "", "."]),
      Case("*?", ["a", "€", "ab"], not: [""]),
      Case("*??", ["ab", "€a"], not: ["€", "a"]),
      Case("[a-c]x", ["ax", "cx"], not: ["dx", "x", "Ax"]),
      Case("[!a-c]x", ["dx", "éx"], not: ["ax"]),
      Case("[^a]", ["b"], not: ["a"]),
      Case("[]]", ["]"], not: ["a"]),
      Case("[!]]", ["a"], not: ["]"]),
      Case("[a-]", ["a", "-"], not: ["b"]),
      Case("[à-ü]", ["é"], not: ["e"]),
      Case("[[]", ["["], not: ["]"]),
      Case("{a,b}.md", ["a.md", "b.md"], not: ["c.md", "a", "{a,b}.md"]),
      Case("{a,b/{c,d}}/*.md", ["a/x.md", "b/c/x.md", "b/d/x.md"], not: ["b/x.md", "c/x.md"]),
      Case("x{,.bak}", ["x", "x.bak"], not: ["x."]),
      Case("{a}", ["a"], not: ["{a}"]),
      Case("{**/,}*.md", ["a.md", "x/a.md"], not: ["a.txt"]),
      Case("*.{md,txt}", ["a.md", "b.txt"], not: ["a.pdf"]),
      Case("\\*", ["*"], not: ["a"]),
      Case("a\\{b", ["a{b"], not: ["ab"]),
      Case("a,b", ["a,b"], not: ["a", "b"]),
      Case(".config/*", [".config/a"], not: [".config/.a", "config/a"]),
      Case(".*", [".a", ".gitignore"], not: ["a"]),
      Case("**/.*/x", [".a/x", "b/.a/x"], not: ["a/x", ".a/.b/x"]),
      Case("[.]a", [], not: [".a"]),
      Case("a*b*c", ["abc", "aXbYc", "abbcc"], not: ["ab", "acb"]),
      // A slash and an accent after it are one Character, but two scalars.
      Case("a/*", ["a/\u{301}b"], not: ["a"]),
    ])
  func matches(test: Case) throws {
    let glob = try Glob(test.pattern)
    for path in test.matching { #expect(glob.matches(path), "\(path)") }
    for path in test.other { #expect(!glob.matches(path), "\(path)") }
  }

  @Test(
    "Hidden names are matched when asked for",
    arguments: [("**/*.md", ".a/b.md"), ("*", ".x"), ("**", "a/.b/c"), ("?x", ".x"), ("[.]x", ".x")])
  func hidden(pattern: String, path: String) throws {
    #expect(try !Glob(pattern).matches(path))
    #expect(try Glob(pattern).matches(path, hidden: true))
  }

  @Test(
    "A pattern that cannot be one says where and why",
    arguments: [
      ("", 1, "empty"), ("/a", 1, "relative"), ("a/[b", 3, "no ]"), ("a{b,c", 2, "no }"), ("a}b", 2, "no {"),
      ("**.md", 1, "stands alone"), ("a/b**", 4, "stands alone"), ("{a,**}b", 4, "stands alone"),
      ("[b-a]", 2, "backwards"), ("a\\", 2, "nothing follows"), ("[a/b]", 3, "no name has one"),
      ("../a", 1, "another root"), ("a/../b", 1, "another root"), (".", 1, "directory itself"),
      ("ü{é", 2, "no }"), ("a\0", 2, "NUL"), ("\\/", 2, "escaped"),
      (String(repeating: "{a,b}", count: 40), 51, "more than 1024"),
      (String(repeating: "a/", count: 80) + "b", 1, "more than"),
    ])
  func reportsErrors(pattern: String, position: Int, reason: String) {
    do {
      _ = try Glob(pattern)
      Issue.record("nothing was thrown")
    } catch {
      #expect(error.position == position)
      #expect(error.message.contains(reason), "\(error.message)")
      #expect(error.message.contains("character \(position)"))
    }
  }

  @Test("One name is matched as the C library's fnmatch does")
  func agreesWithFnmatch() throws {
    var random = SplitMix(state: 1)
    let parts = ["a", "b", "ab", "*", "?", "[ab]", "[!a]", "*", "."]
    var matches = 0
    for _ in 0..<50_000 {
      let pattern = (0..<Int.random(in: 1...7, using: &random))
        .map { _ in parts.randomElement(using: &random) ?? "" }.joined().replacing("**", with: "*")
      let name = String(
        (0..<Int.random(in: 1...8, using: &random)).map { _ in "ab.".randomElement(using: &random) ?? "a" })
      guard ![".", ".."].contains(pattern), ![".", ".."].contains(name), !pattern.contains("**") else {
        continue
      }
      let expected = fnmatch(pattern, name, 0) == 0
      matches += expected ? 1 : 0
      let found = try Glob(pattern).matches(name, hidden: true)
      #expect(found == expected, "\(pattern) \(name)")
    }
    #expect(matches > 1000)
  }

  @Test("Directories are matched as a plain search through all possibilities does")
  func agreesWithSearch() throws {
    func search(_ pattern: ArraySlice<String>, _ path: ArraySlice<String>) -> Bool {
      guard let first = pattern.first else { return path.isEmpty }
      if first == "**" {
        if pattern.count == 1 { return !path.isEmpty }
        return search(pattern.dropFirst(), path) || (!path.isEmpty && search(pattern, path.dropFirst()))
      }
      guard let name = path.first, first == "*" || first == name else { return false }
      return search(pattern.dropFirst(), path.dropFirst())
    }
    var random = SplitMix(state: 2)
    for _ in 0..<20_000 {
      let pattern = (0..<Int.random(in: 1...6, using: &random))
        .map { _ in ["a", "b", "*", "**", "**"].randomElement(using: &random) ?? "a" }
      let path = (0..<Int.random(in: 1...7, using: &random))
        .map { _ in ["a", "b", "c"].randomElement(using: &random) ?? "a" }
      let found = try Glob(pattern.joined(separator: "/")).matches(path.joined(separator: "/"))
      #expect(found == search(pattern[...], path[...]), "\(pattern) \(path)")
    }
  }

  @Test("Patterns made to explode do not")
  func doesNotExplode() throws {
    let name = String(repeating: "a", count: 255)
    #expect(try !Glob(String(repeating: "*a", count: 100) + "b").matches(name))
    let deep = Array(repeating: "a", count: 2_000).joined(separator: "/")
    #expect(try !Glob(String(repeating: "**/a/", count: 25) + "b").matches(deep))
    #expect(try Glob(String(repeating: "**/a/", count: 25) + "a").matches(deep))
  }

  @Test("Excludes win, and an excluded directory takes everything below it with it")
  func sets() throws {
    let set = try GlobSet(include: ["**/*.md"], exclude: ["drafts", "**/*.tmp.md", "old/"])
    for path in ["a.md", "x/a.md", "x/drafts/a.md"] { #expect(set.matches(path)) }
    for path in ["a.txt", "drafts/a.md", "drafts/x/a.md", "x/a.tmp.md", "old/a.md", "old/x/a.md"] {
      #expect(!set.matches(path), "\(path)")
    }
    #expect(set.excluding("old/x/a.md")?.pattern == "old/")
    #expect(set.excluding("drafts/a.md")?.pattern == "drafts")
    #expect(set.excluding("a.md") == nil)
  }

  @Test("No include means everything that is not hidden, and excludes see hidden names")
  func emptyInclude() throws {
    let set = try GlobSet(include: [], exclude: ["**/*.tmp"])
    #expect(set.matches("a/b"))
    #expect(!set.matches(".a"))
    #expect(set.matches(".a", hidden: true))
    #expect(!set.matches(".x.tmp", hidden: true))
  }

  @Test(
    "A directory is pruned when nothing below it can be wanted",
    arguments: [
      (["docs/*.md"], [], "src", true), (["docs/*.md"], [], "docs", false),
      (["docs/*.md"], [], "docs/x", true), (["**/*.md"], [], "any/where", false),
      (["**"], ["drafts/**"], "drafts", true), (["**"], ["drafts/*"], "drafts", false),
      (["**"], ["**/cache"], "a/cache", true), (["a/**/b"], [], "a/c/d", false), (["**"], [], ".git", true),
      ([".git/*"], [], ".git", false), (["*.md"], [], "x", true), (["**"], ["drafts/**"], ".", false),
    ] as [([String], [String], String, Bool)])
  func prunes(include: [String], exclude: [String], directory: String, expected: Bool) throws {
    #expect(try GlobSet(include: include, exclude: exclude).canPrune(directory) == expected)
  }
}
