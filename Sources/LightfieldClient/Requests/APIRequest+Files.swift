import FileSessions

extension APIRequest {
  static func createFile(_ file: NewFile, key: String?) throws(ServiceError) -> APIRequest {
    APIRequest(
      method: .POST, path: "/v1/files", body: try Body(file), category: .write, scope: "files:create",
      idempotencyKey: key)
  }

  static func completeFile(_ id: String, md5: MD5Digest?, key: String?) throws(ServiceError) -> APIRequest {
    APIRequest(
      method: .POST, path: "/v1/files/\(try id.pathSegment)/complete",
      body: try Body(md5.map { ["md5": $0.hex] } ?? [:]), category: .write, scope: "files:create",
      idempotencyKey: key)
  }

  static func cancelFile(_ id: String, key: String?) throws(ServiceError) -> APIRequest {
    APIRequest(
      method: .POST, path: "/v1/files/\(try id.pathSegment)/cancel", body: .empty, category: .write,
      scope: "files:create", idempotencyKey: key)
  }

  static func file(_ id: String) throws(ServiceError) -> APIRequest {
    APIRequest(path: "/v1/files/\(try id.pathSegment)", category: .read, scope: "files:read")
  }

  static func fileURL(_ id: String) throws(ServiceError) -> APIRequest {
    APIRequest(path: "/v1/files/\(try id.pathSegment)/url", category: .read, scope: "files:read")
  }

  static func files(limit: Int?, offset: Int?) -> APIRequest {
    APIRequest(
      path: "/v1/files", query: page(limit, offset), category: .search, scope: "files:read")
  }

  static func page(_ limit: Int?, _ offset: Int?) -> [(name: String, value: Int)] {
    [("limit", limit), ("offset", offset)].compactMap { name, value in value.map { (name, $0) } }
  }
}
