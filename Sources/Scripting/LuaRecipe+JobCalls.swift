import Ingestion
import LuaLibrary
import Workspace

extension LuaRecipe {
  /// The calls that a handler of a candidate makes once: for the content that its stamp stands for.
  func jobCalls(of candidate: Candidate) -> JobCalls {
    jobCalls(of: candidate.key, version: Self.version(candidate.stamp), work: work(of: candidate.key))
  }

  /// The calls that a handler of a settled file makes once: for the content that was sent, if any was.
  func jobCalls(of file: SettledFile) -> JobCalls {
    jobCalls(
      of: file.key, version: file.md5.map { "\(file.stamp.size)-\($0)" } ?? Self.version(file.stamp),
      work: work(of: file.workKey))
  }

  private func jobCalls(of key: JobKey, version: String, work: WorkPlace?) -> JobCalls {
    JobCalls(
      job: [key.profile, key.recipe, key.path.string], version: version, work: work
    ) { [once] label, body in
      try await once.result(of: OncePlace(key: key, label: label), body)
    }
  }

  private func work(of key: JobKey) -> WorkPlace? {
    prepares
      ? WorkPlace(directory: WorkDirectory(of: key, in: context.workspace).path, of: context.workspace) : nil
  }

  private static func version(_ stamp: FileStamp) -> String {
    "\(stamp.size)@\(stamp.modified)"
  }
}
