import LuaLibrary

/// The `--allow-…` words of the command line, which give scripts more than every script may.
///
/// They are taken out before the other words are parsed: their value is optional and never a word of its own,
/// and they may stand anywhere. In `moontide exec` those after the script are the script's.
enum GrantFlags {
  /// What this call of the program grants.
  @TaskLocal static var current = PermissionGrants.none

  static let help = """
    A script reads and writes below its project. More is granted with --allow-read=PATH, --allow-write=PATH, \
    --allow-net=HOST[:PORT], --allow-env=NAME, --allow-run=PROGRAM, --allow-service=SCOPE, or --allow-all; \
    --allow-net=slack:HOST grants it to slack.lua alone.
    """

  /// The grants, and the words that are left.
  static func take(from words: [String]) throws(CommandFailure) -> (grants: PermissionGrants, rest: [String])
  {
    var grants = PermissionGrants()
    var rest: [String] = []
    let base = PathBase(
      directory: CurrentDirectory.path, home: LaunchEnvironment.variables["HOME"])
    let isExec = words.first { !$0.hasPrefix("-") } == "exec"
    var isOver = false
    for word in words {
      do throws(PermissionSyntaxError) {
        let isGrant = isOver ? false : try grants.take(word, base: base)
        if !isGrant { rest.append(word) }
      } catch {
        throw CommandFailure(.usage, error.problem)
      }
      isOver = isOver || word == "--" || (isExec && word.hasSuffix(".lua"))
    }
    return (grants, rest)
  }
}
