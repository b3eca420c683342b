import FileSessions
import Testing

@Suite("The status machine")
struct FileStatusTests {
  /// Every status with every event, as the contract draws it.
  static let table: [(FileStatus, FileEvent, FileTransition)] = [
    (.pending, .receive, .stay),
    (.pending, .complete, .become(.completed)),
    (.pending, .cancel, .become(.cancelled)),
    (.pending, .expire, .become(.expired)),
    (.pending, .download, .refuse),
    (.completed, .receive, .refuse),
    (.completed, .complete, .refuse),
    (.completed, .cancel, .refuse),
    (.completed, .expire, .stay),
    (.completed, .download, .stay),
    (.cancelled, .receive, .refuse),
    (.cancelled, .complete, .refuse),
    (.cancelled, .cancel, .refuse),
    (.cancelled, .expire, .stay),
    (.cancelled, .download, .refuse),
    (.expired, .receive, .refuse),
    (.expired, .complete, .refuse),
    (.expired, .cancel, .refuse),
    (.expired, .expire, .stay),
    (.expired, .download, .refuse),
  ]

  @Test("every event does to every status what the contract draws", arguments: table)
  func transition(status: FileStatus, event: FileEvent, expected: FileTransition) {
    #expect(status.transition(on: event) == expected)
  }

  @Test("the table above leaves no pair out")
  func tableIsComplete() {
    #expect(Self.table.count == FileStatus.allCases.count * FileEvent.allCases.count)
    #expect(Set(Self.table.map { "\($0.0) \($0.1)" }).count == Self.table.count)
  }

  @Test("no event leads out of a final status", arguments: FileStatus.allCases, FileEvent.allCases)
  func finalStaysFinal(status: FileStatus, event: FileEvent) {
    guard status.isFinal else { return }
    if case .become = status.transition(on: event) { Issue.record("\(status) became another on \(event)") }
  }

  @Test("only PENDING is not final")
  func finality() {
    #expect(FileStatus.allCases.filter { !$0.isFinal } == [.pending])
  }

  @Test("a refusal is a final 409 that names the file, its status and the one needed")
  func conflict() {
    let completing = FileStatus.cancelled.conflict(on: .complete, session: "fil_1")
    #expect(completing.kind == .conflict)
    #expect(completing.status == 409)
    #expect(completing.shouldRetry == false)
    #expect(
      completing.message == "The file fil_1 is CANCELLED and cannot be completed; that takes PENDING.")
    let fetching = FileStatus.pending.conflict(on: .download, session: "fil_1")
    #expect(fetching.message == "The file fil_1 is PENDING and cannot be downloaded; that takes COMPLETED.")
  }

  @Test(
    "the API's spelling of each status",
    arguments: zip(FileStatus.allCases, ["PENDING", "COMPLETED", "CANCELLED", "EXPIRED"]))
  func spelling(status: FileStatus, name: String) {
    #expect(status.rawValue == name)
  }
}
