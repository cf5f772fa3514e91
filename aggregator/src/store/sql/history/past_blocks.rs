//! Blocks that are past: the spans that have some, they themselves, and those of them that cannot
//! be read.

use super::window;
use crate::history::{Settled, Window};
use crate::store::StoreError;
use crate::store::sql::telemetry::EpochKey;
use crate::store::sql::{Row, Store, ms};
use futures_util::TryStreamExt;
use sqlx::Row as _;

/// One block that is to go into a segment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PastBlock {
    pub(crate) id: i64,
    pub(crate) epoch: EpochKey,
    pub(crate) data: Vec<u8>,
}

impl Store {
    /// Spans of `window_ms` that have readable blocks which are settled and begin at `from_ms` or
    /// later, the oldest first.
    pub(crate) async fn past_windows(
        &self,
        window_ms: u64,
        from_ms: u64,
        settled: &Settled,
        limit: u32,
    ) -> Result<Vec<Window>, StoreError> {
        // Machine by machine: so SQLite looks up what is past and never at what is not. It keeps
        // the order of a cross join.
        let rows = sqlx::query(
            "SELECT d.id AS device, b.from_ms / $1 AS number FROM devices d CROSS JOIN blocks b
             WHERE b.device = d.key AND b.from_ms >= $6 AND b.from_ms < $2
               AND b.arrived_at_ms <= $3 AND b.id <= $4
               AND NOT EXISTS (SELECT 1 FROM unreadable_blocks u WHERE u.block = b.id)
             GROUP BY d.id, b.from_ms / $1 ORDER BY number, d.id LIMIT $5",
        )
        .bind(ms(window_ms))
        .bind(ms(settled.before_ms))
        .bind(ms(settled.arrived_by_ms))
        .bind(settled.through)
        .bind(i64::from(limit))
        .bind(ms(from_ms))
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(|row| window(row, window_ms)).collect()
    }

    /// Hands every readable and settled block of the window to `each`, by its first tick, one at
    /// a time.
    pub(crate) async fn for_each_past_block<E: From<StoreError>>(
        &self,
        window: &Window,
        settled: &Settled,
        mut each: impl FnMut(PastBlock) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut rows = sqlx::query(
            "SELECT b.id, b.epoch, b.data FROM blocks b JOIN devices d ON d.key = b.device
             WHERE d.id = $1 AND b.from_ms >= $2 AND b.from_ms < $3
               AND b.arrived_at_ms <= $4 AND b.id <= $5
               AND NOT EXISTS (SELECT 1 FROM unreadable_blocks u WHERE u.block = b.id)
             ORDER BY b.from_ms, b.id",
        )
        .bind(window.device.to_string())
        .bind(ms(window.from_ms))
        .bind(ms(window.to_ms))
        .bind(ms(settled.arrived_by_ms))
        .bind(settled.through)
        .fetch(self.readers());
        while let Some(row) = rows.try_next().await.map_err(StoreError::Sql)? {
            each(past_block(&row)?)?;
        }
        Ok(())
    }

    /// Sets a block aside for good: no later compaction tries it again.
    pub(crate) async fn set_aside(&self, block: i64, why: &str) -> Result<(), StoreError> {
        let aside = sqlx::query(
            "INSERT INTO unreadable_blocks (block, why) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        )
        .bind(block)
        .bind(why);
        self.write(aside).await.map(drop)
    }
}

fn past_block(row: &Row) -> Result<PastBlock, StoreError> {
    Ok(PastBlock {
        id: row.try_get("id")?,
        epoch: EpochKey(row.try_get("epoch")?),
        data: row.try_get("data")?,
    })
}
