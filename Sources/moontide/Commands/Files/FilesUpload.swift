import ArgumentParser
import FileSessions
import Workspace

struct FilesUpload: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "upload", abstract: "Send files: open a session, send the bytes, complete it.",
    discussion: """
      Each file is completed with the md5 of the bytes that were sent, or its session is cancelled: after an error \
      and after Ctrl-C none is left PENDING. What an upload left open that was killed, the next one to the same \
      service cancels. A file is sent each time it is named; to send what is new in a folder \
      use moontide run.

      With --id only the bytes are sent, into a session of the embedded service that files create opened. \
      Elsewhere they are PUT to its uploadUrl.
      """)

  @OptionGroup var options: ServiceOptions

  @Argument(help: "The files.", completion: .file())
  var paths: [String]

  @Option(help: "The name that the file gets, instead of its own.")
  var filename: String?

  @Option(help: "Such as text/markdown; found out when it is not given.")
  var mimeType: String?

  @Option(help: "What the files are for, such as knowledge_user.")
  var purpose: String?

  @Option(help: "Sends only the bytes, into this session.")
  var id: String?

  @Option(help: "How many files are under way at once.")
  var transfers = 4

  func validate() throws {
    if paths.count > 1, filename != nil || id != nil {
      throw ValidationError("--filename and --id go with one file.")
    }
    if id != nil, filename != nil || mimeType != nil || purpose != nil {
      throw ValidationError("The session of --id has its name, type and purpose already.")
    }
    guard (1...256).contains(transfers) else {
      throw ValidationError("--transfers takes a number from 1 to 256.")
    }
  }

  func run() async throws {
    try await options.with(.send) { [self] desk in
      if let id { try await sendBytes(to: id, desk) } else { try await sendAll(desk) }
    }
  }

  // MARK: - The three steps

  private enum Outcome: Sendable {
    case sent(FileSession)
    case failed(message: String, ServiceError?)
    /// Another file's error stands against this one as well, or the command was interrupted.
    case left
  }

  private func sendAll(_ desk: ServiceDesk) async throws {
    await desk.endAbandonedUploads()
    let sender = desk.sender(await desk.beginJournal())
    let screen = ProgressScreen(
      on: StandardStream.error.isScreen ? .error : nil, TerminalLook(LaunchEnvironment.variables),
      expecting: paths.count)
    defer { screen.clear() }
    screen.update { board in
      for (index, path) in paths.enumerated() { board.enqueue("\(index)", bytes: LocalFile.size(of: path)) }
      board.isEndKnown = true
    }
    var ended: [Int: Outcome] = [:]
    var printed = 0
    var (failures, left) = (0, 0)
    var standing: ServiceError?
    await withTaskGroup(of: (Int, Outcome).self) { group in
      var next = 0
      func begin() {
        guard next < paths.count else { return }
        let (index, isLeft) = (next, standing != nil || Task.isCancelled)
        next += 1
        group.addTask { (index, isLeft ? .left : await send(index, desk, sender, screen)) }
      }
      for _ in 0..<transfers { begin() }
      for await (index, outcome) in group {
        if case .failed(_, let error?) = outcome, ServiceErrorText.status(of: error) == .service {
          standing = standing ?? error
        }
        ended[index] = outcome
        // In the order in which the files were named.
        while let outcome = ended.removeValue(forKey: printed) {
          switch outcome {
          case .sent: break
          case .failed: failures += 1
          case .left: left += 1
          }
          if let (line, stream) = line(for: paths[printed], outcome) {
            screen.write(line + "\n", to: stream)
          }
          printed += 1
        }
        begin()
      }
    }
    let rest = left == 0 ? "" : " \(Format.count(left, "file")) left."
    if Task.isCancelled {
      if !rest.isEmpty { complain("Interrupted.\(rest)", .warning) }
      throw ExitStatus.interrupted
    }
    if standing != nil { throw CommandFailure(.service, "The service refused or is away.\(rest)") }
    if failures > 0 { throw ExitStatus.filesFailed }
  }

  private func send(
    _ index: Int, _ desk: ServiceDesk, _ sender: FileSender, _ screen: ProgressScreen
  ) async -> Outcome {
    let (id, path) = ("\(index)", paths[index])
    let outcome = await send(path, desk, sender) { bytes, length in
      let now = ContinuousClock.now
      screen.update { $0.advance(id, name: path.printable, to: bytes, of: length, at: now) }
    }
    screen.update { board in
      switch outcome {
      case .sent(let session): board.finish(id, bytes: session.sizeBytes)
      case .failed: board.fail(id)
      case .left: board.end(id)
      }
    }
    return outcome
  }

  private func send(
    _ path: String, _ desk: ServiceDesk, _ sender: FileSender,
    progress: @escaping @Sendable (_ bytes: Int64, _ length: Int64) -> Void
  ) async -> Outcome {
    do {
      var (file, type) = try await desk.open(path, mimeType: mimeType)
      let length = file.length
      file.progress = { bytes in progress(bytes, length) }
      let request = NewFile(
        filename: filename ?? file.name, mimeType: type, sizeBytes: length,
        purpose: purpose.map(Purpose.init(rawValue:)))
      return .sent(try await sender.send(file, as: request))
    } catch let failure as FileSender.Failure {
      return .failed(message: failure.message, failure.error)
    } catch {
      if Task.isCancelled { return .left }
      if let error = error as? ServiceError {
        let text = ServiceErrorText.text(error, at: desk.destination)
        return .failed(message: text, error)
      }
      return .failed(message: (error as? WorkspaceError)?.message ?? "\(error)", nil)
    }
  }

  private func line(for path: String, _ outcome: Outcome) -> (String, StandardStream)? {
    switch outcome {
    case .sent(let session) where options.json:
      (JSONText.line(session), .output)
    case .sent(let session) where StandardStream.output.isTerminal:
      ("sent  \(path.printable) → \(session.filename.printable) (\(session.id.printable))", .output)
    case .sent(let session):
      ((FilesTable.cells(session) + [path.printable]).joined(separator: "\t"), .output)
    case .failed(let message, _):
      ("moontide: \(path.printable): \(message.printableLines)", .error)
    case .left:
      nil
    }
  }

  // MARK: - The bytes alone

  private func sendBytes(to id: String, _ desk: ServiceDesk) async throws {
    guard desk.destination.access == nil, let path = paths.first else {
      throw CommandFailure(
        .usage,
        "Only the call that opened \(id) was told where its bytes go: PUT them to its uploadUrl with exactly its "
          + "uploadHeaders, as in curl -T FILE -H 'content-type: …' URL.")
    }
    let file: LocalFile
    do throws(WorkspaceError) {
      file = try await desk.open(path, mimeType: "").0
    } catch {
      throw CommandFailure(.filesFailed, error.message)
    }
    let session = try await desk.service.retrieve(id)
    let receipt = try await desk.sender(nil).sendBytes(
      file, of: OpenedSession(session: session, target: .local))
    let sent = SentBytes(id: id, bytes: receipt.bytes, md5: receipt.md5)
    say(options.json ? JSONText.line(sent) : "\(id)\t\(sent.bytes)\t\(sent.md5)")
    if StandardStream.output.isTerminal {
      say("Complete it with moontide files complete --id \(id) --md5 \(sent.md5)")
    }
  }

  /// What sending the bytes alone came to.
  private struct SentBytes: Encodable {
    var id: String
    var bytes: Int64
    var md5: MD5Digest
  }
}
