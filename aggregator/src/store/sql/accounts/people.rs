//! Accounts as those see them who look after them.

use super::{USER, end, profile, user};
use crate::access::{Grant, Role, UserId};
use crate::accounts::people::{Changed, PeopleQuery, Person, PersonChange};
use crate::accounts::profile::Ending;
use crate::audit::AuditEntry;
use crate::page::Page;
use crate::store::StoreError;
use crate::store::sql::listing::{Clause, Pages};
use crate::store::sql::record::record;
use crate::store::sql::{Connection, Row, Statement, Store, audit, flag, id, ms, unsigned, word};
use sqlx::Row as _;

const RECORD: &str = "u.active AS enabled, u.created_by, u.updated_at_ms, u.updated_by, \
    u.deleted_at_ms, u.version";

/// Who shares an organization that account `$1` manages; everybody where it is null.
const SEEN: &str = "($1 IS NULL OR EXISTS (
       SELECT 1 FROM role_bindings b JOIN role_bindings m
         ON m.scope_kind = 'organization' AND m.scope = b.scope
       WHERE b.\"user\" = u.id AND b.scope_kind = 'organization' AND m.\"user\" = $1
         AND m.role IN ('org_admin', 'superuser')))";

const COLUMNS: [(&str, &str); 12] = [
    ("id", "u.id"),
    ("email", "u.email"),
    ("email_verified", "u.email_verified"),
    ("display_name", "u.display_name"),
    ("locale", "u.locale"),
    ("timezone", "u.timezone"),
    ("role", "u.role"),
    ("disabled", "1 - u.active"),
    ("mfa_enabled", "CASE WHEN u.totp_since_ms IS NULL THEN 0 ELSE 1 END"),
    ("last_login_at", "u.last_login_at_ms"),
    ("created_at", "u.created_at_ms"),
    ("updated_at", "u.updated_at_ms"),
];

impl Store {
    /// Those whom `seen_by` may see.
    pub(crate) async fn people(
        &self,
        query: &PeopleQuery,
        seen_by: Option<UserId>,
    ) -> Result<Page<Person>, StoreError> {
        let seen_by = seen_by.map(|user| user.to_string());
        let clause = Clause::new(&query.listing, &COLUMNS, 3)?;
        let which = format!(
            "FROM users u WHERE {SEEN}
               AND (CASE WHEN u.deleted_at_ms IS NULL THEN 0 ELSE 1 END) = $2"
        );
        let pages = Pages {
            which: &which,
            columns: &format!("{USER}, {RECORD}"),
            order: "lower(u.email), u.id",
        };
        let bind = |statement: Statement<'static>| {
            statement.bind(seen_by.clone()).bind(i64::from(query.deleted))
        };
        let mut page =
            self.page(&pages, &clause, query.page, bind, |row| read(row, Vec::new())).await?;
        let users: Vec<_> = page.items.iter().map(|person| person.user.id).collect();
        let mut roles = self.bound_roles_of(&users).await?;
        for person in &mut page.items {
            person.bound = roles.remove(&person.user.id).unwrap_or_default();
        }
        Ok(page)
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
        let Some(row) = row else { return Ok(None) };
        let roles = self.bound_roles(UserId(id(&row, "id")?)).await?;
        Ok(Some(read(&row, roles)?))
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

pub(super) async fn another_superuser(
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

fn read(row: &Row, bound: Vec<Grant>) -> Result<Person, StoreError> {
    Ok(Person { disabled: !flag(row, "enabled")?, record: record(row)?, user: user(row)?, bound })
}
