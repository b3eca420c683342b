import LuaHost
import Synchronization
import Workspace

/// Reads a file's lines in order, some hundred at a time, in bounded memory.
package final class LineReader: Sendable {
  /// The longest line, in bytes.
  package static let longestLine = 1 << 20
  private static let pieceSize = 64 << 10

  private struct State {
    var file: OpenFile?
    var offset: Int64 = 0
    /// What was read and belongs to a line whose end was not.
    var rest: [UInt8] = []
    var lines = 0
  }

  private let state: Mutex<State>

  /// Reads from the beginning of an open file.
  package init(_ file: OpenFile) {
    state = Mutex(State(file: file))
  }

  /// The next lines without their ends (`\n` or `\r\n`); none at the end of the file. Blocks.
  package func next() throws(WorkspaceError) -> [[UInt8]] {
    try state.withLock { state throws(WorkspaceError) in
      while let file = state.file {
        let piece = try file.read(count: Self.pieceSize, at: state.offset)
        state.offset += Int64(piece.count)
        if piece.isEmpty {
          state.file = nil
          return state.rest.isEmpty ? [] : [Self.withoutReturn(state.rest[...])]
        }
        let lines = try Self.split(piece, &state, file.path)
        if !lines.isEmpty { return lines }
      }
      return []
    }
  }

  /// Closes the file before its end was reached.
  package func close() {
    state.withLock { $0.file = nil }
  }

  private static func split(
    _ piece: [UInt8], _ state: inout State, _ path: ProjectPath
  ) throws(WorkspaceError) -> [[UInt8]] {
    var lines: [[UInt8]] = []
    var start = piece.startIndex
    while let end = piece[start...].firstIndex(of: 0x0a) {
      if state.rest.isEmpty {
        lines.append(withoutReturn(piece[start..<end]))
      } else {
        state.rest.append(contentsOf: piece[start..<end])
        lines.append(withoutReturn(state.rest[...]))
        state.rest = []
      }
      start = end + 1
    }
    state.lines += lines.count
    state.rest.append(contentsOf: piece[start...])
    guard state.rest.count <= longestLine else {
      state.file = nil
      throw WorkspaceError(
        .tooLarge, path: path.string,
        "line \(state.lines + 1) of \(path) is longer than \(longestLine) bytes; is it a text? read it in parts"
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
  static let readerType = LuaObjectType<LineReader>("lines") { type in
    type.waitingMethod("next") { reader, _ in
      .blocking { [.list(try reader.next().map { .bytes($0) })] }
    }
    type.method("close") { reader, _ in reader.close() }
  }

  /// The object that the function of ``source`` takes.
  package static func object(_ reader: LineReader) -> LuaObject {
    LuaObject(reader, type: readerType)
  }

  /// A chunk that returns a function: given a reader, it gives what a generic `for` takes. Leaving the loop
  /// closes the file.
  package static let source = """
    return function(reader)
      local lines, at, count = {}, 0, 0
      local function next_line()
        if at == count then
          lines = reader:next()
          at, count = 0, #lines
          if count == 0 then return nil end
        end
        at = at + 1
        return lines[at]
      end
      return next_line, nil, nil, setmetatable({}, { __close = function() reader:close() end })
    end
    """
}
