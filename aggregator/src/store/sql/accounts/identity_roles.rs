//! What a provider's claims give and take.
//!
//! A role that somebody gave by hand is never touched: what the claims gave is noted, and only
//! what is as it was noted is changed or taken.

use super::people::another_superuser;
use crate::access::{Grant, OrganizationId, Role, Scope, UserId};
use crate::accounts::User;
use crate::accounts::identities::WantedRole;
use crate::audit::AuditEntry;
use crate::record::Record;
use crate::store::StoreError;
use crate::store::sql::tenancy::bindings::{NewBinding, bind};
use crate::store::sql::tenancy::changed;
use crate::store::sql::{Connection, Store, audit, ms, word};
use serde_json::json;
use sqlx::Row as _;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// What a role is over: an organization by its id, or nothing for the account's own role.
type Over = Option<Uuid>;

const COLUMN: &str = "identity_roles.scope";

impl Store {
    /// Gives what is wanted and takes what was given before and is wanted no more. Says whether
    /// anything has changed. `entry` is what the audit rows have in common.
    pub(crate) async fn take_up_roles(
        &self,
        user: &User,
        provider: &str,
        wanted: &[WantedRole],
        entry: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let wanted = resolved(&mut transaction, provider, wanted).await?;
        let given = given(&mut transaction, user.id, provider).await?;
        let mut has_changed = false;
        for over in wanted.keys().chain(given.keys()).copied().collect::<BTreeSet<Over>>() {
            let (want, gave) = (wanted.get(&over).copied(), given.get(&over).copied());
            let standing = standing(&mut transaction, user.id, over).await?;
            if standing.is_some() && standing != gave {
                // Somebody decided otherwise by hand.
                note(&mut transaction, user.id, provider, over, None).await?;
                continue;
            }
            if want != standing {
                if !may_change(&mut transaction, user.id, standing).await? {
                    continue;
                }
                set(&mut transaction, user.id, over, want, entry.at_ms).await?;
                let row = told(entry, user, over, want, standing);
                audit::append(&mut transaction, &row).await?;
                has_changed = true;
            }
            if want != gave {
                note(&mut transaction, user.id, provider, over, want).await?;
            }
        }
        transaction.commit().await?;
        Ok(has_changed)
    }
}

/// The greatest role over each, where its organization is there.
async fn resolved(
    connection: &mut Connection,
    provider: &str,
    wanted: &[WantedRole],
) -> Result<BTreeMap<Over, Role>, StoreError> {
    let mut roles: BTreeMap<Over, Role> = BTreeMap::new();
    for WantedRole { role, organization } in wanted {
        let over = match organization {
            None => None,
            Some(name) => {
                let id: Option<String> = sqlx::query_scalar(
                    "SELECT id FROM entities WHERE kind = 'organization'
                       AND deleted_at_ms IS NULL AND (id = $1 OR name = $1)",
                )
                .bind(name)
                .fetch_optional(&mut *connection)
                .await?;
                let Some(id) = id else {
                    tracing::warn!(
                        provider,
                        organization = name,
                        "a mapped organization is not there"
                    );
                    continue;
                };
                Some(word(COLUMN, &id, |text| Uuid::parse_str(text).ok())?)
            }
        };
        roles.entry(over).and_modify(|most| *most = (*role).max(*most)).or_insert(*role);
    }
    // What every account is, needs no giving.
    roles.retain(|over, role| over.is_some() || *role != Role::User);
    Ok(roles)
}

async fn given(
    connection: &mut Connection,
    user: UserId,
    provider: &str,
) -> Result<BTreeMap<Over, Role>, StoreError> {
    let rows =
        sqlx::query("SELECT scope, role FROM identity_roles WHERE \"user\" = $1 AND provider = $2")
            .bind(user.to_string())
            .bind(provider)
            .fetch_all(connection)
            .await?;
    rows.iter()
        .map(|row| {
            let over = match row.try_get("scope")? {
                "" => None,
                id => Some(word(COLUMN, id, |text| Uuid::parse_str(text).ok())?),
            };
            Ok((over, word("identity_roles.role", row.try_get("role")?, Role::from_name)?))
        })
        .collect()
}

