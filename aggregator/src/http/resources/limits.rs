//! A machine's limits, as its guard last reported them.

use super::devices::find;
use crate::http::Api;
use crate::http::auth::Reader;
use crate::http::extract::Path;
use crate::http::reply::{Answer, Flat, Many, Resource};
use crate::http::time::{rfc3339, rfc3339_option};
use axum::extract::State;
use flyball_protocol::guard::LimitSnapshot;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Limit {
    name: String,
    zone: String,
    reading_type: &'static str,
    unit: &'static str,
    warning: Option<f64>,
    limit: Option<f64>,
    trip: Option<f64>,
    hysteresis: f64,
    /// Whose value is in force: `factory`, `local` or `fleet`.
    layer: String,
    /// `unknown`, `normal`, `warning`, `limiting`, `tripped` or `failsafe`.
    state: &'static str,
    reading: Option<f64>,
    since: String,
    /// The sensors that it watches, by `hw.id`.
    sensors: Vec<String>,
}

impl Resource for Limit {
    const FLAT: Flat = Flat::named("limit", "limits");
}

impl From<LimitSnapshot> for Limit {
    fn from(limit: LimitSnapshot) -> Self {
        Self {
            name: limit.name,
            zone: limit.zone,
            reading_type: limit.kind.name(),
            unit: limit.unit.ucum(),
            warning: limit.warning,
            limit: limit.limit,
            trip: limit.trip,
            hysteresis: limit.hysteresis,
            layer: limit.layer,
            state: limit.state.name(),
            reading: limit.reading,
            since: rfc3339(limit.since_ms),
            sensors: limit.sensors,
        }
    }
}

pub(crate) async fn list(
    State(api): State<Api>,
    Reader(_): Reader,
    Path(id): Path<Uuid>,
) -> Answer<Many<Limit>> {
    let device = find(&api, id).await?;
    let inventory = api.app.fleet.inventory(device.id);
    let reported_at = rfc3339_option(inventory.at_ms);
    let items = inventory.board.limits.into_iter().map(Limit::from).collect();
    Ok(Many::whole(items).fact("reported_at", reported_at).fact("online", device.online))
}
