//! The audit table.

use crate::audit::{AuditEntry, AuditQuery, AuditRow, Decision};
use crate::store::StoreError;
use crate::store::sql::{Connection, Store, from_json, ms, unsigned, word};
use sqlx::Row as _;

/// Adds `entry` in the transaction of what it records.
pub(super) async fn append(
    connection: &mut Connection,
    entry: &AuditEntry,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO audit (at_ms, actor, action, target, decision, details, request_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
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

impl Store {
    /// Adds a row that stands alone.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn add_audit(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        append(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Rows, newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, at_ms, actor, action, target, decision, details, request_id FROM audit
             WHERE ($1 IS NULL OR actor = $1) AND ($2 IS NULL OR action = $2)
               AND ($3 IS NULL OR id < $3) ORDER BY id DESC LIMIT $4",
        )
        .bind(&query.actor)
        .bind(&query.action)
        .bind(query.before)
        .bind(i64::from(query.limit))
        .fetch_all(self.readers())
        .await?;
        rows.iter()
            .map(|row| {
                let decision: &str = row.try_get("decision")?;
                Ok(AuditRow {
                    id: row.try_get("id")?,
                    entry: AuditEntry {
                        at_ms: unsigned(row.try_get("at_ms")?),
                        actor: row.try_get("actor")?,
                        action: row.try_get("action")?,
                        target: row.try_get("target")?,
                        decision: word("audit.decision", decision, Decision::from_name)?,
                        details: from_json("audit.details", row.try_get("details")?)?,
                        request_id: row.try_get("request_id")?,
                    },
                })
            })
            .collect()
    }
}
