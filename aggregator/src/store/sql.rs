//! The SQL side: pools, and the conversions that every file here needs.

mod accounts;
mod applications;
pub(super) mod audit;
mod backups;
mod bulk;
mod clients;
mod content;
mod days;
pub(super) mod engine;
mod enrolment;
mod equipment;
mod fleet;
mod fleet_limits;
pub(super) mod history;
pub(super) mod idempotency;
mod idle;
mod imports;
mod instances;
mod jobs;
pub(super) mod keys;
mod listing;
mod logs;
mod mail;
pub(super) mod migrations;
pub(super) mod notices;
pub(super) mod notifications;
mod operations;
mod plugins;
mod presence;
mod rates;
mod record;
mod standing;
pub(super) mod telemetry;
pub(crate) mod tenancy;
pub(super) mod timing;
mod webhooks;

use crate::clock::Clock;
use crate::store::{Database, StoreError};
use crate::tenancy::Sight;
use days::Days;
use engine::Engine;
use notices::Replica;
use serde::{Serialize, de::DeserializeOwned};
use sqlx::Row as _;
use std::path::Path;
use std::time::Duration;
use timing::{Reading, Timing, Touched, Writing};
use uuid::Uuid;

/// The database as every statement here sees it: bind parameters as `$1`, `RETURNING` for numbers
/// that the database gives, and of types `i64`, `f64`, `String`, `Vec<u8>` and conditions' `bool`.
/// Flags are stored as 0 and 1.
///
/// A float that may be absent is bound as a condition and a number (`CASE WHEN $1 THEN $2 END`):
/// PostgreSQL keeps a statement with the types of its first call, and a missing float has another
/// one here than a present one.
pub(super) type Db = sqlx::Any;
pub(super) type Row = sqlx::any::AnyRow;
pub(super) type Connection = sqlx::AnyConnection;
pub(super) type Pool = sqlx::Pool<Db>;
pub(super) type Statement<'q> = sqlx::query::Query<'q, Db, sqlx::any::AnyArguments>;

/// How long a write waits for a server that restarts.
const AWAY: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(200);

#[derive(Clone, Debug)]
pub struct Store {
    engine: Engine,
    writer: Pool,
    readers: Pool,
    days: Days,
    replica: Replica,
    timing: Timing,
}

impl Store {
    /// Opens the file at `path`, making and migrating it where needed.
    ///
    /// # Errors
    /// Where the file can't be opened or is of a newer version.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        Self::connect(&Database::from(path)).await
    }

    /// Opens `database`, migrating it where needed.
    ///
    /// # Errors
    /// Where it can't be reached or is of a newer version.
    pub async fn connect(database: &Database) -> Result<Self, StoreError> {
        let store = Self::reach(database).await?;
        migrations::migrator(store.engine).run(&store.writer).await?;
        store.chain_backlog().await?;
        Ok(store)
    }

    /// Opens `database` as it is.
    async fn reach(database: &Database) -> Result<Self, StoreError> {
        let (engine, writer, readers) = engine::connect(database).await?;
        let (replica, timing) = (Replica::new(), Timing::new(engine.name()));
        Ok(Self { engine, writer, readers, days: Days::default(), replica, timing })
    }

    /// `sqlite` or `postgresql`.
    #[must_use]
    pub const fn engine(&self) -> &'static str {
        self.engine.name()
    }

    /// A write transaction: no other writes until it ends.
    async fn begin(&self) -> Result<Writing, StoreError> {
        self.begin_with(self.engine.begin(), Touched::Anything).await
    }

    /// A write transaction of rows that it locks itself, and that nothing kept in memory is made of.
    async fn begin_on_rows(&self) -> Result<Writing, StoreError> {
        self.begin_with(self.engine.begin_on_rows(), Touched::OwnRows).await
    }

    /// Waits a while for a server that is away: whoever asks has done nothing yet.
    async fn begin_with(
        &self,
        statement: &'static str,
        touched: Touched,
    ) -> Result<Writing, StoreError> {
        let since = Clock::System.stopwatch();
        let begun = tokio::time::timeout(AWAY, async {
            loop {
                match self.writer.begin_with(statement).await {
                    Err(error) if self.engine.is_away(&error) => tokio::time::sleep(PAUSE).await,
                    begun => return begun,
                }
            }
        });
        let begun = begun.await.unwrap_or(Err(sqlx::Error::PoolTimedOut));
        self.timing.waited(since);
        Ok(Writing::new(begun?, touched, &self.timing))
    }

    /// A write of one statement; says how many rows it was about.
    pub(super) async fn write(&self, statement: Statement<'_>) -> Result<u64, StoreError> {
        let mut transaction = self.begin().await?;
        let done = statement.execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(done.rows_affected())
    }

    /// Changes what is stored behind everybody's back, for tests.
    #[cfg(test)]
    pub(crate) async fn tamper(&self, text: String) -> Result<u64, StoreError> {
        self.write(sqlx::query(sqlx::AssertSqlSafe(text))).await
    }

    /// The pool that reads; each statement sees a committed snapshot.
    const fn readers(&self) -> Reading<'_> {
        Reading::new(&self.readers, &self.timing)
    }

    pub(crate) const fn timing(&self) -> &Timing {
        &self.timing
    }

    /// Waits for what runs and closes the connections.
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

/// A time or counter as the database's signed integer; what would not fit stands at its end.
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

/// What a statement is told of the devices that somebody sees: a JSON array, or nothing where it is
/// all of them.
pub(super) fn seen(sight: &Sight) -> Result<Option<String>, StoreError> {
    sight.only().map(|devices| to_json("devices", devices)).transpose()
}

/// A stored id.
pub(super) fn id(row: &Row, column: &'static str) -> Result<Uuid, StoreError> {
    word(column, row.try_get(column)?, |text| Uuid::parse_str(text).ok())
}

/// A column that holds an id or nothing.
pub(super) fn id_option(row: &Row, column: &'static str) -> Result<Option<Uuid>, StoreError> {
    let text: Option<&str> = row.try_get(column)?;
    text.map(|text| word(column, text, |text| Uuid::parse_str(text).ok())).transpose()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_store_writes_again_once_a_full_disk_has_room() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("full.db")).await.unwrap();
        // No page more than there are: to SQLite that is a disk without room.
        sqlx::query("PRAGMA max_page_count = 1").execute(&store.writer).await.unwrap();
        let mut transaction = store.begin().await.unwrap();
        let refused = sqlx::query("CREATE TABLE large AS SELECT $1 AS bytes")
            .bind(vec![0_u8; 1 << 20])
            .execute(&mut *transaction)
            .await;
        assert!(refused.unwrap_err().to_string().contains("full"));
        drop(transaction);
        store.begin().await.unwrap().commit().await.unwrap();
    }
}
