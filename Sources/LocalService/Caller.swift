import FileSessions

/// On whose behalf the local service acts: what a key stands for, or the process itself.
package struct Caller: Hashable, Sendable {
  /// What kind of account calls.
  package enum Subject: Hashable, Sendable {
    /// A person, who has a personal uploads area.
    case user(id: String)
    /// The organisation itself.
    case workspace
  }

  /// The organisation whose files the caller sees; nobody sees another's.
  package var organisation: String
  package var subject: Subject
  /// Whether the caller administers the organisation.
  package var isAdmin: Bool
  /// What the caller may do; empty for everything, as in the API's `auth/validate`.
  package var scopes: Set<Scope>

  package init(organisation: String, subject: Subject, isAdmin: Bool, scopes: Set<Scope> = []) {
    self.organisation = organisation
    self.subject = subject
    self.isAdmin = isAdmin
    self.scopes = scopes
  }

  /// The process that embeds the service: an admin of the organisation `org_local` who may do everything.
  package static let local = Caller(
    organisation: "org_local", subject: .user(id: "usr_local"), isAdmin: true)

  /// What a ``FilePolicy`` asks about the caller.
  package var standing: CallerStanding {
    let isUser =
      switch subject {
      case .user: true
      case .workspace: false
      }
    return CallerStanding(isAdmin: isAdmin, isUser: isUser)
  }

  /// Whether the caller may do what `scope` stands for.
  package func may(_ scope: Scope) -> Bool {
    scopes.isEmpty || scopes.contains(scope)
  }

  /// Throws a 403 that names the scope when the caller lacks it.
  package func require(_ scope: Scope) throws(ServiceError) {
    guard may(scope) else {
      throw ServiceError(.forbidden, "The key lacks the scope \(scope).")
    }
  }
}
