//! Accounts as those see them who look after them.

use super::{USER, end, profile, user};
use crate::access::{Role, UserId};
use crate::accounts::people::{Changed, PeopleOrder, PeopleQuery, Person, PersonChange};
use crate::accounts::profile::Ending;
use crate::audit::AuditEntry;
use crate::page::Page;
use crate::store::StoreError;
use crate::store::sql::record::record;
use crate::store::sql::{Connection, Row, Store, audit, flag, ms, unsigned, word};
use sqlx::Row as _;

const RECORD: &str = "u.active AS enabled, u.created_by, u.updated_at_ms, u.updated_by, \
    u.deleted_at_ms, u.version";

/// Who shares an organization that account `$1` manages; everybody where it is null.
const SEEN: &str = "($1 IS NULL OR EXISTS (
       SELECT 1 FROM role_bindings b JOIN role_bindings m
         ON m.scope_kind = 'organization' AND m.scope = b.scope
       WHERE b.\"user\" = u.id AND b.scope_kind = 'organization' AND m.\"user\" = $1
         AND m.role IN ('org_admin', 'superuser')))";

/// What a list is narrowed by; null is no matter.
const NARROWED: &str = "AND ($2 IS NULL OR lower(u.email) LIKE $2 ESCAPE '\\'
         OR lower(u.display_name) LIKE $2 ESCAPE '\\')
     AND ($3 IS NULL OR u.role = $3) AND ($4 < 0 OR u.active = $4)
     AND (CASE WHEN u.deleted_at_ms IS NULL THEN 0 ELSE 1 END) = $5";

const fn column(order: PeopleOrder) -> &'static str {
    match order {
        PeopleOrder::Email => "lower(u.email)",
        PeopleOrder::DisplayName => "lower(u.display_name)",
        PeopleOrder::Role => "u.role",
        PeopleOrder::CreatedAt => "u.created_at_ms",
        PeopleOrder::LastLoginAt => "coalesce(u.last_login_at_ms, 0)",
    }
}

impl Store {
    /// Those whom `seen_by` may see.
    pub(crate) async fn people(
        &self,
        query: &PeopleQuery,
        seen_by: Option<UserId>,
    ) -> Result<Page<Person>, StoreError> {
        let seen_by = seen_by.map(|user| user.to_string());
        let text = query.text.as_ref().map(|text| {
            let text = text.to_lowercase();
            format!("%{}%", text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"))
        });
        let role = query.role.map(Role::name);
        let active = query.disabled.map_or(-1, |disabled| i64::from(!disabled));
        let count = format!("SELECT count(*) FROM users u WHERE {SEEN} {NARROWED}");
        let total: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(count))
            .bind(&seen_by)
            .bind(&text)
            .bind(role)
            .bind(active)
            .bind(i64::from(query.deleted))
            .fetch_one(self.readers())
            .await?;
        let direction = if query.descending { "DESC" } else { "ASC" };
        let list = format!(
            "SELECT {USER}, {RECORD} FROM users u WHERE {SEEN} {NARROWED}
             ORDER BY {} {direction}, u.id LIMIT $6 OFFSET $7",
            column(query.order)
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(list))
            .bind(&seen_by)
            .bind(&text)
            .bind(role)
            .bind(active)
            .bind(i64::from(query.deleted))
            .bind(i64::from(query.page.per_page))
            .bind(ms(query.page.offset()))
            .fetch_all(self.readers())
            .await?;
        let mut items = Vec::new();
        for row in &rows {
            items.push(self.with_roles(row).await?);
        }
        Ok(Page { items, total: unsigned(total) })
    }

    /// One account, deleted too, whom `seen_by` may see.
    pub(crate) async fn person(
        &self,
        person: UserId,
        seen_by: Option<UserId>,
    ) -> Result<Option<Person>, StoreError> {
        let sql = format!("SELECT {USER}, {RECORD} FROM users u WHERE {SEEN} AND u.id = $2");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(seen_by.map(|user| user.to_string()))
            .bind(person.to_string())
            .fetch_optional(self.readers())
            .await?;
        match row {
            Some(row) => Ok(Some(self.with_roles(&row).await?)),
            None => Ok(None),
        }
    }

