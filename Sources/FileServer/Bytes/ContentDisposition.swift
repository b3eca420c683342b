/// The header that names a download.
enum ContentDisposition {
  /// `attachment` with the name twice, as RFC 6266 has it: once for clients that read ASCII alone, once in full.
  static func attachment(_ filename: String) -> String {
    let plain = String(
      String.UnicodeScalarView(
        filename.unicodeScalars.map { scalar in
          // A `%` would be read as an escape by some clients, a quote or backslash would end or bend the string.
          scalar.isASCII && scalar.value >= 0x20 && scalar.value < 0x7F
            && !"\"\\%/".unicodeScalars.contains(scalar)
            ? scalar : "_"
        }))
    let header = "attachment; filename=\"\(plain)\""
    return plain == filename ? header : "\(header); filename*=UTF-8''\(filename.percentEncoded)"
  }
}
