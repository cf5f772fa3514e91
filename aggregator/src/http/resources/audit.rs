//! The audit trail, newest first.

use crate::audit::{AuditQuery, AuditRow};
use crate::http::Api;
use crate::http::auth::Administrator;
use crate::http::error::{ErrorCode, Problem};
use crate::http::extract::Query;
use crate::http::paging::limit;
use crate::http::reply::{Answer, Flat, Many, Resource};
use crate::http::time::rfc3339;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditEntry {
    id: String,
    at: String,
    actor: String,
    action: String,
    target: String,
    /// `allowed`, `clamped`, `refused` or `failed`.
    decision: &'static str,
    #[schema(value_type = Object)]
    details: Value,
    request_id: Option<String>,
}

impl Resource for AuditEntry {
    const FLAT: Flat = Flat::named("entry", "audit");
}

impl From<AuditRow> for AuditEntry {
    fn from(row: AuditRow) -> Self {
        let entry = row.entry;
        Self {
            id: row.id.to_string(),
            at: rfc3339(entry.at_ms),
            actor: entry.actor,
            action: entry.action,
            target: entry.target,
            decision: entry.decision.name(),
            details: entry.details,
            request_id: entry.request_id,
        }
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct AuditFilter {
    actor: Option<String>,
    action: Option<String>,
    /// `meta.next_cursor` of the page before.
    cursor: Option<String>,
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

pub(crate) async fn list(
    State(api): State<Api>,
    Administrator(_): Administrator,
    Query(filter): Query<AuditFilter>,
) -> Answer<Many<AuditEntry>> {
    let limit = limit(filter.limit)?;
    let before = filter.cursor.map(|text| text.parse::<i64>()).transpose();
    let before = before.map_err(|_| {
        Problem::new(ErrorCode::InvalidCursor, "the cursor is none of this server's")
    })?;
    let query = AuditQuery { actor: filter.actor, action: filter.action, before, limit: limit + 1 };
    let mut rows = api.app.store.audit(&query).await.map_err(Problem::internal)?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| more).map(|row| row.id.to_string());
    Ok(Many::cursor(rows.into_iter().map(AuditEntry::from).collect(), limit, next))
}
