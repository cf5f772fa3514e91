//! What applications log: kept once, listed with what came last first.

use super::commands::missing;
use crate::access::{Caller, Right};
use crate::applications::report::MAX_TEXT;
use crate::audit::{AuditEntry, Decision};
use crate::clock::Clock;
use crate::http::Api;
use crate::http::auth::{Administrator, Member};
use crate::http::cursor::Walk;
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::extract::{Batch, Query, RequestId, Source};
use crate::http::listing::{Asked, Listable};
use crate::http::paging::{limit, limit_within};
use crate::http::reply::{Answer, Flat, Listed, Many, One, Resource};
use crate::http::time::{parse, parse_rfc3339, rfc3339};
use crate::listing::{Field, Form, Kind, List, Listing, words};
use crate::live::{Live, Told, What};
use crate::logs::{IN_VIEW, KeptEntry, Level, LogEntry as Entry, LogQuery, MAX_ENTRIES, MAX_WORD};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::{IntoParams, ToSchema};

const DEFAULT_LIMIT: u32 = 1_000;
const MAX_LIMIT: u32 = 5_000;

/// One entry, as it is sent and as it is shown.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogEntry {
    /// The same id of the same client again is the same entry, stored once. One is given where it
    /// is absent.
    #[schema(min_length = 1, max_length = 128)]
    id: Option<String>,
    /// RFC 3339, at most 5 minutes ahead of the server's clock; now where it is absent.
    timestamp: Option<String>,
    /// `TRACE`, `DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`; `INFO` where absent.
    level: Option<String>,
    /// The part of the application that says it.
    #[schema(max_length = 256)]
    label: Option<String>,
    /// At most 16 KiB.
    message: String,
    #[schema(max_length = 256)]
    file: Option<String>,
    #[schema(max_length = 256)]
    function: Option<String>,
    line: Option<u32>,
    /// At most 16 KiB of JSON.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Map<String, Value>>,
    /// As `X-Client-ID` says where absent.
    #[schema(min_length = 1, max_length = 128)]
    client_id: Option<String>,
    /// As `X-Client-Name` says where absent.
    #[schema(min_length = 1, max_length = 128)]
    client_name: Option<String>,
}

impl Resource for LogEntry {
    const FLAT: Flat = Flat::named("log", "logs");
}

impl Listable for LogEntry {
    const LIST: List = List {
        fields: &[
            Field::new("timestamp", Kind::Time),
            Field::new("level", Kind::OneOf(words!(Level))),
            Field::new("label", Kind::Text),
            Field::new("message", Kind::Text),
            Field::new("file", Kind::Text),
            Field::new("function", Kind::Text),
            Field::new("client_id", Kind::Text),
            Field::new("client_name", Kind::Text),
            Field::new("id", Kind::Text),
        ],
        form: Form::Cursor,
        includes: &[],
        labelled: false,
    };
    const OTHERS: &'static [&'static str] = &["client_id", "level", "label", "since", "q"];
}

impl LogEntry {
    fn checked(self, source: &Source, clock: &Clock, place: &str) -> Result<Entry, Problem> {
        let field = |name: &str| format!("{place}{name}");
        let client_id = self.client_id.or_else(|| source.id.clone()).ok_or_else(|| {
            missing(&field("client_id"), "is required: name who logs, here or in X-Client-ID")
        })?;
        let mut faults = Vec::new();
        let now_ms = clock.now_ms();
        let at_ms = self.timestamp.as_deref().map(parse_rfc3339);
        if at_ms == Some(None) {
            let message =
                "has to be RFC 3339, such as 2024-01-15T12:30:00Z; now where it is absent";
            faults.push(FieldError::body(&field("timestamp"), "invalid_value", message));
        }
        let level = self.level.as_deref().map(Level::from_name);
        if level == Some(None) {
            let message = "is TRACE, DEBUG, INFO, WARNING, ERROR or CRITICAL; INFO where absent";
            faults.push(FieldError::body(&field("level"), "invalid_value", message));
        }
        let entry = Entry {
            id: self.id.unwrap_or_else(|| clock.new_id().to_string()),
            client_id,
            client_name: self.client_name.or_else(|| source.name.clone()),
            at_ms: at_ms.flatten().unwrap_or(now_ms),
            level: level.flatten().unwrap_or(Level::Info),
            label: self.label,
            message: self.message,
            file: self.file,
            function: self.function,
            line: self.line,
            metadata: self.metadata,
        };
        faults.extend(entry.faults(now_ms).iter().map(|fault| {
            FieldError::body(&field(fault.field()), "out_of_range", fault.to_string())
        }));
        if faults.is_empty() { Ok(entry) } else { Err(Problem::invalid(faults)) }
    }
}

