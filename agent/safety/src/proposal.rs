//! What may be proposed to the engine, and what it answers.

use crate::{ActuatorId, LimitId, Moment};
use flyball_units::{Ratio, Watts};

/// A wish of an operator, a schedule or a plugin. Never an order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Proposal {
    /// Hold the power under `watts`, each cap of the target for itself.
    PowerCap {
        target: Target,
        watts: Watts,
    },
    ClearPowerCap {
        target: Target,
    },
    /// Let no fan of the target turn below `floor`.
    FanFloor {
        target: Target,
        floor: Ratio,
    },
    ClearFanFloor {
        target: Target,
    },
}

/// One actuator, or all of the proposal's kind: then all take it or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    One(ActuatorId),
    All,
}

/// The engine's answer. What is refused changes nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    Accepted,
    /// Taken, but for now the level is `to`, because `by` needs it.
    Clamped {
        asked: f64,
        to: f64,
        by: ClampedBy,
    },
    Refused(Refusal),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClampedBy {
    Limit(LimitId),
    /// The actuator's own lowest level.
    Actuator(ActuatorId),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Refusal {
    /// A limit stands against it.
    Limit(Standing),
    /// No number of this actuator's range.
    Range { min: f64, max: f64 },
    /// There is no such actuator, or it is of another kind.
    NoActuator,
    /// There is no such limit.
    NoLimit,
    /// The limit that was to be cleared has not tripped.
    NotTripped,
}

/// Why a limit stands against a proposal, and what has to happen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    pub limit: LimitId,
    /// The highest good reading of its group, if there is one.
    pub reading: Option<f64>,
    /// The threshold that stands against it.
    pub threshold: Option<f64>,
    /// Since when the limit is in its state.
    pub since: Moment,
    pub clears_when: ClearsWhen,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ClearsWhen {
    /// It is asked again with no more than this many watts.
    AskedAtMost(f64),
    /// The reading has stayed under this value for the release time.
    ReadingBelow(f64),
    /// The trip is cleared by someone with the right.
    TripCleared,
    /// The sensors of the limit read again.
    SensorsRead,
}
