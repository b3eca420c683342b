import GRDB

/// The tables of `service.sqlite`.
enum Schema {
  /// SQLite's `application_id`: `MTLS`.
  static let applicationID: Int32 = 0x4D54_4C53

  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("sessions and answers") { database in
      // Times are milliseconds since 1970. `number` is the order of creation, which settles equal times.
      // `blob` names the bytes of a session; a row that names none has none.
      try database.execute(
        sql: """
          CREATE TABLE session (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            organisation TEXT NOT NULL,
            filename TEXT NOT NULL,
            mime_type TEXT NOT NULL,
            size_bytes INTEGER NOT NULL,
            status TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            expires_at INTEGER,
            completed_at INTEGER,
            refuses_overwrite INTEGER NOT NULL,
            blob TEXT,
            received_bytes INTEGER,
            received_md5 TEXT
          ) STRICT;
          CREATE INDEX session_newest ON session(organisation, created_at, number);
          CREATE INDEX session_due ON session(expires_at) WHERE status = 'PENDING';
          CREATE UNIQUE INDEX session_blob ON session(blob) WHERE blob IS NOT NULL;
          CREATE UNIQUE INDEX session_knowledge ON session(organisation, filename) WHERE refuses_overwrite = 1;

          CREATE TABLE answer (
            organisation TEXT NOT NULL,
            operation TEXT NOT NULL,
            key TEXT NOT NULL,
            request TEXT NOT NULL,
            response TEXT NOT NULL,
            answered_at INTEGER NOT NULL,
            PRIMARY KEY (organisation, operation, key)
          ) STRICT, WITHOUT ROWID;
          CREATE INDEX answer_age ON answer(answered_at);
          """)
    }
    return migrator
  }
}
