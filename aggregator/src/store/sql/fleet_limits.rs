//! The fleet layer of each machine's limits, as it was asked for last.

use crate::fleet::DeviceId;
use crate::operations::fleet_limits::FleetPolicy;
use crate::store::StoreError;
use crate::store::sql::{Store, fleet, from_json, ms, to_json, unsigned};
use flyball_protocol::command::FleetLimit;
use sqlx::Row as _;

impl Store {
    pub(crate) async fn fleet_limits(
        &self,
        device: DeviceId,
    ) -> Result<Option<FleetPolicy>, StoreError> {
        let row = sqlx::query(
            "SELECT f.* FROM fleet_limits f JOIN devices d ON d.key = f.device WHERE d.id = $1",
        )
        .bind(device.to_string())
        .fetch_optional(self.readers())
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(FleetPolicy {
            limits: from_json("limits", row.try_get("limits")?)?,
            version: unsigned(row.try_get("version")?),
            updated_by: row.try_get("updated_by")?,
            updated_at_ms: unsigned(row.try_get("updated_at_ms")?),
        }))
    }

    /// Takes the place of what stood; false where there is no such device.
    pub(crate) async fn set_fleet_limits(
        &self,
        device: DeviceId,
        limits: &[FleetLimit],
        updated_by: &str,
        now_ms: u64,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let Some(key) = fleet::key(&mut transaction, device).await? else { return Ok(false) };
        sqlx::query(
            "INSERT INTO fleet_limits (device, limits, version, updated_by, updated_at_ms)
             VALUES ($1, $2, 1, $3, $4)
             ON CONFLICT (device) DO UPDATE SET limits = $2, version = fleet_limits.version + 1,
               updated_by = $3, updated_at_ms = $4",
        )
        .bind(key)
        .bind(to_json("limits", &limits)?)
        .bind(updated_by)
        .bind(ms(now_ms))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(true)
    }
}
