import Workspace

/// Paths, or other texts, as a JSON array for SQLite's `json_each`.
///
/// Written by hand: each page of a run over unchanged files needs one, and a general encoder would take a fifth of
/// that run's time.
struct PathList: Sendable {
  let json: String
  let count: Int

  init(_ paths: [ProjectPath]) { self.init(texts: paths.lazy.map(\.string)) }

  init(texts: some Collection<String>) {
    count = texts.count
    var bytes: [UInt8] = [UInt8(ascii: "[")]
    bytes.reserveCapacity(count * 64)
    for text in texts {
      if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
      bytes.append(UInt8(ascii: "\""))
      for byte in text.utf8 { Self.append(byte, to: &bytes) }
      bytes.append(UInt8(ascii: "\""))
    }
    bytes.append(UInt8(ascii: "]"))
    json = String(decoding: bytes, as: UTF8.self)
  }

  private static func append(_ byte: UInt8, to bytes: inout [UInt8]) {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"):
      bytes.append(UInt8(ascii: "\\"))
      bytes.append(byte)
    case 0..<0x20:
      bytes += Array("\\u00".utf8) + [hex(byte >> 4), hex(byte & 0xF)]
    default:
      bytes.append(byte)
    }
  }

  private static func hex(_ digit: UInt8) -> UInt8 {
    digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
  }
}
