//! The columns that every record has, and tables of records that are few and softly deleted.

use crate::access::UserId;
use crate::record::Record;
use crate::store::StoreError;
use crate::store::sql::{Row, Store, unsigned, unsigned_option, word};
use sqlx::Row as _;
use uuid::Uuid;

/// Reads `created_at_ms`, `created_by`, `updated_at_ms`, `updated_by`, `deleted_at_ms`, `version`.
pub(super) fn record(row: &Row) -> Result<Record, StoreError> {
    let user = |column: &'static str| {
        let text: Option<&str> = row.try_get(column)?;
        text.map(|text| word(column, text, |text| Uuid::parse_str(text).ok().map(UserId)))
            .transpose()
    };
    Ok(Record {
        created_at_ms: unsigned(row.try_get("created_at_ms")?),
        created_by: user("created_by")?,
        updated_at_ms: unsigned(row.try_get("updated_at_ms")?),
        updated_by: user("updated_by")?,
        deleted_at_ms: unsigned_option(row.try_get("deleted_at_ms")?),
        version: unsigned(row.try_get("version")?),
    })
}

/// Tables whose records somebody made, with columns as [`record`] reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    Backups,
    Notifications,
    Reports,
    Schedules,
    Webhooks,
}

impl Table {
    const fn name(self) -> &'static str {
        match self {
            Self::Backups => "backups",
            Self::Notifications => "notifications",
            Self::Reports => "reports",
            Self::Schedules => "schedules",
            Self::Webhooks => "webhooks",
        }
    }
}

impl Store {
    pub(super) async fn count_records(&self, table: Table) -> Result<u64, StoreError> {
        let sql = format!("SELECT count(*) FROM {} WHERE deleted_at_ms IS NULL", table.name());
        let count = sqlx::query_scalar(sqlx::AssertSqlSafe(sql));
        Ok(unsigned(count.fetch_one(self.readers()).await?))
    }

    /// `None` where there is none, or it was deleted.
    pub(super) async fn record_by_id<T>(
        &self,
        table: Table,
        id: Uuid,
        read: impl FnOnce(&Row) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let name = table.name();
        let sql = format!("SELECT * FROM {name} WHERE id = $1 AND deleted_at_ms IS NULL");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(id.to_string())
            .fetch_optional(self.readers())
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// The newest `most`.
    pub(super) async fn newest_records<T>(
        &self,
        table: Table,
        most: u32,
        read: impl Fn(&Row) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let sql = format!(
            "SELECT * FROM {} WHERE deleted_at_ms IS NULL
             ORDER BY created_at_ms DESC, id DESC LIMIT $1",
            table.name()
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(i64::from(most))
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(read).collect()
    }
}