/// The role as it is now.
async fn standing(
    connection: &mut Connection,
    user: UserId,
    over: Over,
) -> Result<Option<Role>, StoreError> {
    let role: Option<String> = match over {
        None => {
            let statement = sqlx::query_scalar("SELECT role FROM users WHERE id = $1");
            statement.bind(user.to_string()).fetch_optional(connection).await?
        }
        Some(id) => {
            sqlx::query_scalar(
                "SELECT role FROM role_bindings
                 WHERE \"user\" = $1 AND scope_kind = 'organization' AND scope = $2",
            )
            .bind(user.to_string())
            .bind(id.to_string())
            .fetch_optional(connection)
            .await?
        }
    };
    let role = role.map(|role| word("users.role", &role, Role::from_name)).transpose()?;
    Ok(role.filter(|role| over.is_some() || *role != Role::User))
}

/// There is always a superuser left.
async fn may_change(
    connection: &mut Connection,
    user: UserId,
    standing: Option<Role>,
) -> Result<bool, StoreError> {
    Ok(standing != Some(Role::Superuser) || another_superuser(connection, user).await?)
}

async fn set(
    connection: &mut Connection,
    user: UserId,
    over: Over,
    role: Option<Role>,
    now_ms: u64,
) -> Result<(), StoreError> {
    match (over, role) {
        (None, role) => {
            sqlx::query(
                "UPDATE users SET role = $1, updated_at_ms = $2, version = version + 1
                 WHERE id = $3",
            )
            .bind(role.unwrap_or(Role::User).name())
            .bind(ms(now_ms))
            .bind(user.to_string())
            .execute(connection)
            .await?;
            Ok(())
        }
        (Some(id), Some(role)) => {
            let scope = Scope::Organization(OrganizationId(id));
            let new = NewBinding {
                id: Uuid::new_v4(),
                user,
                grant: Grant { role, scope },
                record: Record::new(None, now_ms),
            };
            bind(connection, &new).await
        }
        (Some(id), None) => {
            sqlx::query(
                "DELETE FROM role_bindings
                 WHERE \"user\" = $1 AND scope_kind = 'organization' AND scope = $2",
            )
            .bind(user.to_string())
            .bind(id.to_string())
            .execute(&mut *connection)
            .await?;
            changed(connection).await
        }
    }
}

/// Notes what the claims gave; `None`: nothing that they could take back.
async fn note(
    connection: &mut Connection,
    user: UserId,
    provider: &str,
    over: Over,
    role: Option<Role>,
) -> Result<(), StoreError> {
    let (kind, scope) = over.map_or(("", String::new()), |id| ("organization", id.to_string()));
    let statement = match role {
        Some(role) => sqlx::query(
            "INSERT INTO identity_roles (\"user\", provider, scope_kind, scope, role)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (\"user\", provider, scope_kind, scope) DO UPDATE SET role = $5",
        )
        .bind(user.to_string())
        .bind(provider)
        .bind(kind)
        .bind(scope)
        .bind(role.name()),
        None => sqlx::query(
            "DELETE FROM identity_roles
             WHERE \"user\" = $1 AND provider = $2 AND scope_kind = $3 AND scope = $4",
        )
        .bind(user.to_string())
        .bind(provider)
        .bind(kind)
        .bind(scope),
    };
    statement.execute(connection).await?;
    Ok(())
}

fn told(
    entry: &AuditEntry,
    user: &User,
    over: Over,
    want: Option<Role>,
    before: Option<Role>,
) -> AuditEntry {
    let kind = over.map(|_| "organization");
    AuditEntry {
        action: if want.is_some() { "role.give" } else { "role.take" }.into(),
        target: format!("user:{}", user.id),
        details: json!({
            "role": want.or(before).map(Role::name), "scope": kind, "scope_id": over,
        }),
        organization: over.map(OrganizationId),
        ..entry.clone()
    }
}
