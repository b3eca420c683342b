/// A Lua string: bytes, usually but not always UTF-8.
package struct LuaString: Sendable, Hashable {
  /// The bytes, of which any may be zero.
  package var bytes: [UInt8]

  package init(bytes: [UInt8]) { self.bytes = bytes }

  package init(_ text: String) { bytes = Array(text.utf8) }

  /// The text, or nil when the bytes are not valid UTF-8.
  package var text: String? { String(validating: bytes, as: UTF8.self) }

  /// The text, with a replacement character for whatever is not valid UTF-8.
  package var lossyText: String { String(decoding: bytes, as: UTF8.self) }
}

extension LuaString: ExpressibleByStringLiteral {
  package init(stringLiteral value: String) { self.init(value) }
}

extension LuaString: CustomStringConvertible {
  package var description: String { lossyText }
}
