//! Whether a machine may connect, and with which certificate.

use crate::audit::AuditEntry;
use crate::fleet::{CertificateInfo, DeviceId, Standing};
use crate::store::StoreError;
use crate::store::sql::audit;
use crate::store::sql::telemetry::DeviceKey;
use crate::store::sql::telemetry::events::insert_event;
use crate::store::sql::{Store, ms};
use crate::telemetry::event::Event;
use sqlx::Row as _;

impl Store {
    /// `None` where there is no such machine.
    pub(crate) async fn standing(&self, id: DeviceId) -> Result<Option<Standing>, StoreError> {
        let row = sqlx::query(
            "SELECT certificate_serial, certificate_previous_serial, revoked_at_ms,
                    quarantined_at_ms
             FROM devices WHERE id = $1 AND deleted_at_ms IS NULL",
        )
        .bind(id.to_string())
        .fetch_optional(self.readers())
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Standing {
            serial: row.try_get("certificate_serial")?,
            previous: row.try_get("certificate_previous_serial")?,
            revoked: row.try_get::<Option<i64>, _>("revoked_at_ms")?.is_some(),
            quarantined: row.try_get::<Option<i64>, _>("quarantined_at_ms")?.is_some(),
        }))
    }

    /// The machine has a new certificate; `shown` is good until it shows the new one.
    pub(crate) async fn renew_certificate(
        &self,
        id: DeviceId,
        shown: &str,
        new: &CertificateInfo,
        entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "UPDATE devices SET certificate_serial = $2, certificate_not_after_ms = $3,
                    certificate_previous_serial = $4, updated_at_ms = $5
             WHERE id = $1",
        )
        .bind(id.to_string())
        .bind(&new.serial)
        .bind(ms(new.not_after_ms))
        .bind(shown)
        .bind(ms(entry.at_ms))
        .execute(&mut *transaction)
        .await?;
        audit::append(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The new certificate was shown: the one before it is good no more.
    pub(crate) async fn retire_certificate(&self, id: DeviceId) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query("UPDATE devices SET certificate_previous_serial = NULL WHERE id = $1")
            .bind(id.to_string())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Takes the machine out until somebody has looked; `None` where it was out already.
    pub(crate) async fn quarantine_device(
        &self,
        id: DeviceId,
        event: Event,
    ) -> Result<Option<Event>, StoreError> {
        let mut transaction = self.begin().await?;
        let key: Option<i64> = sqlx::query_scalar(
            "UPDATE devices SET quarantined_at_ms = $2, updated_at_ms = $2
             WHERE id = $1 AND quarantined_at_ms IS NULL RETURNING key",
        )
        .bind(id.to_string())
        .bind(ms(event.at_ms))
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(key) = key else { return Ok(None) };
        let event = insert_event(&mut transaction, DeviceKey(key), event).await?;
        transaction.commit().await?;
        Ok(Some(event))
    }

    /// Lets it in again; false where it was not out.
    pub(crate) async fn release_device(
        &self,
        id: DeviceId,
        entry: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let done = sqlx::query(
            "UPDATE devices SET quarantined_at_ms = NULL, updated_at_ms = $2
             WHERE id = $1 AND quarantined_at_ms IS NOT NULL",
        )
        .bind(id.to_string())
        .bind(ms(entry.at_ms))
        .execute(&mut *transaction)
        .await?;
        let released = done.rows_affected() == 1;
        if released {
            audit::append(&mut transaction, entry).await?;
        }
        transaction.commit().await?;
        Ok(released)
    }
}
