/// A session that a plain script opened.
package struct ScriptSession: Hashable, Sendable {
  package var id: String
  /// The script that opened it.
  package var script: String
  package var filename: String

  package init(id: String, script: String, filename: String) {
    self.id = id
    self.script = script
    self.filename = filename
  }
}
