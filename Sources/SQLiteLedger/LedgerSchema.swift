import GRDB

/// The ledger's tables, step by step from nothing.
enum LedgerSchema {
  /// "Mtld": what marks a SQLite file as a ledger.
  static let applicationID: Int32 = 0x4D74_6C64

  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1: jobs") { database in
      try database.execute(sql: tables)
    }
    migrator.registerMigration("2: requests") { database in
      try database.execute(sql: requests)
    }
    migrator.registerMigration("3: data") { database in
      try database.execute(sql: data)
    }
    migrator.registerMigration("4: contents") { database in
      try database.execute(sql: contents)
    }
    migrator.registerMigration("5: tries") { database in
      try database.execute(sql: tries)
    }
    migrator.registerMigration("6: prepared files") { database in
      // JSON: what is sent instead of the file.
      try database.execute(sql: "ALTER TABLE jobs ADD COLUMN preparation TEXT")
    }
    migrator.registerMigration("7: stories") { database in
      try database.execute(sql: stories)
      try FailureReasons.fill(database)
    }
    return migrator
  }

  private static let stories = """
    -- Which handlers decided, what was done with the file in the end, and what its failure has in common with others.
    ALTER TABLE jobs ADD COLUMN deciders TEXT;
    ALTER TABLE jobs ADD COLUMN afterwards TEXT;
    ALTER TABLE jobs ADD COLUMN failure_reason TEXT;
    -- The file that was moved or copied there.
    ALTER TABLE traces ADD COLUMN origin TEXT;
    """

  private static let data = """
    -- What a recipe keeps with a job, JSON: what discovery gave, and what the decision put in its place.
    ALTER TABLE jobs ADD COLUMN offered TEXT;
    ALTER TABLE jobs ADD COLUMN data TEXT;
    """

  private static let contents = """
    -- Where the same content was sent from, of a file that was skipped for that.
    ALTER TABLE jobs ADD COLUMN same_as TEXT;
    CREATE INDEX jobs_same_as ON jobs (profile, recipe, same_as) WHERE same_as IS NOT NULL;
    CREATE INDEX sent_by_content ON sent (profile, recipe, size, md5);
    """

  private static let tries = """
    -- How often a file was given up, and how often in a row it came back by itself instead.
    ALTER TABLE jobs ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE jobs ADD COLUMN rounds INTEGER NOT NULL DEFAULT 0;
    """

  private static let requests = """
    -- What other processes ask of the one that owns the ledger; a row goes when it is done.
    CREATE TABLE requests (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      at INTEGER NOT NULL,
      content TEXT NOT NULL          -- JSON
    ) STRICT;

    -- What begins nothing new; an empty text is any.
    CREATE TABLE pauses (
      profile TEXT NOT NULL,
      recipe TEXT NOT NULL,
      at INTEGER NOT NULL,
      PRIMARY KEY (profile, recipe)
    ) STRICT, WITHOUT ROWID;
    """

  private static let tables = """
    CREATE TABLE jobs (
      id INTEGER PRIMARY KEY,
      profile TEXT NOT NULL,
      recipe TEXT NOT NULL,
      path TEXT NOT NULL,
      relative TEXT NOT NULL,
      phase TEXT NOT NULL,
      size INTEGER NOT NULL,
      modified INTEGER NOT NULL,     -- nanoseconds since 1970
      inode INTEGER NOT NULL,
      recipe_version TEXT NOT NULL,
      request TEXT,                  -- JSON, as it is sent
      idempotency_key TEXT,
      session TEXT,                  -- JSON, as the API gave it
      target TEXT,                   -- JSON
      md5 TEXT,
      reason TEXT,
      failure TEXT,                  -- JSON
      due_at INTEGER,                -- milliseconds since 1970
      step TEXT,                     -- JSON; null when nothing is left to do
      opens INTEGER NOT NULL,
      changes INTEGER NOT NULL,
      revision INTEGER NOT NULL,
      UNIQUE (profile, recipe, path)
    ) STRICT;

    -- What a new run has to see to before anything else.
    CREATE INDEX jobs_under_way ON jobs (profile, recipe)
      WHERE phase IN ('decided', 'opened', 'uploaded', 'completed') OR step IS NOT NULL;
    CREATE INDEX jobs_by_path ON jobs (path);

    CREATE TABLE sent (
      profile TEXT NOT NULL,
      recipe TEXT NOT NULL,
      path TEXT NOT NULL,
      size INTEGER NOT NULL,
      md5 TEXT NOT NULL,
      session TEXT NOT NULL,
      at INTEGER NOT NULL,
      PRIMARY KEY (profile, recipe, path, size, md5)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE traces (
      profile TEXT NOT NULL,
      path TEXT NOT NULL,
      size INTEGER NOT NULL,
      modified INTEGER NOT NULL,
      inode INTEGER NOT NULL,
      md5 TEXT NOT NULL,
      PRIMARY KEY (profile, path)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE history (
      job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
      at INTEGER NOT NULL,
      phase TEXT NOT NULL,
      note TEXT
    ) STRICT;
    CREATE INDEX history_of_job ON history (job);

    -- What scripts keep for themselves from run to run.
    CREATE TABLE script_values (
      profile TEXT NOT NULL,
      recipe TEXT NOT NULL,
      key TEXT NOT NULL,
      value BLOB NOT NULL,           -- JSON
      PRIMARY KEY (profile, recipe, key)
    ) STRICT, WITHOUT ROWID;

    -- What a step of a script gave that is done once for a job.
    CREATE TABLE once (
      profile TEXT NOT NULL,
      recipe TEXT NOT NULL,
      path TEXT NOT NULL,
      label TEXT NOT NULL,
      result BLOB NOT NULL,          -- JSON
      PRIMARY KEY (profile, recipe, path, label)
    ) STRICT, WITHOUT ROWID;

    -- Sessions that plain scripts opened and that may still be open: nobody else would finish them.
    CREATE TABLE script_sessions (
      profile TEXT NOT NULL,
      session TEXT NOT NULL,
      script TEXT NOT NULL,
      filename TEXT NOT NULL,
      PRIMARY KEY (profile, session)
    ) STRICT, WITHOUT ROWID;

    -- The discovery settings of each recipe as last run, to explain why a file was not seen.
    CREATE TABLE recipes (
      profile TEXT NOT NULL,
      name TEXT NOT NULL,
      script TEXT NOT NULL,
      discovery TEXT,                -- JSON; null when the recipe names its files by itself
      at INTEGER NOT NULL,
      PRIMARY KEY (profile, name)
    ) STRICT, WITHOUT ROWID;
    """
}
