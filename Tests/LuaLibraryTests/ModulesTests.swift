import FileSessions
import LuaHost
import LuaLibrary
import Testing

/// `moontide.env`, `hash`, `time` and `store`.
@Suite struct ModulesTests {
  @Test("A granted variable is read, and nil when it is not set")
  func environment() async throws {
    let project = try LibraryProject()
    let context = try project.context(
      project.permissions(["--allow-env=TOKEN,NONE"]), environment: ["TOKEN": "t", "OTHER": "o"])
    #expect(try await runScript("return moontide.env.TOKEN, moontide.env.NONE", context) == ["t", nil])
    let error = try await scriptFailure("return moontide.env.OTHER", context)
    #expect(error?.message.contains("allow it with --allow-env=OTHER") == true)
  }

  @Test("Digests of strings and files are those of md5sum and sha256sum")
  func hash() async throws {
    let project = try LibraryProject()
    try project.make("project/a.txt", "abc")
    try project.make("project/empty")
    try project.make("project/large", String(repeating: "0123456789abcdef", count: 40_000))
    let values = try await runScript(
      """
      local h = moontide.hash
      return h.md5("abc"), h.sha256("abc"), h.md5(""), h.file("a.txt") == h.sha256("abc"),
        h.file("a.txt", "md5") == h.md5("abc"), h.md5_file("a.txt") == h.md5("abc"),
        h.sha256_file("empty") == h.sha256(""), h.md5_file("empty") == h.md5(""),
        h.file("large") == h.sha256(("0123456789abcdef"):rep(40000)),
        h.md5_file("large") == h.md5(("0123456789abcdef"):rep(40000)), h.md5("\\0\\xff")
      """, project.context())
    #expect(
      values == [
        "900150983cd24fb0d6963f7d28e17f72",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "d41d8cd98f00b204e9800998ecf8427e", true, true, true, true, true, true, true,
        "d07d34efac6328007ad67c7e0a985e00",
      ])
    let error = try await scriptFailure("return moontide.hash.file('a.txt', 'crc')", project.context())
    #expect(error?.message.contains("\"md5\" or \"sha256\" wanted") == true)
  }

  @Test(
    "ISO 8601 becomes seconds",
    arguments: [
      ("1970-01-01", 0.0), ("1970-01-01T00:00:01Z", 1), ("2026-04-08T11:00:00Z", 1_775_646_000),
      ("2026-04-08T13:00:00.5+02:00", 1_775_646_000.5), ("2026-04-08 11:00", 1_775_646_000),
      ("2026-04-08T06:30:00-0430", 1_775_646_000), ("2000-02-29", 951_782_400), ("1969-12-31T23:59:59Z", -1),
      ("2016-12-31T23:59:60Z", 1_483_228_800), ("2026-04-08T11:00:00.123456789Z", 1_775_646_000.123456789),
      ("0001-01-01", -62_135_596_800), ("9999-12-31T23:59:59Z", 253_402_300_799),
      ("2026-04-08t11:00:00,25z", 1_775_646_000.25), ("2026-04-08T13:00+02", 1_775_646_000),
    ])
  func parse(_ text: String, _ seconds: Double) async throws {
    let project = try LibraryProject()
    let values = try await runScript("return moontide.time.parse(...)", project.context(), [.string(text)])
    let parsed = try #require(values.first?.number)
    #expect(abs(parsed - seconds) < 1e-6)
  }

  @Test(
    "What is no time is an error with an example",
    arguments: [
      "", "x", "2026-4-8", "2026-13-01", "2026-02-29", "2026-04-31", "2026-04-08T", "2026-04-08T24:00",
      "2026-04-08T11:60", "2026-04-08T11:00:61Z", "2026-04-08T11:00:00ZZ", "2026-04-08T11:00:00.Z",
      "0000-01-01",
      "2026-04-08T11:00:00+2", "2026-04-08T11:00:00+24:00", " 2026-04-08", "２０２６-04-08",
    ])
  func parseMistakes(_ text: String) async throws {
    let project = try LibraryProject()
    let error = await #expect(throws: LuaError.self) {
      try await runScript("return moontide.time.parse(...)", project.context(), [.string(text)])
    }
    #expect(error?.message.contains("ISO 8601 time wanted") == true)
  }

  @Test("Seconds become ISO 8601, or what a pattern says")
  func format() async throws {
    let project = try LibraryProject()
    let values = try await runScript(
      """
      local f = moontide.time.format
      return f(0), f(1775646000.5), f(-0.001), f(1775646000, "%d.%m.%Y %H:%M:%S.%L %j %a %A %b %B %y %F %T %Z %s %%"),
        f(0.3), f(moontide.time.parse("2000-02-29T23:59:59.999Z"))
      """, project.context())
    #expect(
      values == [
        "1970-01-01T00:00:00Z", "2026-04-08T11:00:00.500Z", "1969-12-31T23:59:59.999Z",
        "08.04.2026 11:00:00.000 098 Wed Wednesday Apr April 26 2026-04-08 11:00:00 UTC 1775646000 %",
        "1970-01-01T00:00:00.300Z", "2000-02-29T23:59:59.999Z",
      ])
    for (source, message) in [
      ("f(0, '%Q')", "unknown \"%Q\""), ("f(0, '%')", "unknown \"%\""), ("f(1e15)", "years 0001 to 9999"),
      ("f(0/0)", "finite number"),
    ] {
      let error = try await scriptFailure(
        "local f = moontide.time.format; return \(source)", project.context())
      #expect(error?.message.contains(message) == true, "\(source)")
    }
  }

  @Test("Every day is formatted as it was parsed")
  func everyDay() async throws {
    let project = try LibraryProject()
    let values = try await runScript(
      """
      local t, before = moontide.time, ""
      for day = -719162, 2932896, 97 do
        local text = t.format(day * 86400, "%F")
        if t.parse(text) ~= day * 86400 or text <= before then return text end
        before = text
      end
      return before
      """, project.context())
    #expect(values.first?.text?.hasPrefix("9999-") == true)
  }

  @Test("Now is what the clock says")
  func now() async throws {
    let project = try LibraryProject()
    let context = try project.context(clock: WallClock { Timestamp(milliseconds: 1_775_646_000_250) })
    #expect(try await runScript("return moontide.time.now()", context) == [.number(1_775_646_000.25)])
  }

  @Test("A store keeps what JSON can hold, lists apart from objects")
  func store() async throws {
    let project = try LibraryProject()
    let store = MemoryScriptStore()
    let context = try project.context(store: store)
    let values = try await runScript(
      """
      local s = moontide.store
      s.set("a", { n = 1, list = { 1, 2.5, "x" }, empty = moontide.json.array {}, no = false })
      s.set("b", "text"); s.set("gone", 1); s.delete("gone"); s.delete("never")
      local all = {}
      for key in pairs(s.all()) do all[#all + 1] = key end
      table.sort(all)
      return s.get("a").list[2], s.get("a").no, moontide.json.encode(s.get("a").empty), s.get("b"), s.get("none"),
        s.get("none", 7), table.concat(all, " "), s.all().b
      """, context)
    #expect(values == [2.5, false, "[]", "text", nil, 7, "a b", "text"])
    // Another script's state finds it again.
    #expect(try await runScript("return moontide.store.get('a').n", project.context(store: store)) == [1])
  }

  @Test(
    "A store refuses what it cannot keep",
    arguments: [
      ("s.set('a', nil)", "value wanted, got nil"), ("s.set('a', print)", "function"),
      ("s.set('', 1)", "the key is empty"),
      ("s.set(('k'):rep(513), 1)", "at most 512 bytes"),
      ("s.set('a', ('v'):rep(2000000))", "at most 1048576"),
      ("s.set(1, 1)", "string wanted"), ("s.get()", "string wanted"), ("s.put('a', 1)", "there is no 'put'"),
    ])
  func storeMistakes(_ source: String, _ message: String) async throws {
    let project = try LibraryProject()
    let store = MemoryScriptStore()
    let error = try await scriptFailure("local s = moontide.store; \(source)", project.context(store: store))
    #expect(error?.message.contains(message) == true, "\(String(describing: error?.message))")
    #expect(try await store.all().isEmpty)
  }

  @Test("A script without a store is told so")
  func noStore() async throws {
    let project = try LibraryProject()
    let error = try await scriptFailure("moontide.store.get('a')", project.context())
    #expect(error?.message.contains("this script has no store") == true)
  }
}
