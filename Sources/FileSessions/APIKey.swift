/// A service's key. It shows itself nowhere: printing, interpolating or dumping it gives its hint.
package struct APIKey: Hashable, Sendable {
  /// The key itself, for the `Authorization` header of the API's own origin and for nothing else.
  package let secret: String

  /// Takes a key as a person pasted it: white space around it does not count.
  ///
  /// Nil when nothing is left, or when a character in it cannot stand in a header.
  package init?(_ text: some StringProtocol) {
    let isSpace = { (character: Character) in character.isWhitespace }
    let trimmed = text.drop(while: isSpace).reversed().drop(while: isSpace).reversed()
    guard !trimmed.isEmpty, trimmed.allSatisfy({ $0.isASCII && !$0.isWhitespace && $0 >= "!" && $0 <= "~" })
    else { return nil }
    secret = String(trimmed)
  }

  /// What a person tells keys apart by: the last four characters, `…a1b2`; of a short key, none.
  package var hint: String { secret.count >= 12 ? "…" + secret.suffix(4) : "…" }
}

extension APIKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { hint }
  package var debugDescription: String { hint }
  package var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}
