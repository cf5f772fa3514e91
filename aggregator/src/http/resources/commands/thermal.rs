//! Fans and what they hold: a floor for their speed, and the temperatures of the device.

use super::{Aim, Request, present, value};
use crate::access::Right;
use crate::http::Api;
use crate::http::auth::Reader;
use crate::http::error::Problem;
use crate::http::extract::Path;
use crate::http::reply::{Answer, Flat, One, Resource};
use crate::http::resources::devices::{Actuator, find};
use crate::http::resources::limits::Limit;
use crate::http::time::rfc3339_option;
use crate::operations::Action;
use crate::telemetry::Kind;
use axum::extract::State;
use flyball_protocol::guard::ActuatorKind;
use flyball_units::Ratio;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ThermalRequest {
    /// A duty of 0 to 1 that no fan turns below; null gives the fans back to the engine.
    #[serde(default, deserialize_with = "present")]
    #[schema(required = true, nullable = true, value_type = Option<f64>)]
    fan_floor: Option<Option<f64>>,
    /// All fans of the machine where absent.
    actuator: Option<String>,
    /// Seconds that the command stays good while the machine is away.
    ttl_seconds: Option<u64>,
}

impl Request for ThermalRequest {
    fn action(self, aim: &Aim) -> Result<Action, Problem> {
        let floor = value("fan_floor", self.fan_floor, 1.0)?;
        let actuator = aim.any(ActuatorKind::Fan, self.actuator)?;
        Ok(match floor {
            Some(floor) => Action::SetFanFloor { actuator, floor: Ratio(floor) },
            None => Action::ClearFanFloor { actuator },
        })
    }

    fn ttl_seconds(&self) -> Option<u64> {
        self.ttl_seconds
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ThermalStatus {
    fans: Vec<Actuator>,
    /// The limits that watch temperatures.
    temperatures: Vec<Limit>,
    /// When the machine said so.
    reported_at: Option<String>,
    online: bool,
}

impl Resource for ThermalStatus {
    const FLAT: Flat = Flat::named("thermal", "thermal");
}

pub(crate) async fn status(
    State(api): State<Api>,
    Reader(caller): Reader,
    Path(id): Path<Uuid>,
) -> Answer<One<ThermalStatus>> {
    let subject = find(&api, &caller, Right::Read, id).await?;
    let inventory = api.app.fleet.inventory(subject.machine().id);
    let board = subject.share_of(inventory.board);
    let fans = board.actuators.into_iter().filter(|drive| drive.kind == ActuatorKind::Fan);
    let temperatures = board.limits.into_iter().filter(|limit| limit.kind == Kind::Temperature);
    Ok(One(ThermalStatus {
        fans: fans.map(Actuator::from).collect(),
        temperatures: temperatures.map(Limit::from).collect(),
        reported_at: rfc3339_option(inventory.at_ms),
        online: subject.is_online(),
    }))
}
