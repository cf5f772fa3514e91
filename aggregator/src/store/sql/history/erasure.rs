//! Everything that a device has measured, gone at once.

use crate::audit::AuditEntry;
use crate::fleet::DeviceId;
use crate::store::StoreError;
use crate::store::sql::{Store, audit, ms};

impl Store {
    /// Removes everything that was measured by the device, with the audit row that says so.
    /// What has been committed stays known, so a late repetition brings nothing back. False where
    /// there is no such device.
    pub(crate) async fn erase_telemetry(
        &self,
        device: DeviceId,
        audit: &AuditEntry,
        now_ms: u64,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let key: Option<i64> = sqlx::query_scalar("SELECT key FROM devices WHERE id = $1")
            .bind(device.to_string())
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(key) = key else { return Ok(false) };
        sqlx::query(
            "INSERT INTO dead_objects (object, remove_after_ms)
             SELECT object, $2 FROM segments WHERE device = $1",
        )
        .bind(key)
        .bind(ms(now_ms))
        .execute(&mut *transaction)
        .await?;
        for statement in [
            "DELETE FROM segments WHERE device = $1",
            "DELETE FROM unreadable_blocks
             WHERE block IN (SELECT id FROM blocks WHERE device = $1)",
            "DELETE FROM entries
             WHERE (epoch, seq) IN (SELECT epoch, seq FROM blocks WHERE device = $1)",
            "DELETE FROM blocks WHERE device = $1",
            "DELETE FROM gaps WHERE device = $1",
            "DELETE FROM quarantine WHERE device = $1",
        ] {
            sqlx::query(statement).bind(key).execute(&mut *transaction).await?;
        }
        audit::append(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(true)
    }
}
