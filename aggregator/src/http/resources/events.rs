//! Events: what guards did or saw, newest first, and on request the readings around each.

mod around;

use crate::access::{Caller, Right};
use crate::fleet::Subject;
use crate::http::Api;
use crate::http::auth::Reader;
use crate::http::cursor::Walk;
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::extract::{Path, Query};
use crate::http::listing::{Asked, Listable};
use crate::http::paging::limit;
use crate::http::reply::{Answer, Flat, Listed, Many, Resource};
use crate::http::resources::devices::{find, sight};
use crate::http::resources::readings::{SeriesReadings, read};
use crate::http::time::{parse, rfc3339};
use crate::listing::{Field, Form, Kind, List, Listing};
use crate::telemetry::event::{severity_from_name, severity_name};
use crate::telemetry::{Event as Recorded, EventId, EventQuery, Subjects};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Events of one answer that may carry their readings.
const MAX_WITH_READINGS: u32 = 20;
const DEFAULT_WINDOW_S: u64 = 60;
const MAX_WINDOW_S: u64 = 600;
const MAX_KINDS: usize = 32;
const MAX_KIND_BYTES: usize = 64;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Event {
    id: String,
    device_id: Uuid,
    at: String,
    /// Such as `limit.tripped`.
    kind: String,
    /// `info`, `warning` or `critical`.
    severity: &'static str,
    /// The limit, actuator or sensor by its name.
    subject: String,
    message: String,
    reading: Option<f64>,
    threshold: Option<f64>,
    unit: Option<&'static str>,
    /// Where they were asked for: raw samples around it, of the series that its subject names.
    readings: Option<Vec<SeriesReadings>>,
}

impl Resource for Event {
    const FLAT: Flat = Flat::named("event", "events");
}

impl Listable for Event {
    const LIST: List = List {
        fields: &[
            Field::new("at", Kind::Time),
            Field::new("device_id", Kind::Id),
            Field::new("kind", Kind::Text),
            Field::new("severity", Kind::OneOf(&["info", "warning", "critical"])),
            Field::new("subject", Kind::Text),
            Field::new("message", Kind::Text),
            Field::new("reading", Kind::Number),
            Field::new("threshold", Kind::Number),
            Field::new("unit", Kind::Text),
        ],
        form: Form::Cursor,
        includes: &[],
        labelled: false,
    };
    const OTHERS: &'static [&'static str] =
        &["device", "kind", "subject", "severity", "from", "to", "include", "window_seconds"];
}

