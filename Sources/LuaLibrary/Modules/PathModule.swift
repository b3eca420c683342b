import LuaHost

extension LuaLibrary {
  /// `moontide.path`: works on the text of paths alone and never looks at the disk.
  static func path() -> LuaModule {
    LuaModule("moontide.path") { module in
      module.function("join") { call in
        let parts = try (0..<call.count).map { try call.string($0 + 1) }
        try call.push(PathText.join(parts))
      }
      module.function("dirname") { call in try call.push(PathText.dirname(call.string(1))) }
      module.function("basename") { call in try call.push(PathText.basename(call.string(1))) }
      module.function("stem") { call in try call.push(PathText.splitName(call.string(1)).stem) }
      module.function("ext") { call in try call.push(PathText.splitName(call.string(1)).ext) }
      module.function("normalize") { call in try call.push(PathText.normalize(call.string(1))) }
      module.function("split") { call in
        let parts = PathText.components(try call.string(1))
        try call.push(.list(parts.map { .string($0) }))
      }
      module.function("relative") { call in
        let (path, base) = (try call.string(1), try call.optionalString(2) ?? ".")
        guard let relative = PathText.relative(path, to: base) else {
          throw LuaValueError(
            place: "moontide.path.relative",
            problem:
              "\"\(escapingControls(path))\" and \"\(escapingControls(base))\" have no common beginning",
            hint: "both paths have to be absolute, or both relative and without a leading ..")
        }
        try call.push(relative)
      }
    }
  }
}

/// Arithmetic on the text of POSIX paths.
///
/// By bytes throughout: to `String` a `/` followed by a combining accent is one character.
enum PathText {
  private static let slash = UInt8(ascii: "/")

  static func isAbsolute(_ path: String) -> Bool { path.utf8.first == slash }

  /// The parts between slashes, without empty ones.
  static func components(_ path: String) -> [String] {
    path.utf8.split(separator: slash).map { String(Substring($0)) }
  }

  /// Joins with one slash; an absolute part starts anew, an empty one counts for nothing.
  static func join(_ parts: [String]) -> String {
    var result = ""
    for part in parts where !part.isEmpty {
      if isAbsolute(part) || result.isEmpty {
        result = part
      } else {
        result += result.utf8.last == slash ? part : "/" + part
      }
    }
    return result
  }

  /// What is before the last component: `.` where there is nothing, `/` for what is at the top.
  static func dirname(_ path: String) -> String {
    let parts = components(path).dropLast()
    if isAbsolute(path) { return "/" + parts.joined(separator: "/") }
    return parts.isEmpty ? "." : parts.joined(separator: "/")
  }

  /// The last component; empty for `/`.
  static func basename(_ path: String) -> String { components(path).last ?? "" }

  /// The last component's name and its extension with the dot: `a.tar` and `.gz`.
  static func splitName(_ path: String) -> (stem: String, ext: String) {
    let base = basename(path)
    let bytes = base.utf8
    let dot = UInt8(ascii: ".")
    guard let at = bytes.lastIndex(of: dot), bytes.index(after: at) != bytes.endIndex,
      bytes[..<at].contains(where: { $0 != dot })
    else { return (base, "") }
    return (String(Substring(bytes[..<at])), String(Substring(bytes[at...])))
  }

  /// Without `.`, doubled slashes and, where something stands before it, `..`.
  static func normalize(_ path: String) -> String {
    var result: [String] = []
    for component in components(path) where component != "." {
      if component != ".." {
        result.append(component)
      } else if let last = result.last, last != ".." {
        result.removeLast()
      } else if !isAbsolute(path) {
        result.append("..")
      }
    }
    let text = result.joined(separator: "/")
    if isAbsolute(path) { return "/" + text }
    return text.isEmpty ? "." : text
  }

  /// The way from `base` to `path`; nil when only the disk could tell.
  static func relative(_ path: String, to base: String) -> String? {
    guard isAbsolute(path) == isAbsolute(base) else { return nil }
    let target = components(normalize(path)).filter { $0 != "." }
    let start = components(normalize(base)).filter { $0 != "." }
    let common = zip(target, start).prefix { $0.0.utf8.elementsEqual($0.1.utf8) }.count
    let up = start.dropFirst(common)
    guard !up.contains("..") else { return nil }
    let way = up.map { _ in ".." } + target.dropFirst(common)
    return way.isEmpty ? "." : way.joined(separator: "/")
  }
}
