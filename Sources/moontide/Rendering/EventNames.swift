/// What an event is called in JSON.
package enum EventName: String, CaseIterable, Encodable {
  case began, resuming, problem, skipped, deferred, waiting, decided, opened, retrying, sent, touched, failed
  case rejected, finished
  case comesBack = "comes_back"
  case stepFailed = "step_failed"
  case cancelled, left, answered, watching
  case caughtUp = "caught_up"
  case noted, failures, call, summary, total
}

/// The fields that events have in JSON.
package enum EventField: String, CaseIterable, CodingKey {
  case v, event, path, recipe, profile, service, keyHint, reason, message, trace, until, request, session
  case failure, isNew, jobs, call, status, error
  case requestID = "requestId"
  case seconds, kind, count, paths, again, summary
}