impl From<Recorded> for Event {
    fn from(event: Recorded) -> Self {
        Self {
            id: event.id.0.to_string(),
            device_id: event.device.0,
            at: rfc3339(event.at_ms),
            kind: event.kind,
            severity: severity_name(event.severity),
            subject: event.subject,
            message: event.message,
            reading: event.reading,
            threshold: event.threshold,
            unit: event.unit.map(flyball_units::Unit::ucum),
            readings: None,
        }
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct DeviceFilter {
    /// A machine, its equipment's events among them, or equipment.
    device: Option<Uuid>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct EventFilter {
    /// Kinds, separated by commas; `limit.*` is every kind that begins so.
    kind: Option<String>,
    /// The limit, actuator or sensor by its name.
    subject: Option<String>,
    /// This severity and worse: `info`, `warning` or `critical`.
    severity: Option<String>,
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
    /// `readings`: those around each event; at most 20 events at once then.
    include: Option<String>,
    /// Seconds before and after an event; 60 where absent.
    #[param(minimum = 1, maximum = 600)]
    window_seconds: Option<u64>,
}

pub(crate) async fn list(
    State(api): State<Api>,
    Reader(caller): Reader,
    walk: Walk,
    Query(which): Query<DeviceFilter>,
    Query(filter): Query<EventFilter>,
    Asked(listing, ..): Asked<Event>,
) -> Answer<Listed<Event>> {
    match which.device {
        None => answer(&api, &caller, &walk, None, &filter, listing).await,
        // A filter that means no device finds nothing.
        Some(id) => match find(&api, &caller, Right::Read, id).await {
            Ok(subject) => answer(&api, &caller, &walk, Some(&subject), &filter, listing).await,
            Err(problem) if problem.code == ErrorCode::NotFound => {
                Ok(Many::cursor(Vec::new(), filter.parse()?.limit - 1, None).asked(listing))
            }
            Err(problem) => Err(problem),
        },
    }
}

pub(crate) async fn of_device(
    State(api): State<Api>,
    Reader(caller): Reader,
    walk: Walk,
    Path(id): Path<Uuid>,
    Query(filter): Query<EventFilter>,
    Asked(listing, ..): Asked<Event>,
) -> Answer<Listed<Event>> {
    let subject = find(&api, &caller, Right::Read, id).await?;
    answer(&api, &caller, &walk, Some(&subject), &filter, listing).await
}

async fn answer(
    api: &Api,
    caller: &Caller,
    walk: &Walk,
    of: Option<&Subject>,
    filter: &EventFilter,
    listing: Listing,
) -> Answer<Listed<Event>> {
    let window_ms = filter.window_ms()?;
    let mut query = filter.parse()?;
    query.listing = listing;
    query.before = walk.place(api, filter.cursor.as_deref(), place)?;
    if let Some(subject) = of {
        query.device = Some(subject.machine().id);
        if query.subjects.is_none() {
            query.subjects = around::subjects(api, subject);
        }
    } else {
        query.sight = sight(api, caller).await?;
    }
    let mut found = api.app.telemetry.events(&query).await.map_err(Problem::internal)?;
    let limit = query.limit - 1;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found
        .last()
        .filter(|_| more)
        .map(|last| walk.cursor(api, &format!("{}.{}", last.at_ms, last.id.0)));
    let mut items = Vec::with_capacity(found.len());
    for event in found {
        let readings = match window_ms {
            Some(window_ms) => Some(around::readings(api, &event, window_ms).await?),
            None => None,
        };
        items.push(Event { readings, ..Event::from(event) });
    }
    Ok(Many::cursor(items, limit, next).asked(query.listing))
}

impl EventFilter {
    /// One more than is asked for, to see whether there is a next page.
    fn parse(&self) -> Result<EventQuery, Problem> {
        let limit = limit([self.limit, self.per_page, self.page_size])?;
        let mut faults = Vec::new();
        let time = |text: &str| {
            parse(text).ok_or_else(|| "is an RFC 3339 time or Unix milliseconds".to_owned())
        };
        let from_ms = read(&mut faults, "from", self.from.as_ref(), time);
        let to_ms = read(&mut faults, "to", self.to.as_ref(), time);
        let severity = read(&mut faults, "severity", self.severity.as_ref(), |text| {
            severity_from_name(text).ok_or_else(|| "is info, warning or critical".to_owned())
        });
        if !faults.is_empty() {
            return Err(Problem::invalid(faults));
        }
        let kinds = self.kinds()?;
        let subjects =
            self.subject.clone().map(|name| Subjects { equipment: None, names: vec![name] });
        let limit = limit + 1;
        Ok(EventQuery {
            subjects,
            kinds,
            severity,
            from_ms,
            to_ms,
            before: None,
            limit,
            ..EventQuery::default()
        })
    }

    fn kinds(&self) -> Result<Vec<String>, Problem> {
        let Some(text) = &self.kind else { return Ok(Vec::new()) };
        let kinds: Vec<String> = text.split(',').map(|kind| kind.trim().to_owned()).collect();
        let wrong = |kind: &String| kind.is_empty() || kind.len() > MAX_KIND_BYTES;
        if kinds.len() > MAX_KINDS || kinds.iter().any(wrong) {
            let message = format!("is a list of at most {MAX_KINDS} kinds, separated by commas");
            return Err(Problem::invalid(vec![FieldError::query("kind", "out_of_range", message)]));
        }
        Ok(kinds)
    }

    /// How far around an event its readings go; `None` where none are asked for.
    fn window_ms(&self) -> Result<Option<u64>, Problem> {
        let mut faults = Vec::new();
        let included = match self.include.as_deref() {
            None => false,
            Some("readings") => true,
            Some(_) => {
                faults.push(FieldError::query("include", "invalid_value", "is `readings`"));
                false
            }
        };
        let window_s = self.window_seconds.unwrap_or(DEFAULT_WINDOW_S);
        if !(1..=MAX_WINDOW_S).contains(&window_s) {
            let message = format!("is 1 to {MAX_WINDOW_S}");
            faults.push(FieldError::query("window_seconds", "out_of_range", message));
        }
        if included && self.limit.is_some_and(|limit| limit > MAX_WITH_READINGS) {
            let message = format!("is at most {MAX_WITH_READINGS} with readings");
            faults.push(FieldError::query("limit", "out_of_range", message));
        }
        if faults.is_empty() {
            Ok(included.then_some(window_s * 1_000))
        } else {
            Err(Problem::invalid(faults))
        }
    }
}

fn place(text: &str) -> Option<(u64, EventId)> {
    let (at_ms, id) = text.split_once('.')?;
    Some((at_ms.parse().ok()?, EventId(id.parse().ok()?)))
}
