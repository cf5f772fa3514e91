//! The messages of both directions. Variants are numbered: new ones go at the end.

use crate::{ActuatorState, Configuration, Deed, DeedError, Described, Fault};
use flyball_guard_messages::Severity;
use flyball_units::NoData;
use serde::{Deserialize, Serialize};

/// The version of this conversation. Both programs come in one package, so one is enough.
pub const VERSION: u8 = 1;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ToDriver {
    /// The first message, and only that.
    Configure { version: u8, configuration: Box<Configuration> },
    /// Answered by one `Done` with the same `request`, not after `deadline_ms` from now. The
    /// actuator goes by its name: an index could be one of an older description.
    Act { request: u64, actuator: String, deed: Deed, deadline_ms: u32 },
    /// End. The end of the stream means the same.
    Stop,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FromDriver {
    /// The first message: who speaks. `version` is the driver's.
    Hello {
        version: u8,
    },
    Described(Box<Described>),
    /// One round of readings. It is also the driver's sign of life.
    Round(Round),
    Done {
        request: u64,
        outcome: Result<ActuatorState, DeedError>,
    },
    /// The equipment can't be read now; it is tried again in `retry_ms`.
    Fault {
        fault: Fault,
        retry_ms: u32,
    },
}

/// What one look at the equipment gave.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Round {
    pub readings: Vec<Reading>,
    /// Where actuators stand, by index.
    pub states: Vec<(u16, ActuatorState)>,
    /// What the equipment's own log says that it had not said before.
    pub notices: Vec<Notice>,
    /// How long the look took.
    pub took_ms: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Index into the description's sensors.
    pub sensor: u16,
    pub value: Result<f64, NoData>,
}

/// One entry of the equipment's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub severity: Severity,
    /// The sensor or part that it is about, as the equipment calls it.
    pub subject: String,
    pub message: String,
}
