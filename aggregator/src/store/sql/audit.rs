//! The audit table.

use crate::audit::AuditEntry;
use crate::store::StoreError;
use crate::store::sql::ms;
use sqlx::SqliteConnection;

/// Adds `entry` in the transaction of what it records.
pub(super) async fn append(
    connection: &mut SqliteConnection,
    entry: &AuditEntry,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO audit (at_ms, actor, action, target, decision, details, request_id)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(ms(entry.at_ms))
    .bind(&entry.actor)
    .bind(&entry.action)
    .bind(&entry.target)
    .bind(entry.decision.name())
    .bind(entry.details.to_string())
    .bind(&entry.request_id)
    .execute(connection)
    .await?;
    Ok(())
}
