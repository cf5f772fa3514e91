//! Organizations, places, and roles over a part of the fleet.

use crate::access::{Grant, Role, Scope, UserId};
use crate::store::StoreError;
use crate::store::sql::{Store, word};
use sqlx::Row as _;
use uuid::Uuid;

impl Store {
    /// The roles of the account over narrower scopes than everything.
    pub(super) async fn bound_roles(&self, user: UserId) -> Result<Vec<Grant>, StoreError> {
        let rows = sqlx::query(
            "SELECT role, scope_kind, scope FROM role_bindings WHERE \"user\" = $1 ORDER BY id",
        )
        .bind(user.to_string())
        .fetch_all(self.readers())
        .await?;
        rows.iter()
            .map(|row| {
                let role = word("role_bindings.role", row.try_get("role")?, Role::from_name)?;
                let kind: &str = row.try_get("scope_kind")?;
                let scope = word("role_bindings.scope", row.try_get("scope")?, |text| {
                    Scope::parse(kind, Uuid::parse_str(text).ok()?)
                })?;
                Ok(Grant { role, scope })
            })
            .collect()
    }
}
