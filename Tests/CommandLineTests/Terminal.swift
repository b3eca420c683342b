import Foundation
import Synchronization
import Testing

/// A terminal, with a test in the place of the person.
final class Terminal: Sendable {
  /// What a program has for its standard streams.
  let side: FileHandle
  private let person: FileHandle
  private let shown: Mutex<ScreenModel>
  private let text = Mutex("")
  private let end: AsyncStream<Void>

  /// What to set for a program so that it knows what the terminal can do.
  static let environment = ["TERM": "xterm-256color", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"]

  init(columns: Int = 80, rows: Int = 24) throws {
    let terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    try #require(terminal >= 0)
    person = FileHandle(fileDescriptor: terminal, closeOnDealloc: true)
    // TIOCSPTLCK and TIOCGPTN of <asm-generic/ioctls.h>, which Swift does not see.
    var (lock, number): (CInt, CInt) = (0, 0)
    try #require(ioctl(terminal, 0x4004_5431, &lock) == 0 && ioctl(terminal, 0x8004_5430, &number) == 0)
    let side = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
    try #require(side >= 0)
    self.side = FileHandle(fileDescriptor: side, closeOnDealloc: true)
    shown = Mutex(ScreenModel(columns: columns, rows: rows))
    let (end, continuation) = AsyncStream.makeStream(of: Void.self)
    self.end = end
    resize(columns: columns, rows: rows)
    Thread.detachNewThread { [weak self] in
      var piece = [UInt8](repeating: 0, count: 4096)
      // Once no program has it any more the system gives an error.
      while case let count = read(terminal, &piece, piece.count), count > 0 {
        // A terminal's programs write whole characters here: the model takes bytes as they come.
        self?.take(piece[..<count])
      }
      continuation.finish()
    }
  }

  private func take(_ bytes: ArraySlice<UInt8>) {
    shown.withLock { $0.write(bytes) }
    text.withLock { $0 += String(decoding: bytes, as: UTF8.self) }
  }

  func type(_ text: String) {
    person.write(Data(text.utf8))
  }

  /// Gives the terminal another size, as a person who drags its corner.
  func resize(columns: Int, rows: Int) {
    shown.withLock { $0.resize(columns: columns, rows: rows) }
    var size = winsize(ws_row: UInt16(rows), ws_col: UInt16(columns), ws_xpixel: 0, ws_ypixel: 0)
    _ = ioctl(person.fileDescriptor, UInt(TIOCSWINSZ), &size)
  }

  /// The lines that are visible now, without spaces at their ends and without empty lines at the end.
  var lines: [String] { shown.withLock { $0.lines } }

  /// The model of what is visible.
  var model: ScreenModel { shown.withLock { $0 } }

  /// Waits until what is visible is so, at most a minute; gives the lines.
  @discardableResult
  func shows(_ condition: ([String]) -> Bool) async throws -> [String] {
    for _ in 0..<6000 {
      let lines = lines
      if condition(lines) { return lines }
      try await Task.sleep(for: .milliseconds(10))
    }
    throw NeverShown(lines: lines)
  }

  private struct NeverShown: Error {
    var lines: [String]
  }

  /// Everything that was written, once no program has the terminal any more.
  func screen() async throws -> String {
    try side.close()
    for await _ in end {}
    return text.withLock { $0 }
  }
}
