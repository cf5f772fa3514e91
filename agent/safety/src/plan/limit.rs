//! Limits: what is watched, when it is passed, and who answers.

use crate::{ActuatorId, Sense, SensorId, Thresholds, ZoneId};
use alloc::vec::Vec;
use core::time::Duration;

/// Which hands answer when a limit is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    /// Heat: fans first, power caps when they were not enough, and what the zone's ladder has
    /// above them.
    Heat,
    /// Power: caps at once. The `limit` threshold also bounds every power cap of the zone.
    Power,
    /// It is told and latched, and nothing is driven or refused for it in any state: a stalled
    /// redundant fan, a disk nearly full.
    Alert,
    /// What keeps the machine running comes to its end (a UPS's time, a battery): `limit`
    /// quiesces, `trip` shuts down in order. A trip of an earlier run stands against nothing
    /// once the group reads well, because power is back then.
    Shutdown,
}

/// How many sensors of a group have to pass a threshold. A sensor whose last reading was not
/// good has no vote, and never one for *cool*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vote {
    /// Any one (1oo1, 1oo2, 1ooN): the worst counts.
    Any,
    /// Both of two (2oo2); with one of them bad, the other alone.
    TwoOfTwo,
    /// Two of three (2oo3), which is their median; with one bad, any of the other two; with two
    /// bad, the last alone.
    TwoOfThree,
}

/// When samples of a limit count at all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gate {
    /// While this fan was seen at `at_least` this duty, so that a fan that is told to rest is no
    /// stalled fan.
    Duty { actuator: ActuatorId, at_least: f64 },
    /// Unless this switch was seen off, so that what is off is no fault of what it feeds.
    On { actuator: ActuatorId },
}

/// A rating that may be passed for a while, as a breaker's: the square over `rated` is summed
/// over time, and at `budget` the limit counts as passed. It drains as it filled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sustained {
    /// In the sensors' unit.
    pub rated: f64,
    /// In that unit squared, times seconds.
    pub budget: f64,
}

/// One limit over one sensor or a redundant group.
#[derive(Clone, Debug, PartialEq)]
pub struct LimitSpec {
    pub zone: ZoneId,
    pub sensors: Vec<SensorId>,
    pub response: Response,
    /// Whether danger is above the thresholds or below them.
    pub sense: Sense,
    pub vote: Vote,
    /// Good sensors of the group that are further apart than this are told as disagreeing.
    pub tolerance: Option<f64>,
    /// What the hardware declares. Values that no sensor of the group can reach are absent.
    pub factory: Thresholds,
    pub local: Thresholds,
    /// Two good samples in a row at or beyond this value trip, whatever the dwell.
    pub emergency: Option<f64>,
    /// How far on the safe side of a threshold a reading must be before it counts as left.
    pub hysteresis: f64,
    pub dwell: Dwell,
    /// How long a threshold must stay passed before it counts; zero for at once.
    pub hold: Duration,
    /// Rate of rise: a reading that would pass `limit` within this time counts as over it.
    pub lead: Option<Duration>,
    pub sustained: Option<Sustained>,
    pub gate: Option<Gate>,
    /// The group may be absent without putting the zone in failsafe. A group that was over its
    /// warning when it vanished does so all the same.
    pub missing_ok: bool,
}

/// A threshold is passed when `needed` of the last `of` good samples of one sensor are over it,
/// and left when all of the last `of` are under it by the hysteresis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dwell {
    pub needed: u8,
    pub of: u8,
}