    async fn with_roles(&self, row: &Row) -> Result<Person, StoreError> {
        let user = user(row)?;
        let bound = self.bound_roles(user.id).await?;
        Ok(Person { disabled: !flag(row, "enabled")?, record: record(row)?, user, bound })
    }

    pub(crate) async fn change_person(
        &self,
        person: UserId,
        expected: Option<u64>,
        change: &PersonChange,
        by: UserId,
        entry: &AuditEntry,
    ) -> Result<Changed, StoreError> {
        let mut transaction = self.begin().await?;
        let row = sqlx::query(
            "SELECT role, email, active, deleted_at_ms, version FROM users WHERE id = $1",
        )
        .bind(person.to_string())
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(row) = row else { return Ok(Changed::Missing) };
        let role = word("users.role", row.try_get("role")?, Role::from_name)?;
        let deleted = row.try_get::<Option<i64>, _>("deleted_at_ms")?.is_some();
        let enabled = flag(&row, "active")?;
        // What is gone can be restored and nothing else; what stands needs no restoring.
        if deleted != (change.deleted == Some(false)) {
            return Ok(Changed::Missing);
        }
        if expected
            .is_some_and(|version| row.try_get("version").ok().map(unsigned) != Some(version))
        {
            return Ok(Changed::Stale);
        }
        let stands = !change.deleted.unwrap_or(deleted) && !change.disabled.unwrap_or(!enabled);
        let loses = !stands || change.role.is_some_and(|role| role != Role::Superuser);
        let is_superuser = role == Role::Superuser && enabled && !deleted;
        if is_superuser && loses && !another_superuser(&mut transaction, person).await? {
            return Ok(Changed::LastSuperuser);
        }
        if let Some(email) = &change.email {
            let before: String = row.try_get("email")?;
            if *email != before.to_lowercase()
                && !set_email(&mut transaction, person, email).await?
            {
                return Ok(Changed::EmailExists);
            }
        }
        sqlx::query(
            "UPDATE users SET role = $1, active = $2,
               deleted_at_ms = CASE WHEN $3 = 1 THEN coalesce(deleted_at_ms, $4) END
             WHERE id = $5",
        )
        .bind(change.role.unwrap_or(role).name())
        .bind(i64::from(!change.disabled.unwrap_or(!enabled)))
        .bind(i64::from(change.deleted.unwrap_or(deleted)))
        .bind(ms(entry.at_ms))
        .bind(person.to_string())
        .execute(&mut *transaction)
        .await?;
        profile::set_profile(&mut transaction, person, &change.profile, by, entry.at_ms).await?;
        if !stands {
            end(&mut transaction, person, Ending::All, "disabled", entry.at_ms).await?;
        }
        audit::append(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(Changed::Done)
    }
}

async fn another_superuser(
    connection: &mut Connection,
    person: UserId,
) -> Result<bool, StoreError> {
    let others: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM users
         WHERE role = 'superuser' AND active = 1 AND deleted_at_ms IS NULL AND id <> $1",
    )
    .bind(person.to_string())
    .fetch_one(connection)
    .await?;
    Ok(others > 0)
}

/// False where somebody else has the address.
async fn set_email(
    connection: &mut Connection,
    person: UserId,
    email: &str,
) -> Result<bool, StoreError> {
    let taken: Option<String> =
        sqlx::query_scalar("SELECT id FROM users WHERE lower(email) = lower($1) AND id <> $2")
            .bind(email)
            .bind(person.to_string())
            .fetch_optional(&mut *connection)
            .await?;
    if taken.is_some() {
        return Ok(false);
    }
    sqlx::query("UPDATE users SET email = $1, email_verified = 0 WHERE id = $2")
        .bind(email)
        .bind(person.to_string())
        .execute(connection)
        .await?;
    Ok(true)
}
