//! The columns that every record has.

use crate::access::UserId;
use crate::record::Record;
use crate::store::StoreError;
use crate::store::sql::{Row, unsigned, unsigned_option, word};
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
