import ArgumentParser

/// What a recipe is given on the command line.
struct ArgumentOptions: ParsableArguments {
  @Option(
    name: .customLong("arg"),
    help: ArgumentHelp("Gives the recipe moontide.args.NAME. May be given again.", valueName: "name=value"))
  var arguments: [NamedArgument] = []

  /// The values by their names, which are all different.
  var byName: [String: String] {
    Dictionary(uniqueKeysWithValues: arguments.map { ($0.name, $0.value) })
  }

  func validate() throws {
    guard Set(arguments.map(\.name)).count == arguments.count else {
      throw ValidationError("--arg gives the same name twice.")
    }
  }
}

/// `name=value` of the command line.
struct NamedArgument: ExpressibleByArgument {
  var name: String
  var value: String

  init?(argument: String) {
    guard let equals = argument.firstIndex(of: "="), equals != argument.startIndex else { return nil }
    name = String(argument[..<equals])
    value = String(argument[argument.index(after: equals)...])
  }
}
