import ArgumentParser
import Ingestion
import Scripting

/// How much one run may send.
struct AllowanceOptions: ParsableArguments {
  @Option(help: "Begin at most so many files, then end with status 6 and say what is left.")
  var maxFiles: Int?

  @Option(help: ArgumentHelp("The same for the files' bytes, such as 500M.", valueName: "bytes"))
  var maxBytes: ByteAmount?

  var allowance: Allowance { Allowance(files: maxFiles, bytes: maxBytes?.bytes) }

  func validate() throws {
    if let maxFiles, maxFiles < 1 { throw ValidationError("--max-files takes a number from 1 on.") }
  }
}

/// A number of bytes with K, M, G or T (of 1024) behind it, or without.
struct ByteAmount: ExpressibleByArgument {
  let bytes: Int64

  init?(argument: String) {
    var digits = argument[...]
    var unit = 1.0
    if let last = argument.last, let index = ["K", "M", "G", "T"].firstIndex(of: last.uppercased()) {
      for _ in 0...index { unit *= 1024 }
      digits = digits.dropLast()
    }
    guard let first = digits.first, first.isASCII, first.isNumber, let number = Double(digits),
      number * unit >= 1, number * unit < 1e18
    else { return nil }
    bytes = Int64(number * unit)
  }
}

extension Allowance {
  /// What was allowed, as it was asked for: `--max-files 10`.
  var phrase: String {
    [files.map { "--max-files \($0)" }, bytes.map { "--max-bytes \($0)" }].compactMap { $0 }
      .joined(separator: ", ")
  }
}
