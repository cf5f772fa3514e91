//! How long what is kept, and the end of what is past that.

use super::{objects, segments};
use crate::history::{Retention, SegmentId};
use crate::store::StoreError;
use crate::store::sql::{Store, from_json, ms, to_json};
use sqlx::Row as _;

/// The setting of the organization's retention.
const RETENTION: &str = "history.retention";

impl Store {
    /// The organization's own retention, where it has set one.
    pub(crate) async fn retention(&self) -> Result<Option<Retention>, StoreError> {
        let stored: Option<String> =
            sqlx::query_scalar("SELECT value FROM settings WHERE name = $1")
                .bind(RETENTION)
                .fetch_optional(self.readers())
                .await?;
        stored.map(|text| from_json("settings.value", &text)).transpose()
    }

    pub(crate) async fn set_retention(
        &self,
        retention: Option<&Retention>,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM settings WHERE name = $1")
            .bind(RETENTION)
            .execute(&mut *transaction)
            .await?;
        if let Some(retention) = retention {
            sqlx::query("INSERT INTO settings (name, value, updated_at_ms) VALUES ($1, $2, $3)")
                .bind(RETENTION)
                .bind(to_json("settings.value", retention)?)
                .bind(ms(now_ms))
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Removes the rows of segments whose last tick lies before `before_ms`; says how many.
    pub(crate) async fn expire_segments(
        &self,
        before_ms: u64,
        now_ms: u64,
        limit: u32,
    ) -> Result<u64, StoreError> {
        // Found before anything is locked: a pass that finds none keeps no block waiting.
        let rows = sqlx::query(
            "SELECT id, object FROM segments WHERE last_ms < $1 ORDER BY last_ms, id LIMIT $2",
        )
        .bind(ms(before_ms))
        .bind(i64::from(limit))
        .fetch_all(self.readers())
        .await?;
        if rows.is_empty() {
            return Ok(0);
        }
        let mut transaction = self.begin().await?;
        let mut expired = 0;
        for row in &rows {
            let object: String = row.try_get("object")?;
            if segments::remove(&mut transaction, SegmentId(row.try_get("id")?)).await? {
                objects::note(&object, now_ms).execute(&mut *transaction).await?;
                expired += 1;
            }
        }
        transaction.commit().await?;
        Ok(expired)
    }

    /// Removes blocks that were set aside and whose last tick lies before `samples_ms`, and
    /// named gaps that end before `hours_ms`: nothing is left that they could explain.
    pub(crate) async fn expire_rows(
        &self,
        samples_ms: u64,
        hours_ms: u64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        for statement in [
            sqlx::query(
                "DELETE FROM blocks WHERE id IN (SELECT block FROM unreadable_blocks)
                 AND to_ms < $1",
            )
            .bind(ms(samples_ms)),
            sqlx::query(
                "DELETE FROM unreadable_blocks
                 WHERE NOT EXISTS (SELECT 1 FROM blocks b WHERE b.id = unreadable_blocks.block)",
            ),
            sqlx::query("DELETE FROM gaps WHERE to_ms < $1").bind(ms(hours_ms)),
        ] {
            statement.execute(&mut *transaction).await?;
        }
        Ok(transaction.commit().await?)
    }
}
