import FileSessions
import Ingestion
import SQLiteLedger
import Workspace

/// Everything known of a file, as JSON.
struct WhyJSON: Encodable {
  struct Trace: Encodable {
    var profile: String
    /// The file that was moved or copied there.
    var origin: String?
    /// Whether the file is still as it was put there: then it is not discovered again.
    var isUntouched: Bool
  }

  struct Recipe: Encodable {
    var profile: String
    var name: String
    var script: String
    /// `takes`, `unseen`, `withheld`, or `unnamed` where the recipe names its files by itself.
    var view: String
    /// Why it is unseen or withheld.
    var reason: String?
  }

  var v = 1
  var path: String
  /// In a sentence, as the text has it.
  var presence: String
  var isThere: Bool
  /// What is there, links followed: `file`, `directory`, ….
  var kind: String?
  var sizeBytes: Int64?
  /// Where the path is a link: where it leads, as it is written.
  var linkTarget: String?
  var jobs: [JobJSON]
  var traces: [Trace]
  /// Recipes that have run and have no record of the file.
  var recipes: [Recipe]
  var pauses: [Pause]

  init(_ facts: FileFacts) {
    path = facts.path.string
    presence = WhyText.presence(facts)
    if case .info(let info) = facts.presence {
      (isThere, kind) = (true, info.kind.rawValue)
      sizeBytes = info.kind == .file ? info.stamp.size : nil
    } else {
      isThere = false
    }
    linkTarget = facts.linkTarget
    jobs = facts.stories.map { story in
      var job = JobJSON(story)
      job.hasChanged = facts.isChanged(since: story)
      job.step?.staysFor = facts.holders(of: story)
      return job
    }
    traces = facts.traces.map {
      Trace(profile: $0.profile, origin: $0.origin, isUntouched: facts.isUntouched($0))
    }
    recipes = facts.outlooks.map { outlook in
      let (view, reason): (String, String?) =
        switch outlook.view {
        case nil: ("unnamed", nil)
        case .taken: ("takes", nil)
        case .unseen(let reason): ("unseen", "\(reason)\(outlook.place)")
        case .withheld(let reason): ("withheld", "\(reason)")
        }
      let recipe = outlook.recipe
      return Recipe(
        profile: recipe.profile, name: recipe.name, script: recipe.script, view: view, reason: reason)
    }
    pauses = facts.pauses
  }
}
