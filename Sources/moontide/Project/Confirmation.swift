import Glibc

/// A question to the person at the keyboard.
enum Confirmation {
  /// Whether the answer is yes. Without a terminal it ends the command.
  ///
  /// - Parameter unasked: what `--yes` would do: "trust it unasked".
  static func isGiven(to question: String, unasked: String) throws(CommandFailure) -> Bool {
    guard isatty(STDIN_FILENO) == 1 else {
      throw CommandFailure(
        .usage, "There is no terminal to ask on. Run this on one, or say --yes to \(unasked).")
    }
    StandardStream.error.write("\(question) [y/N] ")
    return ["y", "yes"].contains((readLine() ?? "").lowercased())
  }
}
