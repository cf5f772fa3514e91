//! Roles over a part of the fleet.

use super::changed;
use crate::access::{Grant, Role, Scope, UserId};
use crate::audit::AuditEntry;
use crate::listing::Listing;
use crate::page::{Page, PageRequest};
use crate::record::Record;
use crate::store::StoreError;
use crate::store::sql::listing::{Clause, Pages};
use crate::store::sql::record::record;
use crate::store::sql::{Connection, Row, Statement, Store, audit, id, ms, word};
use sqlx::Row as _;
use std::collections::HashMap;
use uuid::Uuid;

/// A role of one account over one scope, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    pub id: Uuid,
    pub user: UserId,
    pub email: String,
    pub display_name: String,
    pub grant: Grant,
    pub record: Record,
}

/// A role that is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewBinding {
    pub id: Uuid,
    pub user: UserId,
    pub grant: Grant,
    pub record: Record,
}

const FIELDS: [(&str, &str); 7] = [
    ("id", "b.id"),
    ("user", "b.\"user\""),
    ("email", "u.email"),
    ("display_name", "u.display_name"),
    ("role", "b.role"),
    ("created_at", "b.created_at_ms"),
    ("updated_at", "b.updated_at_ms"),
];

const SELECT: &str = "SELECT b.*, u.email, u.display_name FROM role_bindings b
    JOIN users u ON u.id = b.\"user\" ";

/// Gives a role in the transaction of `connection`.
pub(in crate::store::sql) async fn bind(
    connection: &mut Connection,
    new: &NewBinding,
) -> Result<(), StoreError> {
    let by = new.record.created_by.map(|user| user.to_string());
    sqlx::query(
        "INSERT INTO role_bindings (id, \"user\", role, scope_kind, scope, created_at_ms,
           created_by, updated_at_ms, updated_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $6, $7)
         ON CONFLICT (\"user\", scope_kind, scope) DO UPDATE SET role = $3,
           updated_at_ms = $6, updated_by = $7, version = role_bindings.version + 1",
    )
    .bind(new.id.to_string())
    .bind(new.user.to_string())
    .bind(new.grant.role.name())
    .bind(new.grant.scope.kind())
    .bind(new.grant.scope.id().to_string())
    .bind(ms(new.record.created_at_ms))
    .bind(by)
    .execute(&mut *connection)
    .await?;
    changed(connection).await
}

impl Store {
    /// The roles of the account over narrower scopes than everything.
    pub(in crate::store::sql) async fn bound_roles(
        &self,
        user: UserId,
    ) -> Result<Vec<Grant>, StoreError> {
        let rows = sqlx::query(
            "SELECT role, scope_kind, scope FROM role_bindings WHERE \"user\" = $1 ORDER BY id",
        )
        .bind(user.to_string())
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(grant).collect()
    }

    /// The same of many, in one go.
    pub(in crate::store::sql) async fn bound_roles_of(
        &self,
        users: &[UserId],
    ) -> Result<HashMap<UserId, Vec<Grant>>, StoreError> {
        if users.is_empty() {
            return Ok(HashMap::new());
        }
        let places: Vec<_> = (1..=users.len()).map(|number| format!("${number}")).collect();
        let sql = format!(
            "SELECT \"user\", role, scope_kind, scope FROM role_bindings
             WHERE \"user\" IN ({}) ORDER BY id",
            places.join(", ")
        );
        let statement = sqlx::query(sqlx::AssertSqlSafe(sql));
        let statement = users.iter().fold(statement, |all, user| all.bind(user.to_string()));
        let mut found: HashMap<_, Vec<_>> = HashMap::new();
        for row in &statement.fetch_all(self.readers()).await? {
            found.entry(UserId(id(row, "user")?)).or_default().push(grant(row)?);
        }
        Ok(found)
    }

    /// Gives a role; whoever has one over that scope has this one from now on.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn bind_role(&self, new: &NewBinding, entry: &AuditEntry) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        bind(&mut transaction, new).await?;
        audit::append(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Takes a role back; false where it was not there.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn unbind_role(&self, id: Uuid, entry: &AuditEntry) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let done = sqlx::query("DELETE FROM role_bindings WHERE id = $1")
            .bind(id.to_string())
            .execute(&mut *transaction)
            .await?
            .rows_affected();
        if done == 1 {
            changed(&mut transaction).await?;
            audit::append(&mut transaction, entry).await?;
        }
        transaction.commit().await?;
        Ok(done == 1)
    }

    /// # Errors
    /// Where the database fails.
    pub async fn role_binding(&self, id: Uuid) -> Result<Option<Binding>, StoreError> {
        let sql = format!("{SELECT} WHERE b.id = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(id.to_string())
            .fetch_optional(self.readers())
            .await?;
        row.as_ref().map(binding).transpose()
    }

    /// # Errors
    /// Where the database fails.
    pub async fn binding_of(
        &self,
        user: UserId,
        scope: Scope,
    ) -> Result<Option<Binding>, StoreError> {
        let sql = format!("{SELECT} WHERE b.\"user\" = $1 AND b.scope_kind = $2 AND b.scope = $3");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(user.to_string())
            .bind(scope.kind())
            .bind(scope.id().to_string())
            .fetch_optional(self.readers())
            .await?;
        row.as_ref().map(binding).transpose()
    }

    /// Those over one scope, by e-mail where no other order is asked for.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn role_bindings(
        &self,
        scope: Scope,
        listing: &Listing,
        page: PageRequest,
    ) -> Result<Page<Binding>, StoreError> {
        let clause = Clause::new(listing, &FIELDS, 3)?;
        let pages = Pages {
            which: "FROM role_bindings b JOIN users u ON u.id = b.\"user\"
                WHERE b.scope_kind = $1 AND b.scope = $2",
            columns: "b.*, u.email, u.display_name",
            order: "lower(u.email), b.id",
        };
        let bind = |statement: Statement<'static>| {
            statement.bind(scope.kind()).bind(scope.id().to_string())
        };
        self.page(&pages, &clause, page, bind, binding).await
    }
}

fn grant(row: &Row) -> Result<Grant, StoreError> {
    let kind: &str = row.try_get("scope_kind")?;
    let role = word("role_bindings.role", row.try_get("role")?, Role::from_name)?;
    let id = id(row, "scope")?;
    let scope = word("role_bindings.scope_kind", kind, |kind| Scope::parse(kind, id))?;
    Ok(Grant { role, scope })
}

fn binding(row: &Row) -> Result<Binding, StoreError> {
    Ok(Binding {
        id: id(row, "id")?,
        user: UserId(id(row, "user")?),
        email: row.try_get("email")?,
        display_name: row.try_get("display_name")?,
        grant: grant(row)?,
        record: record(row)?,
    })
}
