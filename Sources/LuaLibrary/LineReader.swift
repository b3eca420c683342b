import LuaHost
import Synchronization
import Workspace

/// Reads a file's lines in order, some thousand at a time, in bounded memory.
///
/// The file is opened anew for each piece, so that a loop that is left early holds nothing open; that it is
/// still the same file is checked each time.
package final class LineReader: Sendable {
  /// The longest line, in bytes.
  package static let longestLine = 1 << 20
  private static let pieceSize = 256 << 10

  private struct State {
    var stamp: FileStamp?
    var offset: Int64 = 0
    /// What was read and belongs to a line whose end was not.
    var rest: [UInt8] = []
    var lines = 0
    var isAtEnd = false
  }

  private let path: String
  private let open: @Sendable () throws -> OpenFile
  private let state = Mutex(State())

  /// - Parameter open: opens the file; may be called several times, on threads that may block.
  package convenience init(_ path: ProjectPath, open: @escaping @Sendable () throws -> OpenFile) {
    self.init(named: path.string, open: open)
  }

  /// - Parameter path: what messages call the file.
  init(named path: String, open: @escaping @Sendable () throws -> OpenFile) {
    self.path = path
    self.open = open
  }

  /// The next lines without their ends (`\n` or `\r\n`); none at the end of the file. Blocks.
  package func next() throws -> [[UInt8]] {
    try state.withLock { state in
      while !state.isAtEnd {
        let piece = try read(&state)
        state.offset += Int64(piece.count)
        if piece.isEmpty {
          state.isAtEnd = true
          return state.rest.isEmpty ? [] : [Self.withoutReturn(state.rest[...])]
        }
        let lines = try split(piece, &state)
        if !lines.isEmpty { return lines }
      }
      return []
    }
  }

  private func read(_ state: inout State) throws -> [UInt8] {
    let file = try open()
    let stamp = try file.stamp()
    guard state.stamp == nil || state.stamp == stamp else {
      throw WorkspaceError(.changed, path: path, "\(path) changed while its lines were read")
    }
    state.stamp = stamp
    return try file.read(count: Self.pieceSize, at: state.offset)
  }

  private func split(_ piece: [UInt8], _ state: inout State) throws(WorkspaceError) -> [[UInt8]] {
    var lines: [[UInt8]] = []
    var start = piece.startIndex
    while let end = piece[start...].firstIndex(of: 0x0a) {
      if state.rest.isEmpty {
        lines.append(Self.withoutReturn(piece[start..<end]))
      } else {
        state.rest.append(contentsOf: piece[start..<end])
        lines.append(Self.withoutReturn(state.rest[...]))
        state.rest = []
      }
      start = end + 1
    }
    state.lines += lines.count
    state.rest.append(contentsOf: piece[start...])
    guard state.rest.count <= Self.longestLine else {
      state.isAtEnd = true
      throw WorkspaceError(
        .tooLarge, path: path,
        "line \(state.lines + 1) of \(path) is longer than \(Self.longestLine) bytes; is it a text? read it in parts"
      )
    }
    return lines
  }

  private static func withoutReturn(_ line: ArraySlice<UInt8>) -> [UInt8] {
    Array(line.last == 0x0d ? line.dropLast() : line)
  }
}

/// The Lua side of reading lines: a `for` takes them from a list that is refilled now and then.
package enum LineIterator {
  private static let readerType = LuaObjectType<LineReader>("lines") { type in
    type.waitingMethod("next") { reader, _ in
      .blocking { [.list(try reader.next().map { .bytes($0) })] }
    }
  }

  /// The object that the function of ``source`` takes.
  package static func object(_ reader: LineReader) -> LuaObject {
    LuaObject(reader, type: readerType)
  }

  /// A chunk that returns a function: given a reader, it gives the function that a `for` calls.
  package static let source = """
    return function(reader)
      local lines, at, count = {}, 0, 0
      return function()
        if at == count then
          lines = reader:next()
          at, count = 0, #lines
          if count == 0 then return nil end
        end
        at = at + 1
        return lines[at]
      end
    end
    """
}
