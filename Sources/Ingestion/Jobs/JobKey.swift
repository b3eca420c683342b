import Digests
import Workspace

/// What a job is about: a file of the project, for one recipe, at one destination.
package struct JobKey: Hashable, Sendable {
  /// The destination: `local`, `lightfield`, or a name of the user's.
  package var profile: String
  /// The recipe's `name`.
  package var recipe: String
  /// The file, relative to the project.
  package var path: ProjectPath

  package init(profile: String, recipe: String, path: ProjectPath) {
    self.profile = profile
    self.recipe = recipe
    self.path = path
  }

  /// A name for the job that is the same in every run: `job_` and 16 hexadecimal digits.
  package var id: String {
    "job_" + SHA256.hex([profile, recipe, path.string].joined(separator: "\0")).prefix(16)
  }
}
