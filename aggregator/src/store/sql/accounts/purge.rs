//! Erasing an account for good. What it did stays in the audit trail.

use super::people::another_superuser;
use crate::access::{Role, UserId};
use crate::accounts::people::Changed;
use crate::audit::AuditEntry;
use crate::store::StoreError;
use crate::store::sql::{Store, audit, flag, unsigned, word};
use sqlx::Row as _;

/// All that is the account's, in an order that the tables' references allow.
const HANGING: [&str; 14] = [
    "refresh_tokens WHERE session IN (SELECT id FROM sessions WHERE \"user\" = $1)",
    "oidc_flows WHERE \"user\" = $1",
    "oidc_codes WHERE \"user\" = $1",
    "identity_roles WHERE \"user\" = $1",
    "identities WHERE \"user\" = $1",
    "sessions WHERE \"user\" = $1",
    "auth_devices WHERE \"user\" = $1",
    "recovery_codes WHERE \"user\" = $1",
    "mfa_challenges WHERE \"user\" = $1",
    "letter_tokens WHERE \"user\" = $1",
    "api_keys WHERE \"user\" = $1",
    "role_bindings WHERE \"user\" = $1",
    "invitations WHERE created_by = $1",
    "users WHERE id = $1",
];

impl Store {
    /// Erases an account, one that was deleted before too.
    pub(crate) async fn purge_person(
        &self,
        person: UserId,
        expected: Option<u64>,
        entry: &AuditEntry,
    ) -> Result<Changed, StoreError> {
        let mut transaction = self.begin().await?;
        let row =
            sqlx::query("SELECT role, active, deleted_at_ms, version FROM users WHERE id = $1")
                .bind(person.to_string())
                .fetch_optional(&mut *transaction)
                .await?;
        let Some(row) = row else { return Ok(Changed::Missing) };
        let version = unsigned(row.try_get("version")?);
        if expected.is_some_and(|expected| expected != version) {
            return Ok(Changed::Stale);
        }
        let role = word("users.role", row.try_get("role")?, Role::from_name)?;
        let deleted = row.try_get::<Option<i64>, _>("deleted_at_ms")?.is_some();
        let stands = flag(&row, "active")? && !deleted;
        if role == Role::Superuser && stands && !another_superuser(&mut transaction, person).await?
        {
            return Ok(Changed::LastSuperuser);
        }
        for what in HANGING {
            sqlx::query(sqlx::AssertSqlSafe(format!("DELETE FROM {what}")))
                .bind(person.to_string())
                .execute(&mut *transaction)
                .await?;
        }
        audit::append(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(Changed::Done)
    }
}
