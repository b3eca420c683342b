import FileSessions
import Ingestion
import LuaHost
import LuaLibrary
import Workspace

/// Why a handler gave no answer.
enum HandlerFault: Error {
  /// The handler is at fault, or what it called.
  case failure(Failure)
  /// The state had no more memory; the handler may be at fault, or another one whose turn it was before.
  case outOfMemory(Failure)
  /// The run is being stopped.
  case cancelled
  /// This is a dry run, and the handler reached for what it cannot know.
  case unknown(UnknownPoint)
}

/// A call of a handler, for messages.
struct HandlerCall: Sendable {
  let handler: RecipeKey
  /// The file that it is about, if it is about one.
  let path: ProjectPath?
  let source: ScriptSource
  /// Where its function begins, if it is one.
  let definition: LuaDefinition?

  /// What a handler's error is, in one sentence with script, line, handler and file.
  func fault(_ error: any Error) -> HandlerFault {
    guard var error = error as? LuaError else {
      if error is CancellationError { return .cancelled }
      return failure(escapingControls(String(describing: error)))
    }
    switch error.code {
    case .cancelled, .closed: return .cancelled
    case .syntax, .failed, .limit, .value, .unavailable: break
    }
    if error.place == nil { place(&error) }
    let hint = (error.limit?.advice.appending(" in one call") ?? error.hint).map { " (\($0))" } ?? ""
    var fault = Failure(
      error.limit == nil ? .script : .stopped, sentence(error.message + hint, error),
      handler: handler.rawValue, trace: trace(error))
    switch error.underlying {
    case let error as ServiceError:
      fault.status = error.status
      fault.type = error.kind.rawValue
      fault.code = error.code
      fault.param = error.param
      fault.requestID = error.requestID
    case let error as WorkspaceError where error.path == path?.string: fault.kind = .file
    default: break
    }
    return error.limit == .memory ? .outOfMemory(fault) : .failure(fault)
  }

  /// The fault of a handler that returned something else than it should.
  func fault(returning problem: WrongValue) -> HandlerFault {
    failure("\(handler.rawValue) returned \(problem.problem)")
  }

  /// The fault of something that is wrong with the answer as a whole.
  func failure(_ problem: String) -> HandlerFault {
    var error = LuaError(code: .value, message: problem)
    place(&error)
    return .failure(
      Failure(.script, sentence(problem, error), handler: handler.rawValue, trace: trace(error)))
  }

  private func sentence(_ problem: String, _ error: LuaError) -> String {
    let file = path.map { " for \(escapingControls($0.string))" } ?? ""
    return "\(error.place ?? source.name): in \(handler.rawValue)\(file): \(problem)"
  }

  /// The line with its caret, and the functions that were running.
  private func trace(_ error: LuaError) -> String? {
    let lines = error.report.split(separator: "\n").dropFirst()
    return lines.isEmpty ? nil : lines.joined(separator: "\n")
  }

  /// Blames the handler as a whole: where its function begins, or where its key is set.
  private func place(_ error: inout LuaError) {
    if let definition {
      error.script = definition.script
      error.line = definition.line
      error.sourceLine = definition.sourceLine
      let place = "\(definition.script):\(definition.line)"
      if error.traceback.isEmpty { error.traceback = ["\(place): in function <\(place)>"] }
    } else {
      let key = source.place(ofKey: handler.rawValue)
      error.script = source.name
      error.line = key?.line
      error.sourceLine = key?.text
    }
  }
}

extension LuaLimit {
  /// What a person does about a limit that was broken.
  var advice: String { "raise it with --limit \(rawValue)=…, or do less" }
}
