import FileSessions
import Ingestion
import Workspace

/// A recipe that sends all of `in/`, each file for the purpose that its name ends with.
struct FolderRecipe: Recipe {
  let name = "folder"
  let version = "1"
  let handlesCompleted = false
  let handlesFailed = false
  let quarantine: String? = nil

  func discovery() async throws(Failure) -> Discovery {
    do {
      return .walk(WalkSettings(root: try ProjectPath("in"), globs: try GlobSet(include: ["**/*"])))
    } catch {
      throw Failure(.script, "\(error)")
    }
  }

  func decide(_ candidates: [Candidate]) async -> [Ruling] {
    candidates.map { candidate in
      let stem = candidate.relative.split(separator: ".").first ?? ""
      let purpose = Purpose.known.first { stem.hasSuffix($0.rawValue) }
      return .send(Wishes(mimeType: "text/plain", purpose: purpose))
    }
  }

  func completed(_ file: SettledFile, session: FileSession) async throws(Failure) -> AfterAction? { nil }
  func failed(_ file: SettledFile, failure: Failure) async throws(Failure) -> AfterAction? { nil }
  func summary(_ summary: RunSummary) async throws(Failure) {}
}
