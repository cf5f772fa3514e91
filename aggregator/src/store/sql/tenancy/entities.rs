//! Organizations, sites, locations and groups: one table, one set of statements.

use super::changed;
use crate::access::{OrganizationId, UserId};
use crate::audit::AuditEntry;
use crate::listing::Listing;
use crate::page::{Page, PageRequest};
use crate::record::Record;
use crate::store::StoreError;
use crate::store::sql::listing::Clause;
use crate::store::sql::record::record;
use crate::store::sql::{
    Connection, Row, Store, audit, from_json, id, id_option, ms, to_json, unsigned,
};
use crate::tenancy::{Entity, Kept};
use sqlx::Row as _;
use std::collections::HashSet;
use uuid::Uuid;

/// What is stored of an entity but its record.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEntity<T> {
    pub id: Uuid,
    pub organization: OrganizationId,
    pub parent: Option<Uuid>,
    pub name: String,
    pub body: T,
}

/// Which entities of a kind.
#[derive(Clone, Debug)]
pub struct EntityQuery {
    /// Only these, where not all may be seen.
    pub only: Option<HashSet<Uuid>>,
    pub listing: Listing,
    pub deleted: bool,
    pub page: PageRequest,
}

/// What every kind has; `kind` is that of a location.
fn columns(kind: &str) -> [(&'static str, &str); 9] {
    [
        ("kind", kind),
        ("id", "id"),
        ("name", "name"),
        ("organization", "organization"),
        ("parent", "parent"),
        ("created_at", "created_at_ms"),
        ("created_by", "created_by"),
        ("updated_at", "updated_at_ms"),
        ("updated_by", "updated_by"),
    ]
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Done,
    /// Another version stands there, or nothing.
    Stale,
    /// Another of its kind has the name, under the same parent.
    NameTaken,
    /// Something lies in it, or stands there.
    InUse,
}

impl Store {
    /// # Errors
    /// Where the database fails.
    pub async fn entity<T: Entity>(&self, id: Uuid) -> Result<Option<Kept<T>>, StoreError> {
        let row = sqlx::query("SELECT * FROM entities WHERE id = $1 AND kind = $2")
            .bind(id.to_string())
            .bind(T::KIND)
            .fetch_optional(self.readers())
            .await?;
        row.as_ref().map(kept).transpose()
    }

    /// The names of those of `ids` that stand.
    pub(crate) async fn names_of(&self, ids: &[Uuid]) -> Result<Vec<(Uuid, String)>, StoreError> {
        let listed = self.engine.listed("$1");
        let sql = format!(
            "SELECT id, name FROM entities WHERE id IN {listed} AND deleted_at_ms IS NULL
             ORDER BY name, id"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(to_json("ids", &ids)?)
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(|row| Ok((id(row, "id")?, row.try_get("name")?))).collect()
    }

    /// By name, where no other order is asked for.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn entities<T: Entity>(
        &self,
        query: &EntityQuery,
    ) -> Result<Page<Kept<T>>, StoreError> {
        let only = self.engine.listed("$2");
        let clause = Clause::new(&query.listing, &columns(&self.engine.member("body", "kind")), 4)?;
        let which = format!(
            "FROM entities WHERE kind = $1 AND ($2 IS NULL OR id IN {only})
               AND (deleted_at_ms IS NOT NULL) = $3 {}",
            clause.narrowed()
        );
        let ids = query.only.as_ref().map(|only| to_json("ids", only)).transpose()?;
        let bind = |sql: String| {
            let statement = sqlx::query(sqlx::AssertSqlSafe(sql));
            clause.bind(statement.bind(T::KIND).bind(ids.clone()).bind(query.deleted))
        };
        let row = bind(format!("SELECT count(*) AS total {which}"));
        let total: i64 = row.fetch_one(self.readers()).await?.try_get("total")?;
        let (order, limit, offset) = (clause.order("name, id"), clause.next, clause.next + 1);
        let rows =
            bind(format!("SELECT * {which} ORDER BY {order} LIMIT ${limit} OFFSET ${offset}"))
                .bind(i64::from(query.page.per_page))
                .bind(ms(query.page.offset()))
                .fetch_all(self.readers())
                .await?;
        let items = rows.iter().map(kept).collect::<Result<_, _>>()?;
        Ok(Page { items, total: unsigned(total) })
    }

    /// # Errors
    /// Where the database fails.
    pub async fn add_entity<T: Entity>(
        &self,
        new: &NewEntity<T>,
        record: &Record,
        entry: &AuditEntry,
    ) -> Result<Change, StoreError> {
        let mut transaction = self.begin().await?;
        if is_taken::<T>(&mut transaction, new.id, new.parent, &new.name).await? {
            return Ok(Change::NameTaken);
        }
        sqlx::query(
            "INSERT INTO entities (id, kind, organization, parent, name, body, created_at_ms,
               created_by, updated_at_ms, updated_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $7, $8)",
        )
        .bind(new.id.to_string())
        .bind(T::KIND)
        .bind(new.organization.to_string())
        .bind(new.parent.map(|id| id.to_string()))
        .bind(&new.name)
        .bind(to_json("entities.body", &new.body)?)
        .bind(ms(record.created_at_ms))
        .bind(record.created_by.map(|user| user.to_string()))
        .execute(&mut *transaction)
        .await?;
        changed(&mut transaction).await?;
        audit::append(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(Change::Done)
    }

    /// Puts `new` in the place of what has its id, where that is of version `expected`.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn replace_entity<T: Entity>(
        &self,
        new: &NewEntity<T>,
        expected: Option<u64>,
        by: (UserId, u64),
        entry: &AuditEntry,
    ) -> Result<Change, StoreError> {
        let mut transaction = self.begin().await?;
        if is_taken::<T>(&mut transaction, new.id, new.parent, &new.name).await? {
            return Ok(Change::NameTaken);
        }
        let done = sqlx::query(
            "UPDATE entities SET parent = $1, name = $2, body = $3, updated_by = $4,
               updated_at_ms = $5, version = version + 1
             WHERE id = $6 AND deleted_at_ms IS NULL AND ($7 IS NULL OR version = $7)",
        )
        .bind(new.parent.map(|id| id.to_string()))
        .bind(&new.name)
        .bind(to_json("entities.body", &new.body)?)
        .bind(by.0.to_string())
        .bind(ms(by.1))
        .bind(new.id.to_string())
        .bind(expected.map(ms))
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() != 1 {
            return Ok(Change::Stale);
        }
        changed(&mut transaction).await?;
        audit::append(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(Change::Done)
    }

    /// Marks it as gone where nothing lies in it any more, or takes the mark away again.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn mark_entity<T: Entity>(
        &self,
        id: Uuid,
        deleted: bool,
        expected: Option<u64>,
        by: (UserId, u64),
        entry: &AuditEntry,
    ) -> Result<Change, StoreError> {
        let mut transaction = self.begin().await?;
        let row = sqlx::query("SELECT parent, name FROM entities WHERE id = $1 AND kind = $2")
            .bind(id.to_string())
            .bind(T::KIND)
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(row) = row else { return Ok(Change::Stale) };
        if deleted && is_used(&mut transaction, id).await? {
            return Ok(Change::InUse);
        }
        let parent = id_option(&row, "parent")?;
        if !deleted && is_taken::<T>(&mut transaction, id, parent, row.try_get("name")?).await? {
            return Ok(Change::NameTaken);
        }
        let done = sqlx::query(
            "UPDATE entities SET deleted_at_ms = CASE WHEN $1 THEN $2 END, updated_at_ms = $2,
               updated_by = $3, version = version + 1
             WHERE id = $4 AND (deleted_at_ms IS NULL) = $1 AND ($5 IS NULL OR version = $5)",
        )
        .bind(deleted)
        .bind(ms(by.1))
        .bind(by.0.to_string())
        .bind(id.to_string())
        .bind(expected.map(ms))
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() != 1 {
            return Ok(Change::Stale);
        }
        changed(&mut transaction).await?;
        audit::append(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(Change::Done)
    }
}

async fn is_taken<T: Entity>(
    connection: &mut Connection,
    id: Uuid,
    parent: Option<Uuid>,
    name: &str,
) -> Result<bool, StoreError> {
    let others: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM entities WHERE kind = $1 AND coalesce(parent, '') = $2
           AND name = $3 AND id <> $4 AND deleted_at_ms IS NULL",
    )
    .bind(T::KIND)
    .bind(parent.map(|id| id.to_string()).unwrap_or_default())
    .bind(name)
    .bind(id.to_string())
    .fetch_one(connection)
    .await?;
    Ok(others > 0)
}

/// Lies anything in it, stands a device there, or is it somebody's scope? A membership goes with
/// its organization.
pub(super) async fn is_used(connection: &mut Connection, id: Uuid) -> Result<bool, StoreError> {
    let uses: i64 = sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM entities WHERE parent = $1 AND deleted_at_ms IS NULL)
              + (SELECT count(*) FROM placements
                 WHERE organization = $1 OR site = $1 OR location = $1)",
    )
    .bind(id.to_string())
    .fetch_one(connection)
    .await?;
    Ok(uses > 0)
}

fn kept<T: Entity>(row: &Row) -> Result<Kept<T>, StoreError> {
    Ok(Kept {
        id: id(row, "id")?,
        organization: OrganizationId(id(row, "organization")?),
        parent: id_option(row, "parent")?,
        name: row.try_get("name")?,
        body: from_json("entities.body", row.try_get("body")?)?,
        record: record(row)?,
    })
}
