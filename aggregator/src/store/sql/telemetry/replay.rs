//! What was committed after a mark, in the order of its commits: for a stream that goes on.

use crate::fleet::DeviceId;
use crate::store::StoreError;
use crate::store::sql::telemetry::{EntryKey, EpochKey};
use crate::store::sql::{Store, unsigned, word};
use crate::telemetry::event::Event;
use flyball_protocol::sync::Seq;
use serde::{Deserialize, Serialize};
use sqlx::Row as _;

/// How far the commits have come, by the numbers of their rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermark {
    pub block: i64,
    pub event: i64,
}

/// A stored block with what it takes to read it and to know it again.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CommittedBlock {
    pub(crate) id: i64,
    pub(crate) device: DeviceId,
    pub(crate) entry: EntryKey,
    pub(crate) data: Vec<u8>,
}

impl Store {
    pub(crate) async fn watermark(&self) -> Result<Watermark, StoreError> {
        let row = sqlx::query(
            "SELECT (SELECT coalesce(max(id), 0) FROM blocks) AS block,
                    (SELECT coalesce(max(id), 0) FROM events) AS event",
        )
        .fetch_one(self.readers())
        .await?;
        Ok(Watermark { block: row.try_get("block")?, event: row.try_get("event")? })
    }

    /// How many blocks were committed after the block `after`; counted to `limit`.
    pub(crate) async fn blocks_since(&self, after: i64, limit: u32) -> Result<u64, StoreError> {
        let count: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM (SELECT id FROM blocks WHERE id > $1 LIMIT $2) AS newer",
        )
        .bind(after)
        .bind(i64::from(limit))
        .fetch_one(self.readers())
        .await?;
        Ok(unsigned(count))
    }

    /// The first `limit` blocks after the block `after`, of any device.
    pub(crate) async fn blocks_after(
        &self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<CommittedBlock>, StoreError> {
        let rows = sqlx::query(
            "SELECT b.id, b.epoch, b.seq, b.data, d.id AS device_id FROM blocks b
             JOIN devices d ON d.key = b.device WHERE b.id > $1 ORDER BY b.id LIMIT $2",
        )
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(self.readers())
        .await?;
        rows.iter()
            .map(|row| {
                let epoch = EpochKey(row.try_get("epoch")?);
                let seq = Seq(unsigned(row.try_get("seq")?));
                Ok(CommittedBlock {
                    id: row.try_get("id")?,
                    device: word("device", row.try_get("device_id")?, |id| id.parse().ok())?,
                    entry: EntryKey { epoch, seq },
                    data: row.try_get("data")?,
                })
            })
            .collect()
    }

    /// The first `limit` events after the event `after`, of any device.
    pub(crate) async fn events_after(
        &self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let rows = sqlx::query(
            "SELECT e.*, d.id AS device_id FROM events e JOIN devices d ON d.key = e.device
             WHERE e.id > $1 ORDER BY e.id LIMIT $2",
        )
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(super::events::event).collect()
    }
}
