import FileSessions

extension LocalStore {
  /// Makes a key. This is the only time that anybody sees it: the store keeps its digest.
  ///
  /// - Parameters:
  ///   - name: what its owner calls it, 1…100 characters; a 409 when a valid key has that name.
  ///   - scopes: what it may do, empty for everything; an unknown one is a 400 that names the known ones.
  package func createKey(
    name: String, organisation: String = Caller.local.organisation,
    subject: Caller.Subject = Caller.local.subject, isAdmin: Bool = false, scopes: Set<Scope> = []
  ) async throws(ServiceError) -> (key: APIKey, record: KeyRecord) {
    try Self.check(name: name, organisation: organisation)
    try Scope.check(scopes)
    let secret = identifiers.secret()
    guard let key = APIKey(secret) else {
      throw ServiceError(.internalServerError, "A key could not be made.")
    }
    let record = KeyRecord(
      id: identifiers.identifier("key_"), name: name,
      caller: Caller(organisation: organisation, subject: subject, isAdmin: isAdmin, scopes: scopes),
      hint: key.hint, createdAt: clock.now)
    try await change { (database, _) -> Outcome<Void> in
      let table = KeyTable(database)
      if let taken = try table.find(name) {
        return Outcome(
          result: .failure(
            ServiceError(
              .conflict,
              "There is a key \"\(name)\" (\(taken.hint)). Revoke it first, or take another name.",
              shouldRetry: false)))
      }
      try table.insert(record, digest: KeyDigest(secret))
      return Outcome(result: .success(()))
    }
    return (key, record)
  }

  /// Every key that was made, oldest first, the revoked ones too.
  package func keys() async throws(ServiceError) -> [KeyRecord] {
    try await read { try KeyTable($0).all() }
  }

  /// Ends a key, named by its id or, while it is valid, by its name; a 404 when there is none.
  ///
  /// Every process that serves this store refuses it from the next request on. A key that was revoked before
  /// stays as it is.
  package func revokeKey(_ nameOrID: String) async throws(ServiceError) -> KeyRecord {
    try await change { (database, now) -> Outcome<KeyRecord> in
      let table = KeyTable(database)
      guard var record = try table.find(nameOrID) else {
        return Outcome(
          result: .failure(
            ServiceError(.notFound, "There is no valid key of the name or id \"\(nameOrID)\".")))
      }
      if record.revokedAt == nil {
        try table.revoke(record.id, at: now)
        record.revokedAt = now
      }
      return Outcome(result: .success(record))
    }
  }

  /// Whom a key stands for; nil when it is not, or no longer, valid.
  ///
  /// One read by an index, of the database itself: nothing is remembered, so that a key ends when it is revoked,
  /// whoever did it.
  package func caller(forKey key: String) async throws(ServiceError) -> Caller? {
    let digest = KeyDigest(key)
    return try await read { try KeyTable($0).caller(of: digest) }
  }

  private static func check(name: String, organisation: String) throws(ServiceError) {
    let isControl = { (scalar: Unicode.Scalar) in scalar.properties.generalCategory == .control }
    guard (1...100).contains(name.unicodeScalars.count), !name.unicodeScalars.contains(where: isControl)
    else {
      throw .invalid(
        "name", code: .invalidValue, "A key's name has 1 to 100 characters, none of them a control character."
      )
    }
    let isPlain = { (character: Character) in
      character.isASCII && (character.isLetter || character.isNumber || "_-.".contains(character))
    }
    guard (1...100).contains(organisation.utf8.count), organisation.allSatisfy(isPlain) else {
      throw .invalid(
        "organisation", code: .invalidValue,
        "An organisation's name has 1 to 100 letters, digits, and characters of _-. – \"\(organisation)\" is not one."
      )
    }
  }
}
