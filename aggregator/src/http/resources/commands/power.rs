//! The power of a device: where its switches stand, what may be asked of them, and its caps.

use super::{Aim, Request, missing, present, value};
use crate::access::Right;
use crate::fleet::equipment::belongs_to;
use crate::http::Api;
use crate::http::auth::Reader;
use crate::http::error::{FieldError, Problem};
use crate::http::extract::Path;
use crate::http::reply::{Answer, Flat, One, Resource};
use crate::http::resources::devices::{Actuator, find};
use crate::http::time::rfc3339_option;
use crate::operations::Action;
use axum::extract::State;
use flyball_protocol::command::{PowerState, ResetType};
use flyball_protocol::guard::{Actuator as Drive, ActuatorKind, LockSnapshot};
use flyball_units::Watts;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A cap that no machine has is a slip of the keyboard.
const MAX_WATTS: f64 = 1_000_000.0;

/// Either `cap_watts`, or `reset_type`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PowerRequest {
    /// Watts to hold the power under; null gives the cap back to the engine.
    #[serde(default, deserialize_with = "present")]
    #[schema(required = false, nullable = true, value_type = Option<f64>)]
    cap_watts: Option<Option<f64>>,
    /// Of a cap: all caps of the machine where absent.
    actuator: Option<String>,
    /// `On`, `ForceOff`, `GracefulShutdown`, `GracefulRestart`, `ForceRestart`, `PowerCycle`,
    /// `Nmi` or `Suspend`. What may lose work is armed first: its operation is `armed`, and says
    /// in `confirmation` what is meant and how it is confirmed.
    reset_type: Option<String>,
    /// Of a reset: the switch, by its name; the device's own where absent.
    switch: Option<String>,
    /// Of a reset: `On`, `Off`, `PoweringOn`, `PoweringOff` or `Paused`, as the caller saw it.
    /// Another state refuses it.
    expected_state: Option<String>,
    /// Why the machine that this aggregator runs on shall be taken down all the same.
    justification: Option<String>,
    /// Seconds that the command stays good while the machine is away.
    ttl_seconds: Option<u64>,
}

impl Request for PowerRequest {
    fn action(self, aim: &Aim) -> Result<Action, Problem> {
        match (self.reset_type, self.cap_watts) {
            (Some(reset), None) => {
                let mut faults = Vec::new();
                let verb = ResetType::from_name(&reset);
                if verb.is_none() {
                    let words = ResetType::ALL.map(ResetType::name).join(", ");
                    faults.push(fault("reset_type", format!("is one of {words}")));
                }
                let expected = self.expected_state.as_deref().map(PowerState::from_name);
                if expected == Some(None) {
                    let words = "On, Off, PoweringOn, PoweringOff, Paused";
                    faults.push(fault("expected_state", format!("is one of {words}")));
                }
                if self.actuator.is_some() {
                    faults.push(fault("actuator", "belongs to a cap; a reset has `switch`".into()));
                }
                let (Some(reset), true) = (verb, faults.is_empty()) else {
                    return Err(Problem::invalid(faults));
                };
                let switch = aim.one(ActuatorKind::Switch, "switch", self.switch)?;
                Ok(Action::Reset { switch, reset, expected: expected.flatten() })
            }
            (None, Some(cap)) => {
                if self.switch.is_some() || self.expected_state.is_some() {
                    let message = "belongs to reset_type, which is not there";
                    return Err(Problem::invalid(vec![fault("switch", message.into())]));
                }
                let actuator = aim.any(ActuatorKind::PowerCap, self.actuator)?;
                Ok(match value("cap_watts", Some(cap), MAX_WATTS)? {
                    Some(watts) => Action::SetPowerCap { actuator, watts: Watts(watts) },
                    None => Action::ClearPowerCap { actuator },
                })
            }
            (Some(_), Some(_)) => {
                let message = "stands beside reset_type; ask for one of them at a time";
                Err(Problem::invalid(vec![fault("cap_watts", message.into())]))
            }
            (None, None) => {
                Err(missing("cap_watts", "or reset_type is required; a cap of null clears it"))
            }
        }
    }

    fn ttl_seconds(&self) -> Option<u64> {
        self.ttl_seconds
    }

    fn justification(&self) -> Option<String> {
        self.justification.clone()
    }
}

fn fault(field: &str, message: String) -> FieldError {
    FieldError::body(field, "invalid_value", message)
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PowerStatus {
    /// Where the device's only or own switch stands; null where that is not known.
    state: Option<&'static str>,
    switches: Vec<Switch>,
    caps: Vec<Actuator>,
    /// When the machine said so.
    reported_at: Option<String>,
    online: bool,
}

impl Resource for PowerStatus {
    const FLAT: Flat = Flat::named("power", "power");
}

#[derive(Debug, Serialize, ToSchema)]
struct Switch {
    id: String,
    /// `On`, `Off`, `PoweringOn`, `PoweringOff` or `Paused`; null where it is not known.
    state: Option<&'static str>,
    verbs: Vec<Verb>,
    /// It did not do within its time what it was asked for last.
    stuck: bool,
    /// The locks that stand against energising it, by their names.
    locks: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Verb {
    reset_type: &'static str,
    /// Locks, trips and interlocks stand against it.
    energises: bool,
    /// It is armed first, and has to be confirmed.
    destructive: bool,
}

pub(crate) async fn status(
    State(api): State<Api>,
    Reader(caller): Reader,
    Path(id): Path<Uuid>,
) -> Answer<One<PowerStatus>> {
    let subject = find(&api, &caller, Right::Read, id).await?;
    let inventory = api.app.fleet.inventory(subject.machine().id);
    let board = subject.share_of(inventory.board);
    let (mut switches, mut caps) = (Vec::new(), Vec::new());
    for drive in board.actuators {
        match drive.kind {
            ActuatorKind::Switch => switches.push(switch(drive, &board.locks)),
            ActuatorKind::PowerCap => caps.push(Actuator::from(drive)),
            ActuatorKind::Fan
            | ActuatorKind::FrequencyCap
            | ActuatorKind::Profile
            | ActuatorKind::Indicator
            | ActuatorKind::Service => {}
        }
    }
    let own = match switches.as_slice() {
        [only] => Some(only),
        several => several.iter().find(|switch| switch.id == "host/power"),
    };
    let state = own.and_then(|switch| switch.state);
    let reported_at = rfc3339_option(inventory.at_ms);
    Ok(One(PowerStatus { state, switches, caps, reported_at, online: subject.is_online() }))
}

fn switch(drive: Drive, locks: &[LockSnapshot]) -> Switch {
    let against = |held: &&LockSnapshot| {
        held.lock.target.as_deref().is_none_or(|target| belongs_to(&drive.id, target))
    };
    Switch {
        locks: locks.iter().filter(against).map(|held| held.lock.name.clone()).collect(),
        state: drive.state.map(PowerState::name),
        verbs: drive.verbs.into_iter().map(verb).collect(),
        stuck: drive.stuck,
        id: drive.id,
    }
}

fn verb(reset: ResetType) -> Verb {
    Verb {
        reset_type: reset.name(),
        energises: reset.energises(),
        destructive: reset.is_destructive(),
    }
}
