//! What the engine is told about the machine, and the check that makes a [`Config`] of it.
//!
//! A [`Plan`] is plain data that anyone may write; a [`Config`] can only come from
//! [`Config::check`], which reports every fault at once. Nothing is defaulted here: a number
//! that decides about hardware has been written down by somebody.

mod check;

use crate::{ActuatorId, LimitId, SensorId, Thresholds, ZoneId};
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use flyball_units::Kind;

/// Everything about one machine. Ids are positions in these lists.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub zones: Vec<ZoneSpec>,
    pub sensors: Vec<SensorSpec>,
    pub limits: Vec<LimitSpec>,
    pub actuators: Vec<ActuatorSpec>,
    pub timing: Timing,
    pub on_trip: OnTrip,
}

/// What is cooled and fed together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZoneSpec {
    /// How long failsafe may stand before it climbs a step (fans to full, then the smallest
    /// cap), unless an independent limit of the zone reads normal.
    pub grace: Duration,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SensorSpec {
    pub kind: Kind,
    pub zone: ZoneId,
    /// The physical band, in the kind's unit: a reading outside it is no reading.
    pub lowest: f64,
    pub highest: f64,
    /// The fastest that the quantity rises, per second: how an old value is projected.
    pub slew_per_s: f64,
    /// A change faster than this is believed only after two further samples agree with it.
    pub jump_per_s: Option<f64>,
    /// How often a reading is due.
    pub period: Duration,
    /// Without a good reading for this long the sensor is lost.
    pub stale_after: Duration,
    /// Its loss puts the zone in failsafe even while other sensors of a group still read.
    pub required: bool,
    pub stuck: Option<StuckSpec>,
}

/// When an unchanging value is a fault: bit-identical for `samples` while the companion's
/// smoothed value moved by `moved`. A constant alone proves nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StuckSpec {
    pub samples: u16,
    pub companion: SensorId,
    pub moved: f64,
}

/// Which hands answer when a limit is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    /// Heat: fans first, power caps when they were not enough.
    Heat,
    /// Power: caps at once. The `limit` threshold also bounds every cap of the zone.
    Power,
}

