import FileSessions

/// Which part of a list was asked for.
struct Page: Sendable {
  /// 1…``FileServiceLimits/pageSize``.
  let limit: Int
  let offset: Int

  /// Cuts what was asked for to what is given; throws the 400 that names what cannot be.
  init(limit: Int?, offset: Int?) throws(ServiceError) {
    let limit = limit ?? FileServiceLimits.pageSize
    let offset = offset ?? 0
    guard limit >= 1 else {
      throw .invalid("limit", code: .invalidValue, "The limit is \(limit); it must be 1 or more.")
    }
    guard offset >= 0 else {
      throw .invalid("offset", code: .invalidValue, "The offset is \(offset); it must be 0 or more.")
    }
    self.limit = min(limit, FileServiceLimits.pageSize)
    self.offset = offset
  }
}
