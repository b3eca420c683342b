import Digests
import LuaHost
import Workspace

extension LuaLibrary {
  /// `moontide.hash`: `md5` and `sha256` of a string, `file` of a file's content; lower-case hexadecimal digits.
  static func hash(_ context: LibraryContext) -> LuaModule {
    LuaModule("moontide.hash") { module in
      for algorithm in Algorithm.allCases {
        module.function(algorithm.rawValue) { call in
          try call.push(algorithm.digest(call.bytes(1)).hexadecimal)
        }
        module.waiting(algorithm.rawValue + "_file") { call in
          try .blocking(context.toRead(&call, 1), algorithm)
        }
      }
      module.waiting("file") { call in
        let wanted = try context.toRead(&call, 1)
        let name = try call.optionalString(2) ?? Algorithm.sha256.rawValue
        guard let algorithm = Algorithm(rawValue: name) else {
          throw LuaValueError(
            place: "\(call.name): argument #2", wanted: "\"md5\" or \"sha256\"",
            got: LuaValue.string(name).summary)
        }
        return .blocking(wanted, algorithm)
      }
    }
  }

  fileprivate enum Algorithm: String, CaseIterable {
    case md5, sha256

    func digest(_ bytes: [UInt8]) -> [UInt8] {
      switch self {
      case .md5:
        var digest = DigestStream(.md5)
        digest.update(bytes)
        return digest.finalize()
      case .sha256: return SHA256.digest(bytes)
      }
    }

    /// The digest of the rest of a file.
    func digest(_ pieces: inout FilePieces) throws(WorkspaceError) -> [UInt8] {
      switch self {
      case .md5:
        var digest = DigestStream(.md5)
        while let piece = try pieces.next() { digest.update(piece) }
        return digest.finalize()
      case .sha256:
        var digest = DigestStream(.sha256)
        while let piece = try pieces.next() { digest.update(piece) }
        return digest.finalize()
      }
    }
  }
}

extension LuaOperation {
  /// The digest of a file, read in pieces.
  fileprivate static func blocking(_ wanted: WantedFile, _ algorithm: LuaLibrary.Algorithm) -> LuaOperation {
    .blocking {
      let place = try wanted.place()
      let file = try place.workspace.open(place.path)
      let before = try file.stamp()
      var pieces = FilePieces(file)
      let digest = try algorithm.digest(&pieces)
      guard try file.stamp() == before else {
        throw WorkspaceError(
          .changed, path: file.path.string, "\(file.path) changed while it was hashed; try again")
      }
      return [.string(digest.hexadecimal)]
    }
  }
}

/// A file from beginning to end, in bounded memory.
private struct FilePieces {
  private let file: OpenFile
  private var offset: Int64 = 0

  init(_ file: OpenFile) { self.file = file }

  /// The next bytes; nil at the end. Blocks.
  mutating func next() throws(WorkspaceError) -> [UInt8]? {
    let piece = try file.read(count: 1 << 18, at: offset)
    offset += Int64(piece.count)
    return piece.isEmpty ? nil : piece
  }
}
