//! What an operator may ask of one machine.

use crate::{Lock, OperationId, PowerState, ResetType};
use flyball_units::{Hertz, Ratio, Watts};
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
    /// Switch what `switch` feeds: a machine behind its BMC, an outlet, or the machine itself.
    /// `expected` is what the issuer saw; another state refuses it.
    Reset {
        switch: String,
        reset: ResetType,
        expected: Option<PowerState>,
    },
    /// Carry out what `operation` has armed.
    Confirm {
        operation: OperationId,
    },
    SetLock(Lock),
    /// `justification` is what lets somebody else than the owner lift it.
    ReleaseLock {
        lock: String,
        owner: String,
        justification: Option<String>,
    },
    /// The fleet layer of the machine's limits, as a whole: limits that are not named lose theirs.
    SetFleetLimits {
        limits: Vec<FleetLimit>,
    },
    /// The identify light.
    SetIndicator {
        switch: String,
        lit: bool,
    },
    /// Hold the frequency of `actuator` (all ceilings of the machine where `None`) under `hertz`.
    SetFrequencyCap {
        actuator: Option<String>,
        hertz: Hertz,
    },
    ClearFrequencyCap {
        actuator: Option<String>,
    },
    /// One of the words that the actuator offers: a governor, a platform profile.
    SetProfile {
        actuator: String,
        profile: String,
    },
    /// A service of the guard's allow-list.
    SetService {
        service: String,
        verb: ServiceVerb,
    },
    /// From where the machine behind `switch` starts the next time, once.
    SetBootOnce {
        switch: String,
        source: String,
    },
    /// Put off the steps of a limit's ladder from `from` up to quiet; the machine bounds it. How
    /// long is the command's own end.
    HoldLadder {
        limit: String,
        from: HeldStep,
        reason: String,
    },
    ReleaseLadder {
        limit: String,
    },
    /// Try every fan and cap that a limit can drive, by readings that are simulated.
    SelfTest,
}

/// The lowest step that a hold puts off. What is above quiet is never put off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum HeldStep {
    FansRaised,
    FansFull,
    CapSafe,
    CapMin,
    Quiesce,
}

impl HeldStep {
    pub const ALL: [Self; 5] =
        [Self::FansRaised, Self::FansFull, Self::CapSafe, Self::CapMin, Self::Quiesce];

    /// The word of the API, which is the engine's word for the step.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FansRaised => "FansRaised",
            Self::FansFull => "FansFull",
            Self::CapSafe => "CapSafe",
            Self::CapMin => "CapMin",
            Self::Quiesce => "Quiesce",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.name() == name)
    }
}

/// What the fleet asks of one limit, in the unit of its sensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FleetLimit {
    pub limit: String,
    pub warning: Option<f64>,
    pub limit_at: Option<f64>,
    pub trip: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ServiceVerb {
    Pause,
    Resume,
    Stop,
    Start,
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
            Self::Reset { .. } => "power.reset",
            Self::Confirm { .. } => "operation.confirm",
            Self::SetLock(_) => "lock.set",
            Self::ReleaseLock { .. } => "lock.release",
            Self::SetFleetLimits { .. } => "limits.fleet.set",
            Self::SetIndicator { .. } => "indicator.set",
            Self::SetFrequencyCap { .. } => "frequency.cap.set",
            Self::ClearFrequencyCap { .. } => "frequency.cap.clear",
            Self::SetProfile { .. } => "profile.set",
            Self::SetService { .. } => "service.set",
            Self::SetBootOnce { .. } => "boot.once.set",
            Self::HoldLadder { .. } => "ladder.hold",
            Self::ReleaseLadder { .. } => "ladder.release",
            Self::SelfTest => "self_test.run",
        }
    }
}
