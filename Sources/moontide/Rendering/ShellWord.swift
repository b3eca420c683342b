extension String {
  /// The text as a word of a shell's command line, without control characters, which would paint the screen.
  var shellWord: String {
    let isPlain =
      !isEmpty
      && utf8.allSatisfy { byte in
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "-_./:=,".utf8.contains(byte)
      }
    if isPlain { return self }
    if printable == self {
      return "'" + split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
    }
    // As bash, zsh and ksh read it.
    return "$'" + unicodeScalars.map(Self.escaped).joined() + "'"
  }

  private static func escaped(_ scalar: Unicode.Scalar) -> String {
    switch scalar {
    case "\\", "'": return "\\\(scalar)"
    case _ where scalar.properties.generalCategory == .control:
      let hex = String(scalar.value, radix: 16)
      return (scalar.isASCII ? #"\x"# : #"\u00"#) + (hex.count == 1 ? "0" : "") + hex
    default: return String(scalar)
    }
  }
}
