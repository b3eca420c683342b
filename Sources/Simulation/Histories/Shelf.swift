import Foundation
import Synchronization

/// The files of a simulated user, who writes, replaces, touches, copies and removes them at any time.
final class Shelf: Sendable {
  private struct State {
    /// The next content is this one; its number makes its text and its length its own.
    var number = 0
    /// What was ever written at a path.
    var written: [String: Set<[UInt8]>] = [:]
    /// What is there, as far as the user knows: content that must not get lost.
    var kept: [(path: String, content: [UInt8])] = []
    var log: [String] = []
  }

  private let root: String
  private let paths: [String]
  private let dice: Dice
  private let state = Mutex(State())

  init(root: String, paths: [String], dice: Dice) {
    self.root = root
    self.paths = paths
    self.dice = dice
  }

  var kept: [(path: String, content: [UInt8])] { state.withLock { $0.kept } }

  /// What the user did since this was asked last.
  func takeLog() -> [String] {
    state.withLock { state in
      defer { state.log = [] }
      return state.log
    }
  }

  /// Whether the user ever wrote this under a file's name.
  func wasWritten(_ content: [UInt8], name: String) -> Bool {
    state.withLock { state in
      state.written.contains { ($0.key as NSString).lastPathComponent == name && $0.value.contains(content) }
    }
  }

  /// Does one thing to one file.
  func change() {
    state.withLock { state in
      let path = dice.pick(paths) ?? paths[0]
      let isThere = FileManager.default.fileExists(atPath: absolute(path))
      switch dice.roll(0...9) {
      case 0 where isThere:
        state.log.append("remove \(path)")
        try? FileManager.default.removeItem(atPath: absolute(path))
        forget(path, &state)
      case 1 where isThere:
        state.log.append("touch \(path)")
        let moment = Date(timeIntervalSince1970: Double(1_000_000_000 + dice.roll(0...100_000)))
        try? FileManager.default.setAttributes([.modificationDate: moment], ofItemAtPath: absolute(path))
      case 2:
        // Of another file, or of this one in earlier days.
        guard let origin = dice.pick(paths), let content = state.written[origin]?.sorted(by: isShorter).first
        else { return }
        put(content, at: path, replacing: isThere, "copy of \(origin)", &state)
      default:
        state.number += 1
        let text = "\(path) #\(state.number) " + String(repeating: "x", count: 7 * state.number)
        put(Array(text.utf8), at: path, replacing: isThere, "#\(state.number)", &state)
      }
    }
  }

  private func put(
    _ content: [UInt8], at path: String, replacing isThere: Bool, _ note: String, _ state: inout State
  ) {
    let way: Data.WritingOptions = dice.happens(0.5) ? [.atomic] : []
    state.log.append("write \(path), \(note)\(way.isEmpty ? " in place" : "")")
    // What lies where Moontide has put it stays the user's.
    if isThere { forget(path, &state) }
    let url = URL(filePath: absolute(path))
    do {
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(content).write(to: url, options: way)
    } catch {
      state.log.append("\(path) could not be written: \(error)")
      return
    }
    state.written[path, default: []].insert(content)
    state.kept.append((path, content))
  }

  private func forget(_ path: String, _ state: inout State) {
    if let last = state.kept.lastIndex(where: { $0.path == path }) { state.kept.remove(at: last) }
  }

  private func absolute(_ path: String) -> String { root + "/" + path }

  /// Every file of the project, Moontide's own left out, by its path.
  func files() -> [String: [UInt8]] {
    var found: [String: [UInt8]] = [:]
    for path in FileManager.default.enumerator(atPath: root)?.compactMap({ $0 as? String }) ?? []
    where !path.hasPrefix(".moontide") {
      if let data = FileManager.default.contents(atPath: absolute(path)), !isDirectory(path) {
        found[path] = Array(data)
      }
    }
    return found
  }

  private func isDirectory(_ path: String) -> Bool {
    var answer: ObjCBool = false
    return FileManager.default.fileExists(atPath: absolute(path), isDirectory: &answer) && answer.boolValue
  }
}

private func isShorter(_ left: [UInt8], _ right: [UInt8]) -> Bool { left.count < right.count }
