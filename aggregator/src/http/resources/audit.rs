//! The audit trail, newest first, and whether its chains hold.

use crate::access::{Caller, OrganizationId, Right, Scope};
use crate::audit::{AuditQuery, AuditRow, Decision};
use crate::authority::hex;
use crate::http::Api;
use crate::http::auth::{Administrator, Manager};
use crate::http::cursor::Walk;
use crate::http::error::{FieldError, Problem};
use crate::http::extract::Query;
use crate::http::listing::{Asked, Listable};
use crate::http::paging::limit;
use crate::http::reply::{Answer, Flat, Listed, Many, One, Resource};
use crate::http::time::{parse, rfc3339};
use crate::listing::{Field, Form, Kind, List, words};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

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
    /// Whose chain it stands in; the server's own where absent.
    organization: Option<Uuid>,
    /// The sign-in under which it was done.
    session: Option<Uuid>,
    /// Where it was asked from.
    address: Option<String>,
    /// The fields that changed, each with `before` and `after`; secrets are masked.
    #[schema(value_type = Option<Object>)]
    change: Option<Value>,
    /// Its number in its chain, from 1.
    position: Option<u64>,
    /// SHA-256 of the row and the hash before it, in hexadecimal.
    hash: Option<String>,
}

impl Resource for AuditEntry {
    const FLAT: Flat = Flat::named("entry", "audit");
}

impl Listable for AuditEntry {
    const LIST: List = List {
        fields: &[
            Field::new("at", Kind::Time),
            Field::new("actor", Kind::Text),
            Field::new("action", Kind::Text),
            Field::new("target", Kind::Text),
            Field::new("decision", Kind::OneOf(words!(Decision))),
            Field::new("request_id", Kind::Text),
            Field::new("organization", Kind::Id),
            Field::new("session", Kind::Id),
            Field::new("address", Kind::Text),
        ],
        form: Form::Cursor,
        includes: &[],
        labelled: false,
    };
    const OTHERS: &'static [&'static str] =
        &["actor", "action", "target", "decision", "organization", "from", "to"];
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
            organization: entry.organization.map(|organization| organization.0),
            session: entry.session.map(|session| session.0),
            address: entry.address.map(|address| address.to_string()),
            change: entry.change,
            position: row.position,
            hash: row.hash.map(|hash| hex(&hash)),
        }
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct AuditFilter {
    actor: Option<String>,
    action: Option<String>,
    /// Such as `device:` and its id.
    target: Option<String>,
    /// `allowed`, `clamped`, `refused` or `failed`.
    decision: Option<String>,
    /// The rows of one organization's chain.
    organization: Option<Uuid>,
    /// RFC 3339 or Unix milliseconds.
    from: Option<String>,
    /// RFC 3339 or Unix milliseconds, exclusive.
    to: Option<String>,
    /// `meta.next_cursor` of the page before.
    cursor: Option<String>,
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// As `limit`.
    #[param(minimum = 1, maximum = 200)]
    per_page: Option<u32>,
    /// As `limit`.
    #[serde(rename = "pageSize")]
    #[param(rename = "pageSize", minimum = 1, maximum = 200)]
    page_size: Option<u32>,
}

impl AuditFilter {
    fn query(self, before: Option<i64>, limit: u32) -> Result<AuditQuery, Problem> {
        let mut faults = Vec::new();
        let mut fault = |name, message| {
            faults.push(FieldError::query(name, "invalid_value", message));
        };
        let mut time = |name, text: Option<String>| {
            let text = text?;
            let time = parse(&text);
            if time.is_none() {
                fault(name, "is an RFC 3339 time or Unix milliseconds");
            }
            time
        };
        let (from_ms, to_ms) = (time("from", self.from), time("to", self.to));
        let decision = self.decision.as_deref().and_then(Decision::from_name);
        if self.decision.is_some() && decision.is_none() {
            fault("decision", "is allowed, clamped, refused or failed");
        }
        if let (Some(from), Some(to)) = (from_ms, to_ms)
            && from > to
        {
            fault("from", "lies behind `to`");
        }
        if !faults.is_empty() {
            return Err(Problem::invalid(faults));
        }
        Ok(AuditQuery {
            actor: self.actor,
            action: self.action,
            target: self.target,
            decision,
            organization: self.organization.map(OrganizationId),
            from_ms,
            to_ms,
            before,
            limit,
            ..AuditQuery::default()
        })
    }
}

pub(crate) async fn list(
    State(api): State<Api>,
    Manager(caller): Manager,
    walk: Walk,
    Query(filter): Query<AuditFilter>,
    Asked(listing, ..): Asked<AuditEntry>,
) -> Answer<Listed<AuditEntry>> {
    demand(&api, &caller, filter.organization).await?;
    let limit = limit([filter.limit, filter.per_page, filter.page_size])?;
    let before = walk.place(&api, filter.cursor.as_deref(), |text| text.parse::<i64>().ok())?;
    // One more than is asked for, to see whether there is a next page.
    let query = AuditQuery { listing, ..filter.query(before, limit + 1)? };
    let mut rows = api.app.store.audit(&query).await.map_err(Problem::internal)?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| more).map(|row| walk.cursor(&api, &row.id.to_string()));
    let many = Many::cursor(rows.into_iter().map(AuditEntry::from).collect(), limit, next);
    Ok(many.asked(query.listing))
}

/// Whoever administers the server reads every row; who manages an organization, those of its chain.
async fn demand(api: &Api, caller: &Caller, organization: Option<Uuid>) -> Result<(), Problem> {
    if caller.grants.everywhere(Right::Administer) {
        return Ok(());
    }
    let Some(id) = organization else {
        let message = "name one that you manage: the whole trail is the administrators'";
        return Err(Problem::invalid(vec![FieldError::query(
            "organization",
            "missing_field",
            message,
        )]));
    };
    let scope = Scope::Organization(OrganizationId(id));
    let own = api.app.tenancy.may(&caller.grants, Right::Manage, scope).await;
    if own.map_err(Problem::internal)? {
        Ok(())
    } else {
        Err(Problem::not_found("organization", id))
    }
}

/// What a walk along every chain came to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditVerification {
    /// Do all chains hold?
    intact: bool,
    /// Rows that were walked, up to the break where there is one.
    rows: u64,
    chains: u64,
    first_broken: Option<BrokenRow>,
}

/// Where a chain does not hold.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BrokenRow {
    /// The row's id; `0` where a chain has no rows left.
    id: String,
    organization: Option<String>,
    /// The number in the chain that it carries.
    position: u64,
    /// `altered`: it is not what was hashed. `out_of_place`: a row before it is missing, or it was
    /// put in. `unchained`: it was never in a chain. `cut_off`: rows behind it are missing.
    fault: &'static str,
}

impl Resource for AuditVerification {
    const FLAT: Flat = Flat::fields();
}

pub(crate) async fn verify(
    State(api): State<Api>,
    Administrator(_): Administrator,
) -> Answer<One<AuditVerification>> {
    let (rows, chains, broken) = api.app.store.verify_audit().await.map_err(Problem::internal)?;
    Ok(One(AuditVerification {
        intact: broken.is_none(),
        rows,
        chains: chains as u64,
        first_broken: broken.map(|broken| BrokenRow {
            id: broken.id.to_string(),
            organization: broken.organization,
            position: broken.position,
            fault: broken.fault.name(),
        }),
    }))
}
