import Workspace

/// Something that a script wants to do.
package enum Access: Hashable, Sendable {
  /// A file or directory below the project.
  case read(ProjectPath)
  case write(ProjectPath)
  /// An absolute path outside of the project, without `..`.
  case readOutside(String)
  case writeOutside(String)
  /// A connection. The host is in lower case; an IPv6 address has no brackets.
  case net(host: String, port: Int)
  /// An environment variable.
  case env(String)
  /// A program: a name without a slash, or an absolute path.
  case run(String)
  /// A call that takes this scope of the API, such as `files:create`.
  case service(scope: String)

  /// The permission that it needs.
  package var kind: PermissionKind {
    switch self {
    case .read, .readOutside: .read
    case .write, .writeOutside: .write
    case .net: .net
    case .env: .env
    case .run: .run
    case .service: .service
    }
  }

  /// What is wanted of it, in the form in which it is granted.
  package var object: String {
    switch self {
    case .read(let path), .write(let path): path.string
    case .readOutside(let path), .writeOutside(let path): path
    case .net(let host, let port):
      NetItem(host: host, port: NetItem.usualPorts.contains(port) ? nil : port).text
    case .env(let name): name
    case .run(let program): program
    case .service(let scope): scope
    }
  }

  /// The flag that would grant just this: `--allow-net=hooks.slack.com`; safe to paste into a shell.
  package var flag: String { "\(kind.flag)=\(shellWord(object))" }
}

/// A word as a shell takes it for itself: in quotes where anything in it means something to the shell.
func shellWord(_ word: String) -> String {
  let plain = word.unicodeScalars.allSatisfy { scalar in
    scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
      || "_-.,:/@%+=[]".unicodeScalars.contains(scalar)
  }
  if plain && !word.isEmpty && !word.contains("[") { return word }
  return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
}