/// One limit over one sensor or a redundant group, of which the highest good reading counts.
#[derive(Clone, Debug, PartialEq)]
pub struct LimitSpec {
    pub zone: ZoneId,
    pub sensors: Vec<SensorId>,
    pub response: Response,
    /// What the hardware declares. Values that no sensor of the group can reach are absent.
    pub factory: Thresholds,
    pub local: Thresholds,
    /// How far under a threshold a reading must fall before it counts as under it.
    pub hysteresis: f64,
    pub dwell: Dwell,
    /// Rate of rise: a reading that would pass `limit` within this time counts as over it.
    pub lead: Option<Duration>,
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

#[derive(Clone, Debug, PartialEq)]
pub struct ActuatorSpec {
    pub hand: Hand,
    /// The zones that it cools or feeds.
    pub zones: Vec<ZoneId>,
    /// How far a read-back may lie from what was asked and still agree: a quantum or two.
    pub tolerance: f64,
    /// How long a read-back may disagree before the actuator counts as stuck.
    pub verify_within: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Hand {
    /// Duties are parts of a whole, `min` ≤ `failsafe` ≤ `full`.
    Fan {
        min: f64,
        failsafe: f64,
        full: f64,
        /// The hardware has a control of its own, to which the fan goes back when all is well.
        automatic: bool,
    },
    /// In watts, `min` ≤ `safe` ≤ `max`. `max` is what stands when nothing else is asked.
    PowerCap { min: f64, safe: f64, max: f64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// The pace of `handle_timeout`.
    pub cycle: Duration,
    /// So many good samples in a row make a sensor trusted, at the start and after a loss.
    pub settle_samples: u8,
    /// The time that a step of the ladder gets to work before the next is taken.
    pub step_time: Duration,
    /// How long a reading must be under its threshold for one step down.
    pub release_after: Duration,
    /// An actuator that agrees is written again this often, in case firmware forgot.
    pub assert_every: Duration,
}

/// What a trip asks for beyond full fans and minimal caps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnTrip {
    Hold,
    /// `Action::RequestShutdown` is asserted each cycle while a trip stands.
    RequestShutdown,
}

/// A plan that holds together. The only way to one is [`Config::check`].
#[derive(Clone, Debug, PartialEq)]
pub struct Config(Plan);

/// A fault of a plan, with the place that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigFault {
    /// More entries in a list than an id can name.
    TooMany,
    /// An id that points past the end of its list.
    UnknownZone(Place),
    UnknownSensor(Place),
    /// Not finite, or `lowest` not below `highest`.
    Band(SensorId),
    /// Slew or jump is not a finite number above zero.
    Slew(SensorId),
    /// `stale_after` is shorter than the period, or one of them is zero.
    Stale(SensorId),
    /// A sensor that watches itself, no samples, or a movement that is not above zero.
    Stuck(SensorId),
    /// Required, but no limit watches it.
    Unwatched(SensorId),
    NoSensors(LimitId),
    /// The group mixes kinds.
    MixedKinds(LimitId),
    /// Not finite, negative, or not ordered, or beyond the band of the group.
    Thresholds(LimitId),
    Hysteresis(LimitId),
    /// Not 1 ≤ `needed` ≤ `of` ≤ 32.
    Dwell(LimitId),
    /// A level is not finite, out of range, or out of order.
    Levels(ActuatorId),
    Tolerance(ActuatorId),
    NoZones(ActuatorId),
    /// A span of `Timing` is zero, or no sample settles.
    Timing,
}

/// Where in a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Sensor(SensorId),
    Limit(LimitId),
    Actuator(ActuatorId),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sensor(id) => write!(f, "sensor {}", id.index()),
            Self::Limit(id) => write!(f, "limit {}", id.index()),
            Self::Actuator(id) => write!(f, "actuator {}", id.index()),
        }
    }
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany => write!(f, "a list of the plan has more than {MAX_ENTRIES} entries"),
            Self::UnknownZone(place) => write!(f, "{place} names a zone that is not in the plan"),
            Self::UnknownSensor(place) => {
                write!(f, "{place} names a sensor that is not in the plan")
            }
            Self::Band(id) => {
                write!(f, "sensor {}: the band needs lowest < highest, both finite", id.index())
            }
            Self::Slew(id) => {
                write!(f, "sensor {}: slew and jump need a finite rate above zero", id.index())
            }
            Self::Stale(id) => {
                write!(f, "sensor {}: stale_after needs at least one period above 0", id.index())
            }
            Self::Stuck(id) => write!(
                f,
                "sensor {}: the stuck rule needs samples, another sensor and a movement above 0",
                id.index()
            ),
            Self::Unwatched(id) => {
                write!(f, "sensor {} is required, but no limit watches it", id.index())
            }
            Self::NoSensors(id) => write!(f, "limit {} watches no sensor", id.index()),
            Self::MixedKinds(id) => {
                write!(f, "limit {} watches sensors of different kinds", id.index())
            }
            Self::Thresholds(id) => write!(
                f,
                "limit {}: local thresholds need warning <= limit <= trip, above 0 and in the band",
                id.index()
            ),
            Self::Hysteresis(id) => {
                write!(f, "limit {}: hysteresis needs a finite number above zero", id.index())
            }
            Self::Dwell(id) => {
                write!(f, "limit {}: dwell needs 1 <= needed <= of <= 32", id.index())
            }
            Self::Levels(id) => {
                write!(f, "actuator {}: its levels are out of range or out of order", id.index())
            }
            Self::Tolerance(id) => {
                write!(f, "actuator {}: tolerance needs a finite number, 0 or more", id.index())
            }
            Self::NoZones(id) => write!(f, "actuator {} serves no zone", id.index()),
            Self::Timing => write!(f, "timing needs spans above zero and at least one sample"),
        }
    }
}

/// More sensors than this on one machine are a mistake of the caller.
const MAX_ENTRIES: usize = 1024;

impl Config {
    /// Checks `plan` as a whole.
    ///
    /// # Errors
    /// All faults that it has.
    pub fn check(plan: Plan) -> Result<Self, Vec<ConfigFault>> {
        let faults = check::faults(&plan);
        if faults.is_empty() { Ok(Self(plan)) } else { Err(faults) }
    }

    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.0
    }
}
