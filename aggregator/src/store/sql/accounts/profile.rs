//! What people do with their own account.

use super::end;
use crate::access::{SessionId, UserId};
use crate::accounts::AuthDevice;
use crate::accounts::fields::ProfileChange;
use crate::accounts::profile::{Ending, KnownDevice, OpenSession};
use crate::audit::AuditEntry;
use crate::store::StoreError;
use crate::store::sql::{Connection, Store, audit, flag, id, ms, unsigned};
use sqlx::Row as _;
use uuid::Uuid;

/// Devices and sessions that are listed at once.
const MAX_LISTED: i64 = 200;

/// Writes a profile and counts the change.
pub(super) async fn set_profile(
    connection: &mut Connection,
    user: UserId,
    change: &ProfileChange,
    by: UserId,
    now_ms: u64,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE users SET display_name = coalesce($1, display_name),
           avatar_url = CASE WHEN $2 = 1 THEN $3 ELSE avatar_url END,
           locale = coalesce($4, locale), timezone = coalesce($5, timezone),
           updated_at_ms = $6, updated_by = $7, version = version + 1
         WHERE id = $8",
    )
    .bind(&change.display_name)
    .bind(i64::from(change.avatar_url.is_some()))
    .bind(change.avatar_url.clone().flatten())
    .bind(&change.locale)
    .bind(&change.timezone)
    .bind(ms(now_ms))
    .bind(by.to_string())
    .bind(user.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

impl Store {
    pub(crate) async fn change_profile(
        &self,
        user: UserId,
        change: &ProfileChange,
        entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        set_profile(&mut transaction, user, change, user, entry.at_ms).await?;
        audit::append(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// A new password; the sessions that end with the old one come back.
    pub(crate) async fn change_password(
        &self,
        user: UserId,
        hash: &str,
        which: Ending,
        entry: &AuditEntry,
    ) -> Result<Vec<SessionId>, StoreError> {
        let mut transaction = self.begin().await?;
        set_password(&mut transaction, user, hash).await?;
        let ended = end(&mut transaction, user, which, "password_changed", entry.at_ms).await?;
        audit::append(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(ended)
    }

    pub(crate) async fn auth_devices(&self, user: UserId) -> Result<Vec<KnownDevice>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, fingerprint, name, kind, model, os_version, app_version, is_trusted,
                    created_at_ms, last_seen_at_ms
             FROM auth_devices WHERE \"user\" = $1 AND removed_at_ms IS NULL
             ORDER BY last_seen_at_ms DESC, id DESC LIMIT $2",
        )
        .bind(user.to_string())
        .bind(MAX_LISTED)
        .fetch_all(self.readers())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(KnownDevice {
                    id: id(row, "id")?,
                    device: AuthDevice {
                        fingerprint: row.try_get("fingerprint")?,
                        name: row.try_get("name")?,
                        kind: row.try_get("kind")?,
                        model: row.try_get("model")?,
                        os_version: row.try_get("os_version")?,
                        app_version: row.try_get("app_version")?,
                    },
                    is_trusted: flag(row, "is_trusted")?,
                    created_at_ms: unsigned(row.try_get("created_at_ms")?),
                    last_seen_at_ms: unsigned(row.try_get("last_seen_at_ms")?),
                })
            })
            .collect()
    }

    /// The sessions that end with the device; `None` where there is none.
    pub(crate) async fn remove_auth_device(
        &self,
        user: UserId,
        device: Uuid,
        entry: &AuditEntry,
    ) -> Result<Option<Vec<SessionId>>, StoreError> {
        let mut transaction = self.begin().await?;
        let removed = sqlx::query(
            "UPDATE auth_devices SET removed_at_ms = $1
             WHERE id = $2 AND \"user\" = $3 AND removed_at_ms IS NULL",
        )
        .bind(ms(entry.at_ms))
        .bind(device.to_string())
        .bind(user.to_string())
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        if removed == 0 {
            return Ok(None);
        }
        let which = Ending::Device(device);
        let ended = end(&mut transaction, user, which, "device_removed", entry.at_ms).await?;
        audit::append(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(Some(ended))
    }

    /// Those that were active since `since_ms`: the others' tokens have expired.
    pub(crate) async fn open_sessions(
        &self,
        user: UserId,
        since_ms: u64,
    ) -> Result<Vec<OpenSession>, StoreError> {
        let rows = sqlx::query(
            "SELECT s.id, s.address, s.user_agent, s.created_at_ms, s.last_activity_at_ms,
                    d.name AS device_name, d.kind AS device_kind
             FROM sessions s JOIN auth_devices d ON d.id = s.auth_device
             WHERE s.\"user\" = $1 AND s.revoked_at_ms IS NULL AND s.last_activity_at_ms > $2
             ORDER BY s.last_activity_at_ms DESC, s.id DESC LIMIT $3",
        )
        .bind(user.to_string())
        .bind(ms(since_ms))
        .bind(MAX_LISTED)
        .fetch_all(self.readers())
        .await?;
        rows.iter()
            .map(|row| {
                let address: Option<String> = row.try_get("address")?;
                Ok(OpenSession {
                    id: SessionId(id(row, "id")?),
                    address: address.and_then(|address| address.parse().ok()),
                    user_agent: row.try_get("user_agent")?,
                    device_name: row.try_get("device_name")?,
                    device_kind: row.try_get("device_kind")?,
                    created_at_ms: unsigned(row.try_get("created_at_ms")?),
                    last_activity_at_ms: unsigned(row.try_get("last_activity_at_ms")?),
                })
            })
            .collect()
    }
}

pub(super) async fn set_password(
    connection: &mut Connection,
    user: UserId,
    hash: &str,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE users SET password_hash = $1 WHERE id = $2")
        .bind(hash)
        .bind(user.to_string())
        .execute(connection)
        .await?;
    Ok(())
}
