import Foundation
import Testing

/// A terminal, with a test in the place of the person.
final class Terminal: Sendable {
  /// What a program has for its standard streams.
  let side: FileHandle
  private let person: FileHandle

  init() throws {
    let terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    try #require(terminal >= 0)
    person = FileHandle(fileDescriptor: terminal, closeOnDealloc: true)
    // TIOCSPTLCK and TIOCGPTN of <asm-generic/ioctls.h>, which Swift does not see.
    var (lock, number): (CInt, CInt) = (0, 0)
    try #require(ioctl(terminal, 0x4004_5431, &lock) == 0 && ioctl(terminal, 0x8004_5430, &number) == 0)
    let side = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
    try #require(side >= 0)
    self.side = FileHandle(fileDescriptor: side, closeOnDealloc: true)
  }

  func type(_ text: String) {
    person.write(Data(text.utf8))
  }

  /// Everything that is on the screen once no program has it any more; it holds a few thousand bytes.
  func screen() throws -> String {
    try side.close()
    var text = Data()
    var piece = [UInt8](repeating: 0, count: 4096)
    // At the end the system gives an error.
    while case let count = read(person.fileDescriptor, &piece, piece.count), count > 0 {
      text += piece[..<count]
    }
    return String(decoding: text, as: UTF8.self)
  }
}
