import Workspace

extension Engine {
  /// Takes away what was made for a file, once nothing more is to be done with it.
  func clearWork(of job: Job) async {
    guard recipe.prepares || job.preparation != nil, !job.phase.isUnderWay, job.step == nil, !job.isPart
    else { return }
    await offload { [workspace] in WorkDirectory(of: job.key, in: workspace).remove() }
  }

  /// Takes away what was made for a decision that is not recorded: it is made anew when the file has its turn.
  func discardWork(of job: Job) async {
    guard job.phase == .decided, job.preparation != nil else { return }
    await offload { [workspace] in WorkDirectory(of: job.key, in: workspace).remove() }
  }

  /// Takes away what an earlier run made and nobody goes on with.
  func sweepWork(keeping jobs: [Job]) async {
    let names = Set(jobs.map(\.workKey.id))
    await offload { [workspace, profile, recipe] in
      WorkDirectory.sweep(profile: profile, recipe: recipe.name, keeping: names, in: workspace)
    }
  }
}
