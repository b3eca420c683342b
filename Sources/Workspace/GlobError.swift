/// What is wrong with a glob, and where.
package struct GlobError: Error, Hashable, Sendable, CustomStringConvertible {
  package let pattern: String
  /// Which character of the pattern, counted in Unicode scalars from 1.
  package let position: Int
  /// What is wrong and what to write instead.
  package let reason: String

  package var message: String { "the glob \(quoted(pattern)), character \(position): \(reason)" }

  package var description: String { message }
}
