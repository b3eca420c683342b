import FileSessions
import Workspace

/// Remembers what Moontide itself writes, so that it is not discovered again under the same profile.
package struct Tracer: Sendable {
  private let workspace: Workspace
  private let ledger: any Ledger
  private let profile: String

  package init(workspace: Workspace, ledger: any Ledger, profile: String) {
    self.workspace = workspace
    self.ledger = ledger
    self.profile = profile
  }

  /// Remembers the file as it is now. One that is gone again, or still changing, leaves no trace.
  package func record(_ path: ProjectPath) async throws(LedgerError) {
    let workspace = workspace
    let fingerprint = await offload { try? workspace.fingerprint(of: path) }
    guard let fingerprint = fingerprint ?? nil else { return }
    try await ledger.leave(
      Trace(path: path, stamp: fingerprint.stamp, md5: fingerprint.md5), profile: profile)
  }
}
