import Ingestion

/// Pauses in words.
enum PauseText {
  /// `Paused since …: profile local, recipe handbook.`
  static func sentence(_ pause: Pause) -> String {
    "Paused since \(pause.since): \(scope(profile: pause.profile, recipe: pause.recipe).printable)."
  }

  static func scope(profile: String?, recipe: String?) -> String {
    let parts = [profile.map { "profile \($0)" }, recipe.map { "recipe \($0)" }].compactMap { $0 }
    return parts.isEmpty ? "everything" : parts.joined(separator: ", ")
  }
}
