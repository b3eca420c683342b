import FileSessions
import Ingestion
import LuaHost
import Workspace

/// Why a handler gave no answer.
enum HandlerFault: Error {
  /// The handler is at fault, or what it called.
  case failure(Failure)
  /// The state had no more memory; the handler may be at fault, or another one whose turn it was before.
  case outOfMemory(Failure)
  /// The run is being stopped.
  case cancelled
}

/// A call of a handler, for messages.
struct HandlerCall: Sendable {
  let handler: RecipeKey
  /// The file that it is about, if it is about one.
  let path: ProjectPath?
  let source: ScriptSource

  /// What a handler's error is, in one sentence with script, line, handler and file.
  func fault(_ error: any Error) -> HandlerFault {
    guard let error = error as? LuaError else {
      if error is CancellationError { return .cancelled }
      return failure(escapingControls(String(describing: error)), place: definition)
    }
    switch error.code {
    case .cancelled, .closed: return .cancelled
    case .syntax, .failed, .limit, .value, .unavailable: break
    }
    let advice =
      error.limit.map { "raise it with --limit \($0.rawValue)=…, or do less in one call" } ?? error.hint
    let hint = advice.map { " (\($0))" } ?? ""
    let trace = error.report.split(separator: "\n").dropFirst().joined(separator: "\n")
    var fault = Failure(
      error.limit == nil ? .script : .stopped,
      sentence(error.message + hint, place: error.place ?? definition), handler: handler.rawValue,
      trace: trace.isEmpty ? nil : trace)
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
  ///
  /// - Parameter answer: nil when it returned nothing.
  func fault(returning problem: WrongValue) -> HandlerFault {
    failure("\(handler.rawValue) returned \(problem.problem)", place: definition)
  }

  /// The fault of something that is wrong with the answer as a whole.
  func failure(_ problem: String) -> HandlerFault { failure(problem, place: definition) }

  private func failure(_ problem: String, place: String) -> HandlerFault {
    .failure(Failure(.script, sentence(problem, place: place), handler: handler.rawValue))
  }

  private func sentence(_ problem: String, place: String) -> String {
    let file = path.map { " for \(escapingControls($0.string))" } ?? ""
    return "\(place): in \(handler.rawValue)\(file): \(problem)"
  }

  /// Where the handler is set in the script.
  private var definition: String {
    source.place(ofKey: handler.rawValue).map { "\(source.name):\($0.line)" } ?? source.name
  }
}
