//! All that the two engines do differently: how they are reached, how a write begins, what their
//! errors mean, and where blocks of a day lie. Every statement elsewhere is the same for both.

use crate::store::sql::{Connection, Db, Pool};
use crate::store::{Database, StoreError};
use sqlx::any::AnyConnectOptions;
use sqlx::error::DatabaseError;
use sqlx::pool::PoolOptions;
use sqlx::postgres::PgDatabaseError;
use sqlx::sqlite::SqliteError;
use sqlx::{ConnectOptions, Connection as _, Executor};
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// What every SQLite connection is told. Another process (`token`, `init`) may hold the write
/// lock for a moment; a checkpoint comes every 2,000 pages of the log.
const SQLITE_WRITER: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 10000; PRAGMA wal_autocheckpoint = 2000";
const SQLITE_READER: &str = "PRAGMA busy_timeout = 10000";
/// Text comes and goes as UTF-8, and a transaction that its replica has left does not stand in
/// the way of the others for longer than this.
const POSTGRES: &str = "SET client_encoding = 'UTF8'; SET lock_timeout = '10s';
    SET idle_in_transaction_session_timeout = '30s'; SET default_transaction_isolation = 'read committed'";
const SQLITE_READERS: u32 = 4;
const POSTGRES_READERS: u32 = 8;
/// One for the group commit, the others for what the API asks.
const POSTGRES_WRITERS: u32 = 4;
const SQLITE_BEGIN: &str = "BEGIN IMMEDIATE";
/// Ordinary writes of all replicas take turns, as they do on SQLite, by a number of our own.
const POSTGRES_BEGIN: &str = "BEGIN; SELECT pg_advisory_xact_lock(7236850624)";

/// SQLite's primary result codes for what a statement was given, not for where it ran.
const SQLITE_TOO_BIG: i32 = 18;
const SQLITE_CONSTRAINT: i32 = 19;
const SQLITE_MISMATCH: i32 = 20;

impl Engine {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgresql",
        }
    }

    /// How a write begins that may touch anything.
    pub(super) const fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => SQLITE_BEGIN,
            Self::Postgres => POSTGRES_BEGIN,
        }
    }

    /// How a write begins that locks the rows it is about.
    pub(super) const fn begin_on_rows(self) -> &'static str {
        match self {
            Self::Sqlite => SQLITE_BEGIN,
            Self::Postgres => "BEGIN",
        }
    }
}

impl Engine {
    /// The greatest number that a block was ever given, also where all are history by now.
    pub(super) const fn blocks_numbered(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'blocks'), 0)"
            }
            Self::Postgres => {
                "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM blocks_ids"
            }
        }
    }

    /// What the whole database takes in bytes, and what of it is free pages.
    pub(super) const fn room(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "SELECT page_count * page_size AS bytes, freelist_count * page_size AS free
                 FROM pragma_page_count, pragma_page_size, pragma_freelist_count"
            }
            Self::Postgres => {
                "SELECT pg_database_size(current_database()) AS bytes, CAST(0 AS BIGINT) AS free"
            }
        }
    }

    /// The texts of the JSON array that is bound as `parameter`, for `IN`.
    pub(super) fn listed(self, parameter: &str) -> String {
        match self {
            Self::Sqlite => format!("(SELECT value FROM json_each({parameter}))"),
            Self::Postgres => {
                format!("(SELECT jsonb_array_elements_text(CAST({parameter} AS JSONB)))")
            }
        }
    }

    /// The text of a member of the JSON object in `column`.
    pub(super) fn member(self, column: &str, name: &str) -> String {
        match self {
            Self::Sqlite => format!("json_extract({column}, '$.{name}')"),
            Self::Postgres => format!("(CAST({column} AS JSONB) ->> '{name}')"),
        }
    }

    /// Is there a server that does not answer now?
    pub(super) fn is_away(self, error: &sqlx::Error) -> bool {
        self == Self::Postgres && may_pass(error)
    }

    /// How long a statement waits for a connection: then the database is away. On SQLite it waits
    /// for whoever writes.
    const fn acquire(self) -> Duration {
        match self {
            Self::Sqlite => Duration::from_secs(30),
            Self::Postgres => Duration::from_secs(5),
        }
    }
}

