import ArgumentParser
import Ingestion
import Scripting

/// How much one run may send.
struct AllowanceOptions: ParsableArguments {
  @Option(help: "Begin at most so many files, then end with status 6 and say what is left.")
  var maxFiles: Int?

  @Option(
    help: ArgumentHelp("The same for the files' bytes, such as 500M.", valueName: "bytes"),
    transform: ByteAmount.init)
  var maxBytes: ByteAmount?

  var allowance: Allowance { Allowance(files: maxFiles, bytes: maxBytes?.bytes, bytesText: maxBytes?.text) }

  func validate() throws {
    if let maxFiles, maxFiles < 1 { throw ValidationError("--max-files takes a number from 1 on.") }
  }
}

/// A number of bytes with K, M, G or T (of 1024) behind it, or without.
struct ByteAmount {
  /// What is wrong with a text.
  struct Problem: Error, CustomStringConvertible {
    let description: String
  }

  let bytes: Int64
  /// As it was written.
  let text: String

  init(_ argument: String) throws {
    var digits = argument[...]
    var unit = 1.0
    if let last = argument.last, let index = ["K", "M", "G", "T"].firstIndex(of: last.uppercased()) {
      for _ in 0...index { unit *= 1024 }
      digits = digits.dropLast()
    }
    guard let first = digits.first, first.isASCII, first.isNumber, let number = Double(digits),
      number * unit < 1e18
    else {
      throw Problem(
        description:
          "\"\(argument)\" is no number of bytes; write it as 1000000, 800K, 500M, 2G or 1T, of 1024")
    }
    guard number * unit >= 1 else {
      throw Problem(description: "with \"\(argument)\" nothing would be begun; it takes a number from 1 on")
    }
    bytes = Int64(number * unit)
    text = argument
  }
}

extension Allowance {
  /// What was allowed, as it was asked for: `--max-files 10`.
  var phrase: String {
    [files.map { "--max-files \($0)" }, bytes.map { "--max-bytes \(bytesText ?? "\($0)")" }].compactMap { $0 }
      .joined(separator: ", ")
  }
}
