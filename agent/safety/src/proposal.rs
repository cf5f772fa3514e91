//! What may be proposed to the engine, and what it answers.

use crate::{ActuatorId, GroupId, InterlockId, LimitId, LockId, Moment, Origin, Step, Ticket};
use flyball_units::{Hertz, PowerState, Ratio, ResetType, Watts};

/// A wish of an operator, a schedule or a plugin. Never an order. What stands for an actuator
/// from a higher [`Origin`] is not replaced by a lower one; what a higher one asks for
/// supersedes it, and where that is withdrawn or over, the next that still stands takes effect.
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
    /// Hold the frequency under `hertz`, each ceiling of the target for itself.
    FrequencyCap {
        target: Target,
        hertz: Hertz,
    },
    ClearFrequencyCap {
        target: Target,
    },
    /// Ask `verb` of a switch.
    Switch {
        actuator: ActuatorId,
        verb: ResetType,
        /// What the issuer saw; where another state stands it is refused.
        expected: Option<PowerState>,
        /// Nobody is at hand: an automatic restart, which is counted and bounded.
        automatic: bool,
        /// Under which a destructive verb is armed, to be confirmed by
        /// [`Engine::handle_confirm`](crate::Engine::handle_confirm).
        ticket: Ticket,
    },
    /// Change something that the engine doesn't drive (a profile, a governor, a service). Where
    /// it is accepted, the caller does it.
    Setting {
        actuator: ActuatorId,
        /// It may make the machine warmer than it is.
        heats: bool,
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
    /// Taken. What stands already is accepted too, and nothing is sent.
    Accepted,
    /// Taken, but for now the level is `to`, because `by` needs it.
    Clamped {
        asked: f64,
        to: f64,
        by: ClampedBy,
    },
    /// Nothing stands against it, and work may be lost by it: it is carried out if it is
    /// confirmed before `until`, and if nothing stands against it then.
    Armed {
        until: Moment,
    },
    Refused(Refusal),
}

/// What made a level differ from what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClampedBy {
    Limit(LimitId),
    /// The actuator's own lowest level.
    Actuator(ActuatorId),
}

/// Why a proposal, a confirmation or a clearing was not taken.
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
    /// The switch takes no such verb.
    NoVerb,
    /// The switch stands where the verb makes no sense or the issuer did not expect it; `None`
    /// where it was never seen, can't be read, or was seen too long ago.
    State(Option<PowerState>),
    /// A lock stands against it. Who set it and why is kept by the caller under this id.
    Locked(LockId),
    /// An interlock stands against it: its conditions don't hold, or nobody can know.
    Interlock(InterlockId),
    /// It may be asked again at `until`.
    TooSoon { until: Moment, pacing: Pacing },
    /// The switch has been energised as often as may be without a person: only a person's
    /// proposal is taken now, and lifts this.
    LockedOut,
    /// An earlier verb has not reached its end; at `until` it is given up.
    InFlight { verb: ResetType, until: Moment },
    /// Nothing is armed under this ticket: it never was, was confirmed, or its time is over.
    NotArmed,
    /// As much is armed as the engine remembers.
    TooManyArmed,
    /// What a higher rank has asked for stands, of this actuator or of a limit's ladder; without
    /// an end until it is withdrawn.
    Outranked { by: Origin, until: Option<Moment>, actuator: Option<ActuatorId> },
    /// What it asks for would have been over before it began.
    Over,
    /// A self-test runs until then at the latest.
    Testing { until: Moment },
    /// No limit could be tried on any fan or cap.
    NothingToTest,
    /// This step is not put off by anybody.
    NotHeld(Step),
    /// Only a person may put a step off.
    NotAPerson,
    /// As long as holds may last in one episode they have lasted.
    HoldSpent,
}

/// What paces the energising of switches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pacing {
    /// The same switch was energised a moment ago.
    Restart,
    /// As many of this group have started as may within its time.
    Group(GroupId),
}

/// Why a limit stands against a proposal, and what has to happen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    pub limit: LimitId,
    /// The good reading of its group that counts, if there is one.
    pub reading: Option<f64>,
    /// The threshold that stands against it.
    pub threshold: Option<f64>,
    /// Since when the limit is in its state.
    pub since: Moment,
    pub clears_when: ClearsWhen,
}

/// What has to happen before a limit no longer stands against a proposal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ClearsWhen {
    /// It is asked again with no more than this many watts.
    AskedAtMost(f64),
    /// The reading has stayed under this value for the release time.
    ReadingBelow(f64),
    /// The reading has stayed over this value for the release time.
    ReadingAbove(f64),
    /// The trip is cleared by someone with the right.
    TripCleared,
    /// The sensors of the limit read again.
    SensorsRead,
}
