//! Events: what guards did or saw, newest first.

use crate::fleet::DeviceId;
use crate::http::Api;
use crate::http::auth::Reader;
use crate::http::error::{ErrorCode, Problem};
use crate::http::extract::Query;
use crate::http::paging::limit;
use crate::http::reply::{Answer, Flat, Many, Resource};
use crate::http::resources::readings::read;
use crate::http::time::{parse, rfc3339};
use crate::telemetry::event::{severity_from_name, severity_name};
use crate::telemetry::{Event as Recorded, EventId, EventQuery};
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

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
}

impl Resource for Event {
    const FLAT: Flat = Flat::named("event", "events");
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
        }
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct EventFilter {
    device: Option<Uuid>,
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
}

pub(crate) async fn list(
    State(api): State<Api>,
    Reader(_): Reader,
    Query(filter): Query<EventFilter>,
) -> Answer<Many<Event>> {
    let query = filter.parse()?;
    let mut found = api.app.telemetry.events(&query).await.map_err(Problem::internal)?;
    let limit = query.limit - 1;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| more).map(|last| cursor(last.at_ms, last.id));
    Ok(Many::cursor(found.into_iter().map(Event::from).collect(), limit, next))
}

impl EventFilter {
    /// One more than is asked for, to see whether there is a next page.
    fn parse(&self) -> Result<EventQuery, Problem> {
        let limit = limit(self.limit)?;
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
        let before = self.cursor.as_deref().map(from_cursor).transpose()?;
        let device = self.device.map(DeviceId);
        Ok(EventQuery { device, severity, from_ms, to_ms, before, limit: limit + 1 })
    }
}

fn cursor(at_ms: u64, id: EventId) -> String {
    URL_SAFE_NO_PAD.encode(format!("{at_ms}.{}", id.0))
}

fn from_cursor(text: &str) -> Result<(u64, EventId), Problem> {
    let invalid = || Problem::new(ErrorCode::InvalidCursor, "the cursor is none of this server's");
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
    let text = String::from_utf8(bytes).map_err(|_| invalid())?;
    let (at_ms, id) = text.split_once('.').ok_or_else(invalid)?;
    Ok((at_ms.parse().map_err(|_| invalid())?, EventId(id.parse().map_err(|_| invalid())?)))
}
