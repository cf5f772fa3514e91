//! Interlocks: conditions that stand between things, with what is read of each.

use super::devices::find;
use crate::access::Right;
use crate::http::Api;
use crate::http::auth::Reader;
use crate::http::extract::Path;
use crate::http::reply::{Answer, Flat, Many, Resource};
use crate::http::time::{rfc3339, rfc3339_option};
use axum::extract::State;
use flyball_protocol::guard::{ConditionSnapshot, InterlockSnapshot};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Interlock {
    name: String,
    /// The policy's sentence.
    reason: String,
    /// It forbids now: a condition does not hold, or nobody knows whether it does.
    active: bool,
    /// Since when it is as it is.
    since: String,
    clears_when: String,
    /// What it stands against, by actuator.
    targets: Vec<String>,
    conditions: Vec<Condition>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Condition {
    /// Such as `fan-tray-2/fan1 >= 500 {rpm}`.
    text: String,
    /// Null where it cannot be known, which forbids as well.
    holds: Option<bool>,
    reading: Option<f64>,
    unit: Option<&'static str>,
}

impl Resource for Interlock {
    const FLAT: Flat = Flat::named("interlock", "interlocks");
}

impl From<ConditionSnapshot> for Condition {
    fn from(condition: ConditionSnapshot) -> Self {
        let unit = condition.unit.map(flyball_units::Unit::ucum);
        Self { text: condition.text, holds: condition.holds, reading: condition.reading, unit }
    }
}

impl From<InterlockSnapshot> for Interlock {
    fn from(interlock: InterlockSnapshot) -> Self {
        Self {
            name: interlock.name,
            reason: interlock.reason,
            active: interlock.active,
            since: rfc3339(interlock.since_ms),
            clears_when: interlock.clears_when,
            targets: interlock.targets,
            conditions: interlock.conditions.into_iter().map(Condition::from).collect(),
        }
    }
}

pub(crate) async fn list(
    State(api): State<Api>,
    Reader(caller): Reader,
    Path(id): Path<Uuid>,
) -> Answer<Many<Interlock>> {
    let subject = find(&api, &caller, Right::Read, id).await?;
    let inventory = api.app.fleet.inventory(subject.machine().id);
    let interlocks = subject.share_of(inventory.board).interlocks;
    Ok(Many::whole(interlocks.into_iter().map(Interlock::from).collect())
        .fact("reported_at", rfc3339_option(inventory.at_ms))
        .fact("online", subject.is_online()))
}