impl From<KeptEntry> for LogEntry {
    fn from(kept: KeptEntry) -> Self {
        let entry = kept.entry;
        Self {
            id: Some(entry.id),
            timestamp: Some(rfc3339(entry.at_ms)),
            level: Some(entry.level.name().into()),
            label: entry.label,
            message: entry.message,
            file: entry.file,
            function: entry.function,
            line: entry.line,
            metadata: entry.metadata,
            client_id: Some(entry.client_id),
            client_name: entry.client_name,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LogsKept {
    /// Entries of the request that were not here before.
    stored: usize,
}

impl Resource for LogsKept {
    const FLAT: Flat = Flat::fields();
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LogsCleared {
    cleared_count: u64,
}

impl Resource for LogsCleared {
    const FLAT: Flat = Flat::fields();
}

#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct LogFilter {
    level: Option<String>,
    #[param(max_length = 256)]
    label: Option<String>,
    /// RFC 3339, epoch seconds or epoch milliseconds: what was logged then or later.
    since: Option<String>,
    /// Words of the message, in either case.
    #[param(max_length = 256)]
    q: Option<String>,
    #[param(max_length = 128)]
    client_id: Option<String>,
}

impl LogFilter {
    fn parse(self, caller: &Caller, limit: u32) -> Result<LogQuery, Problem> {
        let mut faults = Vec::new();
        let level = self.level.as_deref().map(Level::from_name);
        if level == Some(None) {
            let message = "is TRACE, DEBUG, INFO, WARNING, ERROR or CRITICAL";
            faults.push(FieldError::query("level", "invalid_value", message));
        }
        let since_ms = self.since.as_deref().map(parse);
        if since_ms == Some(None) {
            let message = "is an RFC 3339 time or epoch seconds";
            faults.push(FieldError::query("since", "invalid_value", message));
        }
        let texts = [
            ("label", &self.label, MAX_WORD),
            ("q", &self.q, MAX_WORD),
            ("client_id", &self.client_id, MAX_TEXT),
        ];
        let wrong = |text: &String, most| text.chars().count() > most || text.contains('\0');
        for (name, text, most) in texts {
            if !text.as_ref().is_some_and(|text| wrong(text, most)) {
                continue;
            }
            let message = format!("has at most {most} characters without NUL");
            faults.push(FieldError::query(name, "out_of_range", message));
        }
        if !faults.is_empty() {
            return Err(Problem::invalid(faults));
        }
        Ok(LogQuery {
            listing: Listing::default(),
            sender: caller.only_own(),
            client_id: self.client_id,
            level: level.flatten(),
            label: self.label,
            since_ms: since_ms.flatten(),
            text: self.q.filter(|text| !text.is_empty()),
            in_view: None,
            before: None,
            limit,
        })
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct ViewQuery {
    /// 1000 where absent.
    #[param(minimum = 1, maximum = 5000)]
    limit: Option<u32>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct WalkQuery {
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

/// Whoever is signed in may log: one entry or several, all of them or none.
pub(crate) async fn create(
    State(api): State<Api>,
    Member(caller): Member,
    source: Source,
    batch: Batch<LogEntry, MAX_ENTRIES>,
) -> Answer<One<LogsKept>> {
    let app = &api.app;
    let places: Vec<String> = (0..batch.0.len()).map(|index| batch.place(index)).collect();
    let entries = batch.0.into_iter().zip(&places);
    let entries = entries.map(|(entry, place)| entry.checked(&source, &app.clock, place));
    let entries: Vec<Entry> = entries.collect::<Result<_, _>>()?;
    let (now_ms, most) = (app.clock.now_ms(), app.config.logs.keep_entries);
    let kept = app.store.keep_logs(caller.user, entries, now_ms, most).await;
    let kept = kept.map_err(Problem::internal)?;
    let stored = kept.len();
    for entry in kept {
        let what = What::Log(Box::new(entry));
        app.live.publish(Live::Platform(Told { sender: Some(caller.user), what }));
    }
    Ok(One(LogsKept { stored }))
}

/// Of the 10,000 that came last of all.
pub(crate) async fn view(
    State(api): State<Api>,
    Member(caller): Member,
    Query(view): Query<ViewQuery>,
    Query(filter): Query<LogFilter>,
) -> Answer<Many<LogEntry>> {
    let limit = limit_within("limit", view.limit, DEFAULT_LIMIT, MAX_LIMIT)?;
    let query = LogQuery { in_view: Some(IN_VIEW), ..filter.parse(&caller, limit)? };
    let total = api.app.store.count_logs(&query).await.map_err(Problem::internal)?;
    let entries = api.app.store.logs(&query).await.map_err(Problem::internal)?;
    let entries = entries.into_iter().map(LogEntry::from).collect();
    Ok(Many::whole(entries).fact("total", total))
}

/// All that is kept, page by page.
pub(crate) async fn walk(
    State(api): State<Api>,
    Member(caller): Member,
    place: Walk,
    Query(walk): Query<WalkQuery>,
    Query(filter): Query<LogFilter>,
    Asked(listing, ..): Asked<LogEntry>,
) -> Answer<Listed<LogEntry>> {
    let limit = limit([walk.limit, walk.per_page, walk.page_size])?;
    let before = place.place(&api, walk.cursor.as_deref(), |text| text.parse::<u64>().ok())?;
    let query = LogQuery { listing, before, ..filter.parse(&caller, limit + 1)? };
    let mut entries = api.app.store.logs(&query).await.map_err(Problem::internal)?;
    let more = entries.len() > limit as usize;
    entries.truncate(limit as usize);
    let next =
        entries.last().filter(|_| more).map(|kept| place.cursor(&api, &kept.seq.to_string()));
    let many = Many::cursor(entries.into_iter().map(LogEntry::from).collect(), limit, next);
    Ok(many.asked(query.listing))
}

pub(crate) async fn clear(
    State(api): State<Api>,
    Administrator(caller): Administrator,
    request_id: Option<RequestId>,
) -> Answer<One<LogsCleared>> {
    if !caller.grants.everywhere(Right::Administer) {
        let message = "logs are of all organizations; only a superuser of all can clear them";
        return Err(Problem::new(ErrorCode::Forbidden, message));
    }
    let at_ms = api.app.clock.now_ms();
    let cleared = api.app.store.clear_logs(|count| AuditEntry {
        at_ms,
        actor: caller.email,
        action: "logs.clear".into(),
        target: "logs".into(),
        decision: Decision::Allowed,
        details: json!({ "cleared_count": count }),
        request_id: request_id.map(|id| id.0),
        ..AuditEntry::default()
    });
    let cleared_count = cleared.await.map_err(Problem::internal)?;
    let what = What::LogsCleared { count: cleared_count };
    api.app.live.publish(Live::Platform(Told { sender: None, what }));
    Ok(One(LogsCleared { cleared_count }))
}
