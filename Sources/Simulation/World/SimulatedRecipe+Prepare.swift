import FileSessions
import Ingestion
import Workspace

extension SimulatedRecipe {
  /// Makes what is to be sent for a file, in the directory of its job; it may fail when half of it is made.
  func prepare(_ candidate: Candidate, _ making: Making) -> Ruling {
    if making == .nothing { return .send(wishes()) }
    do throws(WorkspaceError) {
      let content = try workspace.read(candidate.path, limit: 1 << 20)
      let work = try WorkDirectory(of: candidate.key, in: workspace).make()
      var parts: [PreparedPart] = []
      for (name, bytes) in making.results(of: content, called: candidate.path.name) {
        let info = try work.write(try ProjectPath(name), bytes)
        if dice.happens(rules.faultsWhilePreparing) {
          return .fault(Failure(.script, "prepare fails in the middle"))
        }
        var wishes = wishes(called: name)
        wishes.content = PreparedContent(.work(name), stamp: info.stamp)
        parts.append(PreparedPart(name: name, wishes: wishes))
      }
      if making == .other, let only = parts.first { return .send(only.wishes) }
      return .sendParts(parts)
    } catch {
      return .fault(Failure(.script, "prepare fails: \(error.message)"))
    }
  }

  private func wishes(called name: String? = nil) -> Wishes {
    Wishes(filename: name, purpose: purpose)
  }
}
