//! The SQLite side: pools, migrations, and the conversions that every file here needs.

mod accounts;
pub(super) mod audit;
mod content;
mod enrolment;
mod equipment;
mod fleet;
mod fleet_limits;
pub(super) mod idempotency;
mod imports;
pub(super) mod keys;
mod operations;
pub(super) mod telemetry;

use crate::store::StoreError;
use serde::{Serialize, de::DeserializeOwned};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Row as _, SqlSafeStr, Transaction};
use std::path::Path;
use std::time::Duration;

/// Append only: a migration that has run anywhere is never edited.
const MIGRATIONS: [(i64, &str, &str); 5] = [
    (1, "fleet", include_str!("../../migrations/0001_fleet.sql")),
    (2, "accounts", include_str!("../../migrations/0002_accounts.sql")),
    (3, "content", include_str!("../../migrations/0003_content.sql")),
    (4, "equipment", include_str!("../../migrations/0004_equipment.sql")),
    (5, "armed", include_str!("../../migrations/0005_armed.sql")),
];
/// The database as every statement here sees it: `$1` placeholders, `RETURNING` for numbers that
/// the database gives, and of types `i64`, `f64`, `String`, `Vec<u8>` and conditions' `bool`.
/// Flags are stored as 0 and 1.
pub(super) type Db = sqlx::Sqlite;
pub(super) type Row = sqlx::sqlite::SqliteRow;
pub(super) type Connection = sqlx::SqliteConnection;
pub(super) type Pool = sqlx::Pool<Db>;

const READERS: u32 = 4;
/// Another process (`token`, `init`) may hold the write lock for a moment.
const BUSY: Duration = Duration::from_secs(10);
/// Pages of the write-ahead log between two checkpoints.
const CHECKPOINT_PAGES: &str = "2000";

#[derive(Clone, Debug)]
pub struct Store {
    writer: Pool,
    readers: Pool,
}

impl Store {
    /// Opens the database at `path`, making and migrating it where needed.
    ///
    /// # Errors
    /// Where the file can't be opened or is of a newer version.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY)
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
            .statement_cache_capacity(128);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.clone())
            .await?;
        migrator().run(&writer).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.read_only(true))
            .await?;
        Ok(Self { writer, readers })
    }

    /// A write transaction: it holds the one writing connection until it ends.
    pub(super) async fn begin(&self) -> Result<Transaction<'static, Db>, StoreError> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// The pool that reads; each statement sees a committed snapshot.
    pub(super) const fn readers(&self) -> &Pool {
        &self.readers
    }

    /// Waits for what runs and closes the files.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Does the database answer?
    ///
    /// # Errors
    /// Where it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.readers).await?;
        Ok(())
    }
}

fn migrator() -> Migrator {
    let migrations = MIGRATIONS.map(|(version, name, sql)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.into())
}

/// A time or counter as SQLite's signed integer; what would not fit stands at its end.
pub(super) fn ms(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A stored time; the schema holds no negative one.
pub(super) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

pub(super) fn unsigned_option(value: Option<i64>) -> Option<u64> {
    value.map(unsigned)
}

/// A stored flag.
pub(super) fn flag(row: &Row, column: &str) -> Result<bool, StoreError> {
    Ok(row.try_get::<i64, _>(column)? != 0)
}

/// A stored number of a smaller type.
pub(super) fn small<T: TryFrom<i64>>(column: &'static str, value: i64) -> Result<T, StoreError> {
    T::try_from(value).map_err(|_| StoreError::Unknown { column, value: value.to_string() })
}

pub(super) fn to_json<T: Serialize>(column: &'static str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|source| StoreError::Json { column, source })
}

pub(super) fn from_json<T: DeserializeOwned>(
    column: &'static str,
    text: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|source| StoreError::Json { column, source })
}

pub(super) fn to_blob<T: Serialize>(
    column: &'static str,
    value: &T,
) -> Result<Vec<u8>, StoreError> {
    postcard::to_stdvec(value).map_err(|source| StoreError::Postcard { column, source })
}

pub(super) fn from_blob<T: DeserializeOwned>(
    column: &'static str,
    bytes: &[u8],
) -> Result<T, StoreError> {
    postcard::from_bytes(bytes).map_err(|source| StoreError::Postcard { column, source })
}

/// A stored word as its type.
pub(super) fn word<T>(
    column: &'static str,
    value: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, StoreError> {
    parse(value).ok_or_else(|| StoreError::Unknown { column, value: value.into() })
}
