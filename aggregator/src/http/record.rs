//! The fields that every record of the API has.

use super::time::{rfc3339, rfc3339_option};
use crate::record::Record;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Who made a record and who changed it last. Flattened into the resource.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Recorded {
    created_at: String,
    /// The account that made it; null where it was the server itself.
    created_by: Option<Uuid>,
    updated_at: String,
    updated_by: Option<Uuid>,
    /// False once it was deleted; it can be restored.
    is_active: bool,
    deleted_at: Option<String>,
}

impl From<&Record> for Recorded {
    fn from(record: &Record) -> Self {
        Self {
            created_at: rfc3339(record.created_at_ms),
            created_by: record.created_by.map(|user| user.0),
            updated_at: rfc3339(record.updated_at_ms),
            updated_by: record.updated_by.map(|user| user.0),
            is_active: record.deleted_at_ms.is_none(),
            deleted_at: rfc3339_option(record.deleted_at_ms),
        }
    }
}
