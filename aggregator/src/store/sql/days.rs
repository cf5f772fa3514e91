//! On PostgreSQL blocks lie in a partition a day of their own start, so that old days go as
//! tables and not as rows. Partitions are made ahead of their time and where a block asks for
//! one; what could not be made keeps nobody waiting, its blocks lie in `blocks_rest`.

use crate::store::StoreError;
use crate::store::sql::Store;
use crate::store::sql::engine::Engine;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
/// Days before and after now that get partitions: a clock that is wrong makes no table.
const BEFORE: u64 = 400;
const AHEAD: u64 = 2;
/// A day so far back gets no blocks any more but from machines that were cut off.
const SETTLED: u64 = 3;
/// Whoever comes while the lock is waited for waits behind it.
const LOCK_PATIENCE: &str = "500ms";
/// Only one replica makes partitions at a time, and nobody waits for it with a lock in hand.
const TURN: &str = "BEGIN; SELECT pg_advisory_xact_lock(7236850625)";

/// The days that this process has seen to.
#[derive(Clone, Debug, Default)]
pub(super) struct Days(Arc<Mutex<BTreeSet<u64>>>);

impl Days {
    fn is_known(&self, day: u64) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&day)
    }

    fn forget(&self, day: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&day);
    }

    fn note(&self, day: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(day);
    }
}

impl Store {
    /// Sees to partitions for blocks that begin at `ticks`, and for the days to come.
    pub(super) async fn make_days(&self, ticks: impl Iterator<Item = u64>, now_ms: u64) {
        if self.engine == Engine::Sqlite {
            return;
        }
        let today = now_ms / DAY_MS;
        let wanted = today.saturating_sub(BEFORE)..=today + AHEAD;
        let mut days: BTreeSet<u64> =
            ticks.map(|tick| tick / DAY_MS).filter(|day| wanted.contains(day)).collect();
        days.extend(today..=today + AHEAD);
        for day in days {
            if self.days.is_known(day) {
                continue;
            }
            match self.make_day(day).await {
                Ok(()) => self.days.note(day),
                Err(error) if error.may_pass() => return,
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(day, error, "no partition for a day: its blocks lie apart");
                    self.days.note(day);
                }
            }
        }
    }

    /// Attached and not made in place: that would stand in the way of every reader and writer.
    async fn make_day(&self, day: u64) -> Result<(), StoreError> {
        let name = format!("blocks_{day}");
        let there: Option<String> = sqlx::query_scalar("SELECT to_regclass($1)::text")
            .bind(&name)
            .fetch_one(self.readers())
            .await?;
        if there.is_some() {
            return Ok(());
        }
        let (from_ms, to_ms) = (day * DAY_MS, (day + 1) * DAY_MS);
        let mut transaction = self.writer.begin_with(TURN).await?;
        let made = sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
            "CREATE TABLE IF NOT EXISTS {name} (LIKE blocks INCLUDING DEFAULTS INCLUDING STORAGE);
             ALTER TABLE {name} DROP CONSTRAINT IF EXISTS {name}_day;
             ALTER TABLE {name} ADD CONSTRAINT {name}_day
               CHECK (from_ms >= {from_ms} AND from_ms < {to_ms});
             ALTER TABLE blocks ATTACH PARTITION {name} FOR VALUES FROM ({from_ms}) TO ({to_ms});
             ALTER TABLE {name} DROP CONSTRAINT {name}_day"
        )))
        .execute(&mut *transaction)
        .await;
        if let Err(error) = made {
            transaction.rollback().await?;
            // Another replica was faster.
            return if self.is_attached(&name).await? { Ok(()) } else { Err(error.into()) };
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Takes away the partitions of days that are over and whose blocks are history. One that
    /// is in use now stays until the next time: nobody waits for it for long.
    pub(crate) async fn drop_empty_days(&self, now_ms: u64) -> Result<(), StoreError> {
        if self.engine == Engine::Sqlite {
            return Ok(());
        }
        let before = (now_ms / DAY_MS).saturating_sub(SETTLED);
        let names: Vec<String> = sqlx::query_scalar(
            "SELECT inhrelid::regclass::text FROM pg_inherits
             WHERE inhparent = 'blocks'::regclass",
        )
        .fetch_all(self.readers())
        .await?;
        for name in names {
            let day = name.strip_prefix("blocks_").and_then(|day| day.parse::<u64>().ok());
            if let Some(day) = day.filter(|day| *day < before)
                && self.is_empty(&name).await?
            {
                self.drop_day(&name).await?;
                self.days.forget(day);
            }
        }
        Ok(())
    }

    async fn drop_day(&self, name: &str) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin_with(TURN).await?;
        // A block may have come in between: the lock, then the look, then the end of it.
        let dropped = sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
            "SET LOCAL lock_timeout = '{LOCK_PATIENCE}';
             LOCK TABLE blocks IN ACCESS EXCLUSIVE MODE;
             DO $$ BEGIN
               IF NOT EXISTS (SELECT 1 FROM {name}) THEN DROP TABLE {name}; END IF;
             END $$"
        )))
        .execute(&mut *transaction)
        .await;
        if let Err(error) = dropped {
            transaction.rollback().await?;
            tracing::debug!(name, %error, "a day's table is in use and stays for now");
            return Ok(());
        }
        Ok(transaction.commit().await?)
    }

    async fn is_empty(&self, name: &str) -> Result<bool, StoreError> {
        let rows: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
            "SELECT count(*) FROM (SELECT 1 FROM {name} LIMIT 1) AS found"
        )))
        .fetch_one(self.readers())
        .await?;
        Ok(rows == 0)
    }

    async fn is_attached(&self, name: &str) -> Result<bool, StoreError> {
        let parents: i64 =
            sqlx::query_scalar("SELECT count(*) FROM pg_inherits WHERE inhrelid = to_regclass($1)")
                .bind(name)
                .fetch_one(self.readers())
                .await?;
        Ok(parents > 0)
    }
}