/// The pool that writes and the pool that reads. On SQLite one connection writes.
pub(super) async fn connect(database: &Database) -> Result<(Engine, Pool, Pool), StoreError> {
    sqlx::any::install_default_drivers();
    match database {
        Database::File(path) => {
            let writer =
                pool(Engine::Sqlite, 1, SQLITE_WRITER).connect_with(file(path, "rwc")?).await?;
            let readers = pool(Engine::Sqlite, SQLITE_READERS, SQLITE_READER);
            let readers = readers.connect_lazy_with(file(path, "ro")?);
            Ok((Engine::Sqlite, writer, readers))
        }
        Database::Postgres(url) => {
            let options = AnyConnectOptions::from_str(url.expose())?.disable_statement_logging();
            let writer = pool(Engine::Postgres, POSTGRES_WRITERS, POSTGRES)
                .connect_with(options.clone())
                .await?;
            let readers =
                pool(Engine::Postgres, POSTGRES_READERS, POSTGRES).connect_lazy_with(options);
            Ok((Engine::Postgres, writer, readers))
        }
    }
}

/// A file that nobody else writes, to be read once.
pub(super) async fn open_snapshot(path: &Path) -> Result<Pool, StoreError> {
    Ok(pool(Engine::Sqlite, 1, SQLITE_READER).connect_with(file(path, "ro")?).await?)
}

fn pool(engine: Engine, most: u32, words: &'static str) -> PoolOptions<Db> {
    PoolOptions::new()
        .max_connections(most)
        .acquire_timeout(engine.acquire())
        .idle_timeout(None)
        .max_lifetime(None)
        // A full disk makes SQLite roll back by itself, and sqlx goes on counting a transaction
        // that no statement can end: such a connection writes nothing any more.
        .before_acquire(|connection: &mut Connection, _| {
            Box::pin(async move { Ok(!connection.is_in_transaction()) })
        })
        .after_connect(move |connection: &mut Connection, _| {
            Box::pin(async move { connection.execute(words).await.map(drop) })
        })
}

fn file(path: &Path, mode: &str) -> Result<AnyConnectOptions, StoreError> {
    let path = std::path::absolute(path).map_err(sqlx::Error::Io)?;
    let text: String = path
        .as_os_str()
        .as_encoded_bytes()
        .iter()
        .map(|&byte| match byte {
            b'/' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
            _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect();
    let options = AnyConnectOptions::from_str(&format!("sqlite://{text}?mode={mode}"))?;
    Ok(options.disable_statement_logging())
}

/// Does the error lie in what was to be stored? SQLSTATE's class 22 is of data that can't be
/// what the column wants, 23 of constraints.
pub(crate) fn is_of_content(error: &dyn DatabaseError) -> bool {
    if let Some(error) = error.try_downcast_ref::<PgDatabaseError>() {
        return matches!(error.code().get(..2), Some("22" | "23"));
    }
    if error.try_downcast_ref::<SqliteError>().is_none() {
        return false;
    }
    let extended = error.code().and_then(|code| code.parse::<i32>().ok());
    let primary = extended.map(|code| code & 0xff);
    matches!(primary, Some(SQLITE_TOO_BIG | SQLITE_CONSTRAINT | SQLITE_MISMATCH))
}

/// Is the database away, or was this transaction in another's way? Then the same may succeed
/// later. Classes 08, 25 and 57 are of connections, transactions that were ended and shutdowns,
/// 40 of conflicts, 53 of resources, 55 of locks.
pub(crate) fn may_pass(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::BeginFailed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => match error.try_downcast_ref::<PgDatabaseError>() {
            Some(error) => {
                matches!(error.code().get(..2), Some("08" | "25" | "40" | "53" | "55" | "57"))
            }
            None => false,
        },
        _ => false,
    }
}
