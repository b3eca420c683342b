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
    migrator.registerMigration("keys and meetings") { database in
      // A key itself is kept nowhere. `lookup` is the first eight bytes of its digest, to find the row by.
      // `scopes` are parted by spaces. `content` is what the meeting was made of, as the API's body has it.
      try database.execute(
        sql: """
          CREATE TABLE api_key (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            name TEXT NOT NULL,
            organisation TEXT NOT NULL,
            user TEXT,
            is_admin INTEGER NOT NULL,
            scopes TEXT NOT NULL,
            hint TEXT NOT NULL,
            lookup INTEGER NOT NULL,
            digest BLOB NOT NULL,
            created_at INTEGER NOT NULL,
            revoked_at INTEGER
          ) STRICT;
          CREATE UNIQUE INDEX api_key_name ON api_key(name) WHERE revoked_at IS NULL;
          CREATE INDEX api_key_lookup ON api_key(lookup) WHERE revoked_at IS NULL;

          CREATE TABLE meeting (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            organisation TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            updated_at INTEGER,
            content TEXT NOT NULL
          ) STRICT;
          CREATE INDEX meeting_newest ON meeting(organisation, created_at, number);
          """)
    }
    return migrator
  }
}
