//! Committed blocks in the order of their numbers, for those that send them on.

use crate::fleet::DeviceId;
use crate::store::StoreError;
use crate::store::sql::telemetry::EpochKey;
use crate::store::sql::{Store, ms, word};
use sqlx::Row as _;

/// One block on its way out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OutgoingBlock {
    pub(crate) id: i64,
    pub(crate) machine: DeviceId,
    pub(crate) machine_name: String,
    pub(crate) epoch: EpochKey,
    pub(crate) data: Vec<u8>,
}

impl Store {
    /// The number of the newest block; 0 where there is none.
    pub(crate) async fn newest_block(&self) -> Result<i64, StoreError> {
        let row = sqlx::query("SELECT coalesce(max(id), 0) AS newest FROM blocks")
            .fetch_one(self.readers())
            .await?;
        Ok(row.try_get("newest")?)
    }

    /// Up to `limit` blocks with numbers after `after` and not after `through`, in order.
    pub(crate) async fn outgoing_blocks(
        &self,
        after: i64,
        through: i64,
        limit: u32,
    ) -> Result<Vec<OutgoingBlock>, StoreError> {
        let rows = sqlx::query(
            "SELECT b.id, b.epoch, b.data, d.id AS device_id, d.name
             FROM blocks b JOIN devices d ON d.key = b.device
             WHERE b.id > $1 AND b.id <= $2 ORDER BY b.id LIMIT $3",
        )
        .bind(after)
        .bind(through)
        .bind(i64::from(limit))
        .fetch_all(self.readers())
        .await?;
        rows.iter()
            .map(|row| {
                let machine: String = row.try_get("device_id")?;
                Ok(OutgoingBlock {
                    id: row.try_get("id")?,
                    machine: word("device", &machine, |id| id.parse().ok())?,
                    machine_name: row.try_get("name")?,
                    epoch: EpochKey(row.try_get("epoch")?),
                    data: row.try_get("data")?,
                })
            })
            .collect()
    }

    /// How far the export of this name has come; `None` where it has never begun.
    pub(crate) async fn export_cursor(&self, name: &str) -> Result<Option<i64>, StoreError> {
        let row = sqlx::query("SELECT block FROM exports WHERE name = $1")
            .bind(name.to_owned())
            .fetch_optional(self.readers())
            .await?;
        row.map(|row| Ok(row.try_get("block")?)).transpose()
    }

    /// How far every export has come that moved or was found idle since `since_ms`; `None` where
    /// there is none.
    pub(crate) async fn exported_through(&self, since_ms: u64) -> Result<Option<i64>, StoreError> {
        let row =
            sqlx::query("SELECT min(block) AS through FROM exports WHERE updated_at_ms >= $1")
                .bind(ms(since_ms))
                .fetch_one(self.readers())
                .await?;
        Ok(row.try_get("through")?)
    }

    /// Notes that everything up to `block` was received.
    pub(crate) async fn move_export_cursor(
        &self,
        name: &str,
        block: i64,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO exports (name, block, updated_at_ms) VALUES ($1, $2, $3)
             ON CONFLICT (name) DO UPDATE SET block = $2, updated_at_ms = $3",
        )
        .bind(name.to_owned())
        .bind(block)
        .bind(ms(now_ms))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }
}
