//! What an operator may ask of one machine.

use flyball_units::{Ratio, Watts};
use serde::{Deserialize, Serialize};

/// One action. Stored by number on the wire and signed: new actions go at the end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Action {
    /// Hold the power of `actuator` (all caps of the machine where `None`) under `watts`.
    SetPowerCap {
        actuator: Option<String>,
        watts: Watts,
    },
    /// Give the cap back to the engine's own level.
    ClearPowerCap {
        actuator: Option<String>,
    },
    /// Let no fan of `actuator` (all where `None`) turn below `floor`, a duty of 0 to 1.
    SetFanFloor {
        actuator: Option<String>,
        floor: Ratio,
    },
    ClearFanFloor {
        actuator: Option<String>,
    },
    /// Clear a latched trip by the limit's name. Refused while its condition holds.
    ClearTrip {
        limit: String,
        reason: String,
    },
}

impl Action {
    /// The operation's `kind` in the API.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::SetPowerCap { .. } => "power.cap.set",
            Self::ClearPowerCap { .. } => "power.cap.clear",
            Self::SetFanFloor { .. } => "thermal.fan_floor.set",
            Self::ClearFanFloor { .. } => "thermal.fan_floor.clear",
            Self::ClearTrip { .. } => "trip.clear",
        }
    }
}
