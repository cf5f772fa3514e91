//! A device's limits, as its guard last reported them: the three layers, what is in force, and
//! whose value that is.

use super::commands::self_test::state;
use super::devices::find;
use crate::access::Right;
use crate::http::Api;
use crate::http::auth::Reader;
use crate::http::extract::Path;
use crate::http::reply::{Answer, Flat, Many, Resource};
use crate::http::time::{rfc3339, rfc3339_option};
use axum::extract::State;
use flyball_protocol::guard::{HoldSnapshot, LayerThresholds, LimitSnapshot};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Limit {
    name: String,
    zone: String,
    reading_type: &'static str,
    unit: &'static str,
    /// The values in force: of each the tightest layer's.
    warning: Option<f64>,
    limit: Option<f64>,
    trip: Option<f64>,
    hysteresis: f64,
    /// Whose values are in force: `factory`, `local` or `fleet`.
    layer: String,
    /// Of each value in force, whose it is.
    layers_in_force: LayersInForce,
    /// What the hardware itself declares.
    factory: Thresholds,
    /// What the file on the machine says.
    local: Thresholds,
    /// What the fleet asks for.
    fleet: Thresholds,
    /// What is dangerous: readings `above` the thresholds, or `below` them.
    direction: &'static str,
    /// `unknown`, `normal`, `warning`, `limiting`, `tripped` or `failsafe`.
    state: &'static str,
    /// The step of the ladder that stands, in the engine's word.
    step: Option<String>,
    reading: Option<f64>,
    since: String,
    /// The sensors that it watches, by `hw.id`.
    sensors: Vec<String>,
    /// A person's hold on its ladder.
    hold: Option<Hold>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Hold {
    /// `remote` or `local`: whose it is.
    origin: &'static str,
    issuer: String,
    reason: String,
    /// The lowest step that it puts off.
    from: String,
    until: String,
    /// The step that it puts off now.
    puts_off: Option<String>,
}

impl From<HoldSnapshot> for Hold {
    fn from(hold: HoldSnapshot) -> Self {
        let HoldSnapshot { origin, issuer, reason, from, until_ms, puts_off } = hold;
        Self { origin: origin.name(), issuer, reason, from, until: rfc3339(until_ms), puts_off }
    }
}

/// Null where a layer says nothing.
#[derive(Debug, Serialize, ToSchema)]
struct Thresholds {
    warning: Option<f64>,
    limit: Option<f64>,
    trip: Option<f64>,
}

#[derive(Debug, Serialize, ToSchema)]
struct LayersInForce {
    warning: Option<String>,
    limit: Option<String>,
    trip: Option<String>,
}

impl Resource for Limit {
    const FLAT: Flat = Flat::named("limit", "limits");
}

impl From<LayerThresholds> for Thresholds {
    fn from(layer: LayerThresholds) -> Self {
        Self { warning: layer.warning, limit: layer.limit, trip: layer.trip }
    }
}

/// The layer that says exactly the value in force; the guard's word where that is not to be seen.
fn whose(
    limit: &LimitSnapshot,
    in_force: Option<f64>,
    of: impl Fn(&LayerThresholds) -> Option<f64>,
) -> Option<String> {
    let value = in_force?;
    let layers = [("factory", &limit.factory), ("local", &limit.local), ("fleet", &limit.fleet)];
    let found = layers.into_iter().find(|(_, layer)| of(layer) == Some(value));
    Some(found.map_or_else(|| limit.layer.clone(), |(name, _)| name.to_owned()))
}

impl From<LimitSnapshot> for Limit {
    fn from(limit: LimitSnapshot) -> Self {
        Self {
            layers_in_force: LayersInForce {
                warning: whose(&limit, limit.warning, |layer| layer.warning),
                limit: whose(&limit, limit.limit, |layer| layer.limit),
                trip: whose(&limit, limit.trip, |layer| layer.trip),
            },
            name: limit.name,
            zone: limit.zone,
            reading_type: limit.kind.name(),
            unit: limit.unit.ucum(),
            warning: limit.warning,
            limit: limit.limit,
            trip: limit.trip,
            hysteresis: limit.hysteresis,
            layer: limit.layer,
            factory: limit.factory.into(),
            local: limit.local.into(),
            fleet: limit.fleet.into(),
            direction: if limit.below { "below" } else { "above" },
            state: limit.state.name(),
            step: limit.step,
            reading: limit.reading,
            since: rfc3339(limit.since_ms),
            sensors: limit.sensors,
            hold: limit.hold.map(Hold::from),
        }
    }
}

pub(crate) async fn list(
    State(api): State<Api>,
    Reader(caller): Reader,
    Path(id): Path<Uuid>,
) -> Answer<Many<Limit>> {
    let subject = find(&api, &caller, Right::Read, id).await?;
    let inventory = api.app.fleet.inventory(subject.machine().id);
    let (dry_run, tested) = (inventory.board.dry_run, state(&inventory.board.self_test));
    let limits = subject.share_of(inventory.board).limits.into_iter().map(Limit::from);
    Ok(Many::whole(limits.collect())
        .fact("dry_run", dry_run)
        .fact("self_test", tested)
        .fact("reported_at", rfc3339_option(inventory.at_ms))
        .fact("online", subject.is_online()))
}
