//! Which replica compacts a device at the moment.

use crate::fleet::DeviceId;
use crate::store::StoreError;
use crate::store::sql::{Store, ms};

impl Store {
    /// Takes or prolongs the lease of a device; false where another holds it.
    pub(crate) async fn lease(
        &self,
        device: DeviceId,
        holder: &str,
        now_ms: u64,
        until_ms: u64,
    ) -> Result<bool, StoreError> {
        let lease = sqlx::query(
            "INSERT INTO compaction_leases (device, holder, until_ms)
             SELECT key, $2, $3 FROM devices WHERE id = $1
             ON CONFLICT (device) DO UPDATE SET holder = $2, until_ms = $3
             WHERE compaction_leases.holder = $2 OR compaction_leases.until_ms <= $4",
        )
        .bind(device.to_string())
        .bind(holder)
        .bind(ms(until_ms))
        .bind(ms(now_ms));
        Ok(self.write(lease).await? == 1)
    }

    pub(crate) async fn release_lease(
        &self,
        device: DeviceId,
        holder: &str,
    ) -> Result<(), StoreError> {
        let release = sqlx::query(
            "DELETE FROM compaction_leases WHERE holder = $2
             AND device = (SELECT key FROM devices WHERE id = $1)",
        )
        .bind(device.to_string())
        .bind(holder);
        self.write(release).await.map(drop)
    }
}
