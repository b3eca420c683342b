import FileServer
import Foundation
import Testing

@Suite struct DescriptionTests {
  /// The operations of `docs/openapi.yaml`: the statuses of each method and path.
  private static func described() throws -> [String: Set<Int>] {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "docs/openapi.yaml")
    var (operations, path, operation) = ([String: Set<Int>](), "", "")
    var isInPaths = false
    for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
      // The file is written so that the depth of a line tells what it is.
      let depth = line.prefix { $0 == " " }.count
      let key = line.dropFirst(depth).prefix { $0 != ":" }
      switch depth {
      case 0: isInPaths = key == "paths"
      case 2 where isInPaths: path = String(key)
      case 4 where isInPaths && ["get", "head", "put", "post"].contains(key):
        operation = "\(key.uppercased()) \(path)"
        operations[operation] = []
      case 8 where isInPaths:
        if let status = Int(key.filter { $0 != "'" }) { operations[operation]?.insert(status) }
      default: break
      }
    }
    return operations
  }

  @Test func `The description has every route with its statuses, and nothing else`() throws {
    let served = Dictionary(
      uniqueKeysWithValues: Route.allCases.map { ("\($0.method) \($0.path)", $0.statuses) })
    let described = try Self.described()
    #expect(Set(described.keys) == Set(served.keys))
    for (operation, statuses) in served {
      #expect(described[operation] == statuses, "\(operation)")
    }
  }
}
