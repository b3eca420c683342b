import FileSessions
import FoundationEssentials
import Glibc

/// `policy.json`: limits and purposes that replace the standard ones.
///
/// What it leaves out of the general limits is as in ``FilePolicy/standard``; `purposes`, where it is there, is
/// the whole table. A key that means nothing is an error, because a misspelt rule would be a rule that is not
/// kept.
enum PolicyFile {
  /// The policy in `directory`; nil when there is none.
  static func read(in directory: String) throws -> FilePolicy? {
    let path = directory + "/policy.json"
    let data: Data
    do {
      let file = try Descriptor(path, O_RDONLY)
      var bytes = [UInt8](repeating: 0, count: Int(try file.length()))
      let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
      data = Data(bytes.prefix(count))
    } catch let error as SystemError where error.isMissing {
      return nil
    }
    do {
      return try JSONDecoder().decode(Content.self, from: data).policy
    } catch let error as DecodingError {
      let fault = JSONSyntax.fault(in: [UInt8](data)).map {
        "line \($0.line), column \($0.column) is not JSON"
      }
      throw LocalStoreError(
        code: .policy, path: path,
        message: "The policy \(path) cannot be understood: \(fault ?? describe(error)). "
          + "Correct it, or remove it to get the standard one.")
    }
  }

  private static func describe(_ error: DecodingError) -> String {
    switch error {
    case .dataCorrupted(let context):
      place(context.codingPath) + detail(context)
    case .keyNotFound(let key, let context):
      "\(place(context.codingPath + [key]))is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      place(context.codingPath) + detail(context)
    @unknown default:
      String(describing: error)
    }
  }

  private static func detail(_ context: DecodingError.Context) -> String {
    let cause = context.underlyingError.map { " (\($0))" } ?? ""
    let text = context.debugDescription
    return (text.hasSuffix(".") ? String(text.dropLast()) : text) + cause
  }

  private static func place(_ path: [any CodingKey]) -> String {
    path.isEmpty ? "" : path.map(\.stringValue).joined(separator: ".") + ": "
  }
}

extension PolicyFile {
  private struct Content: Decodable {
    var policy = FilePolicy.standard

    init(from decoder: any Decoder) throws {
      let container = try decoder.strictContainer(of: [
        "maximumFilenameLength", "maximumBytes", "sessionLifetime", "purposes",
      ])
      policy.maximumFilenameLength =
        try container.decodePositive("maximumFilenameLength") ?? policy.maximumFilenameLength
      policy.maximumBytes = try container.decodePositive("maximumBytes") ?? policy.maximumBytes
      policy.sessionLifetime = try container.decodePositive("sessionLifetime") ?? policy.sessionLifetime
      if let rules = try container.decodeIfPresent([String: Rule].self, forKey: AnyKey("purposes")) {
        policy.purposes = rules.mapValues(\.rule)
      }
    }
  }

  private struct Rule: Decodable {
    var rule = FilePolicy.Rule()

    init(from decoder: any Decoder) throws {
      let container = try decoder.strictContainer(of: [
        "maximumBytes", "mimeTypes", "adminOnly", "userOnly", "suffixed",
      ])
      rule.maximumBytes = try container.decodePositive("maximumBytes")
      rule.mimeTypes = try container.decodeIfPresent([String].self, forKey: AnyKey("mimeTypes"))
      rule.adminOnly = try container.decodeIfPresent(Bool.self, forKey: AnyKey("adminOnly")) ?? false
      rule.userOnly = try container.decodeIfPresent(Bool.self, forKey: AnyKey("userOnly")) ?? false
      rule.suffixed = try container.decodeIfPresent(Bool.self, forKey: AnyKey("suffixed")) ?? false
    }
  }
}

/// Any string as a key, so that unknown ones can be seen.
private struct AnyKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init(_ name: String) { stringValue = name }
  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

extension Decoder {
  /// An object that may have `keys` and no others.
  fileprivate func strictContainer(of keys: [String]) throws -> KeyedDecodingContainer<AnyKey> {
    let container = try container(keyedBy: AnyKey.self)
    if let unknown = container.allKeys.first(where: { !keys.contains($0.stringValue) }) {
      throw DecodingError.dataCorruptedError(
        forKey: unknown, in: container,
        debugDescription: "this is not one of \(keys.joined(separator: ", "))")
    }
    return container
  }
}

extension KeyedDecodingContainer<AnyKey> {
  /// A number of 1 or more, or nil when it is not there.
  fileprivate func decodePositive<Number: BinaryInteger & Decodable>(_ name: String) throws -> Number? {
    let key = AnyKey(name)
    guard let number = try decodeIfPresent(Number.self, forKey: key) else { return nil }
    guard number >= 1 else {
      throw DecodingError.dataCorruptedError(
        forKey: key, in: self, debugDescription: "\(number) must be 1 or more")
    }
    return number
  }
}
