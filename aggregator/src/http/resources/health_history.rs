//! When a machine's agent was connected, and how much of the time.

use super::devices::find;
use super::readings::read;
use crate::access::Right;
use crate::fleet::Subject;
use crate::fleet::presence::{Period as Span, periods};
use crate::http::Api;
use crate::http::auth::Reader;
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::extract::{Path, Query};
use crate::http::reply::{Answer, Flat, One, Resource};
use crate::http::time::{parse, rfc3339};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
const MAX_DAYS: u64 = 366;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HealthHistory {
    device_id: Uuid,
    from: String,
    to: String,
    /// The share of the time that is known in which it was online; null where none is known.
    availability: Option<f64>,
    online_seconds: f64,
    offline_seconds: f64,
    /// By time; what none of them covers is not known.
    periods: Vec<HealthPeriod>,
}

#[derive(Debug, Serialize, ToSchema)]
struct HealthPeriod {
    /// `online` or `offline`.
    state: &'static str,
    from: String,
    to: String,
    seconds: f64,
}

impl Resource for HealthHistory {
    const FLAT: Flat = Flat::named("health_history", "health_histories");
}

impl From<Span> for HealthPeriod {
    fn from(span: Span) -> Self {
        Self {
            state: if span.online { "online" } else { "offline" },
            from: rfc3339(span.from_ms),
            to: rfc3339(span.to_ms),
            seconds: seconds(&span),
        }
    }
}

fn seconds(span: &Span) -> f64 {
    (span.to_ms - span.from_ms) as f64 / 1_000.0
}

#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct HealthRange {
    /// RFC 3339 or Unix milliseconds; seven days before `to` where absent.
    from: Option<String>,
    /// RFC 3339 or Unix milliseconds; now where absent.
    to: Option<String>,
}

pub(crate) async fn of_device(
    State(api): State<Api>,
    Reader(caller): Reader,
    Path(id): Path<Uuid>,
    Query(asked): Query<HealthRange>,
) -> Answer<One<HealthHistory>> {
    let device = match find(&api, &caller, Right::Read, id).await? {
        Subject::Machine(device) => device.id,
        Subject::Equipment { .. } => {
            let message = "equipment has no agent; ask for its gateway, or for its events";
            return Err(Problem::new(ErrorCode::StateConflict, message));
        }
    };
    let mut faults = Vec::new();
    let time =
        |text: &str| parse(text).ok_or_else(|| "is an RFC 3339 time or Unix milliseconds".into());
    let from_ms = read(&mut faults, "from", asked.from.as_ref(), time);
    let to_ms = read(&mut faults, "to", asked.to.as_ref(), time);
    let now_ms = api.app.clock.now_ms();
    let to_ms = to_ms.unwrap_or(now_ms).min(now_ms);
    let from_ms = from_ms.unwrap_or_else(|| to_ms.saturating_sub(7 * DAY_MS));
    if faults.is_empty() && (from_ms >= to_ms || to_ms - from_ms > MAX_DAYS * DAY_MS) {
        let message = format!("is before `to` and before now, by at most {MAX_DAYS} days");
        faults.push(FieldError::query("from", "out_of_range", message));
    }
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    let changes = api.app.store.presence(device, from_ms, to_ms).await;
    let spans = periods(&changes.map_err(Problem::internal)?, from_ms, to_ms);
    let sum = |online| spans.iter().filter(|it| it.online == online).map(seconds).sum::<f64>();
    let (online_seconds, offline_seconds) = (sum(true), sum(false));
    let known = online_seconds + offline_seconds;
    Ok(One(HealthHistory {
        device_id: id,
        from: rfc3339(from_ms),
        to: rfc3339(to_ms),
        availability: (known > 0.0).then(|| online_seconds / known),
        online_seconds,
        offline_seconds,
        periods: spans.into_iter().map(HealthPeriod::from).collect(),
    }))
}
