//! Erasing for good what lies in no place any more.

use super::changed;
use super::entities::{Change, is_used};
use crate::audit::AuditEntry;
use crate::store::StoreError;
use crate::store::sql::{Store, audit, unsigned};
use crate::tenancy::Entity;
use sqlx::Row as _;
use uuid::Uuid;

/// It and what was deleted in it before.
const GONE: &str = "WITH RECURSIVE gone (id) AS (
    SELECT id FROM entities WHERE id = $1
    UNION SELECT e.id FROM entities e JOIN gone ON e.parent = gone.id)";

/// What means nothing without it, in an order that the tables' references allow. Reports and jobs
/// are records of what was done, and go by their age.
const HANGING: [&str; 9] = [
    "identity_roles WHERE scope IN (SELECT id FROM gone)",
    "role_bindings WHERE scope IN (SELECT id FROM gone)",
    "invitations WHERE accepted_at_ms IS NULL AND scope IN (SELECT id FROM gone)",
    "enrolment_tokens WHERE organization IN (SELECT id FROM gone) OR site IN (SELECT id FROM gone)",
    "webhook_deliveries WHERE webhook IN
       (SELECT id FROM webhooks WHERE organization IN (SELECT id FROM gone))",
    "webhooks WHERE organization IN (SELECT id FROM gone)",
    "notifications WHERE organization IN (SELECT id FROM gone)",
    "schedules WHERE organization IN (SELECT id FROM gone)",
    "entities WHERE id IN (SELECT id FROM gone)",
];

impl Store {
    /// Erases one in which nothing lies, with the roles over it and what its organization had.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn purge_entity<T: Entity>(
        &self,
        id: Uuid,
        expected: Option<u64>,
        entry: &AuditEntry,
    ) -> Result<Change, StoreError> {
        let mut transaction = self.begin().await?;
        let row = sqlx::query("SELECT version FROM entities WHERE id = $1 AND kind = $2")
            .bind(id.to_string())
            .bind(T::KIND)
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(row) = row else { return Ok(Change::Stale) };
        let version = unsigned(row.try_get("version")?);
        if expected.is_some_and(|expected| expected != version) {
            return Ok(Change::Stale);
        }
        if is_used(&mut transaction, id).await? {
            return Ok(Change::InUse);
        }
        for what in HANGING {
            sqlx::query(sqlx::AssertSqlSafe(format!("{GONE} DELETE FROM {what}")))
                .bind(id.to_string())
                .execute(&mut *transaction)
                .await?;
        }
        changed(&mut transaction).await?;
        audit::append(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(Change::Done)
    }
}
