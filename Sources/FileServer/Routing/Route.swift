import FileSessions

/// Everything that is served, one case for each operation of `docs/openapi.yaml`: the only list there is.
package enum Route: String, CaseIterable, Sendable {
  case createFile, listFiles, retrieveFile, completeFile, cancelFile, fileURL
  case validateAuthorization
  case createMeeting, listMeetings, retrieveMeeting, updateMeeting
  case upload, download, downloadHead
  case health, metrics

  /// The HTTP method, upper case.
  package var method: String {
    switch self {
    case .createFile, .completeFile, .cancelFile, .createMeeting, .updateMeeting: "POST"
    case .listFiles, .retrieveFile, .fileURL, .validateAuthorization, .listMeetings, .retrieveMeeting,
      .download,
      .health, .metrics:
      "GET"
    case .downloadHead: "HEAD"
    case .upload: "PUT"
    }
  }

  /// The path, with `{id}` where an id stands.
  package var path: String {
    switch self {
    case .createFile, .listFiles: "/v1/files"
    case .retrieveFile: "/v1/files/{id}"
    case .completeFile: "/v1/files/{id}/complete"
    case .cancelFile: "/v1/files/{id}/cancel"
    case .fileURL: "/v1/files/{id}/url"
    case .validateAuthorization: "/v1/auth/validate"
    case .createMeeting, .listMeetings: "/v1/meetings"
    case .retrieveMeeting, .updateMeeting: "/v1/meetings/{id}"
    case .upload: "/uploads/{id}"
    case .download, .downloadHead: "/downloads/{id}"
    case .health: "/healthz"
    case .metrics: "/metrics"
    }
  }

  /// What opens it, and which of the organisation's rates it draws on.
  package enum Access: Hashable, Sendable {
    /// A key of the API.
    case key(RateCategory)
    /// The signature in the URL.
    case signature
    /// Nothing: it tells nobody's data.
    case open
  }

  /// What opens it.
  package var access: Access {
    switch self {
    case .createFile, .completeFile, .cancelFile, .createMeeting, .updateMeeting: .key(.write)
    case .retrieveFile, .fileURL, .validateAuthorization, .retrieveMeeting: .key(.read)
    case .listFiles, .listMeetings: .key(.search)
    case .upload, .download, .downloadHead: .signature
    case .health, .metrics: .open
    }
  }

  /// Whether it takes a body, and what becomes of an absent one.
  package enum Body: Hashable, Sendable {
    /// It takes none.
    case none
    /// An object of JSON.
    case json
    /// An object of JSON, or nothing, which is the same as an empty object.
    case optionalJSON
    /// Any bytes.
    case bytes
  }

  /// Whether it takes a body.
  package var body: Body {
    switch self {
    case .createFile, .completeFile, .createMeeting, .updateMeeting: .json
    case .cancelFile: .optionalJSON
    case .upload: .bytes
    case .listFiles, .retrieveFile, .fileURL, .validateAuthorization, .listMeetings, .retrieveMeeting,
      .download,
      .downloadHead, .health, .metrics:
      .none
    }
  }

  /// The statuses that it may answer with.
  package var statuses: Set<Int> {
    switch self {
    case .createFile: Self.api.union(Self.post)
    case .completeFile: Self.api.union(Self.post).union([404, 422])
    case .cancelFile: Self.api.union(Self.post).union([404])
    case .fileURL: Self.api.union([404, 409])
    case .retrieveFile, .retrieveMeeting: Self.api.union([404])
    case .listFiles, .listMeetings: Self.api
    case .validateAuthorization: Self.api.subtracting([403])
    case .createMeeting: Self.api.union(Self.post).union([422])
    case .updateMeeting: Self.api.union(Self.post).union([404, 422])
    case .upload: [200, 400, 403, 404, 408, 409, 411, 412, 413, 500, 503]
    case .download, .downloadHead: [200, 206, 304, 403, 404, 409, 416, 500, 503]
    case .health: [200, 503]
    case .metrics: [200]
    }
  }

  /// What every call of the API may answer.
  private static let api: Set<Int> = [200, 400, 401, 403, 429, 500, 503]
  /// What a call with a body and an idempotency key may answer besides.
  private static let post: Set<Int> = [408, 409, 413, 415]
}

/// The three rates of an organisation.
package enum RateCategory: String, CaseIterable, Sendable {
  case write, read, search
}

extension Route {
  /// What a method and a path lead to.
  enum Match: Hashable, Sendable {
    case route(Route, id: String)
    /// The path is served, by these methods.
    case otherMethods([String])
    case nothing
  }

  /// Finds what serves `path`, which is still percent-encoded and has no query.
  static func match(method: String, path: some StringProtocol) -> Match {
    let parts = Self.parts(of: path)
    let found = templates.compactMap { route, template in
      id(of: parts, in: template).map { (route, $0) }
    }
    if let (route, id) = found.first(where: { $0.0.method == method }) { return .route(route, id: id) }
    return found.isEmpty ? .nothing : .otherMethods(found.map { $0.0.method }.sorted())
  }

  private static let templates = allCases.map { route in (route, parts(of: route.path)) }

  private static func parts(of path: some StringProtocol) -> [String] {
    path.split(separator: "/" as Character, omittingEmptySubsequences: false).map { String($0) }
  }

  /// The id in `parts`, empty where the template has none; nil when they do not fit.
  private static func id(of parts: [String], in template: [String]) -> String? {
    guard parts.count == template.count else { return nil }
    var id = ""
    for (part, expected) in zip(parts, template) where part != expected {
      guard expected == "{id}", !part.isEmpty, let text = part.percentDecoded else { return nil }
      id = text
    }
    return id
  }
}
