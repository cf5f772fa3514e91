//! What can be wrong with a plan, and where.

use super::MAX_ENTRIES;
use crate::{ActuatorId, GroupId, InterlockId, LimitId, SensorId, ZoneId};
use core::fmt;

/// A fault of a plan, with the place that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigFault {
    /// More entries in a list than an id can name.
    TooMany,
    /// An id that points past the end of its list.
    UnknownZone(Place),
    UnknownSensor(Place),
    UnknownLimit(Place),
    UnknownActuator(Place),
    UnknownGroup(Place),
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
    /// Two of two needs two sensors, two of three needs three.
    Vote(LimitId),
    /// Not finite, not above zero, or beyond the band of the group.
    Emergency(LimitId),
    /// The sensors' tolerance is not a finite number above zero.
    Apart(LimitId),
    /// Rating or budget is not a finite number above zero, or danger is below.
    Sustained(LimitId),
    /// The gate names another kind of actuator, or no duty.
    Gate(LimitId),
    /// A switch without verbs, with a span that is zero, or with more recoveries than are
    /// remembered.
    Switch(ActuatorId),
    /// None of a group may start, or within no time.
    Group(GroupId),
    /// No target, no condition, a number that is not finite, a negative hysteresis, or a
    /// condition on what is no switch.
    Interlock(InterlockId),
    /// A rung without time, or a hard off by what is no switch that can be forced off.
    Ladder(ZoneId),
    /// A span of `Timing` is zero, or no sample settles.
    Timing,
}

/// Where in a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Sensor(SensorId),
    Limit(LimitId),
    Actuator(ActuatorId),
    Interlock(InterlockId),
    Zone(ZoneId),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sensor(id) => write!(f, "sensor {}", id.index()),
            Self::Limit(id) => write!(f, "limit {}", id.index()),
            Self::Actuator(id) => write!(f, "actuator {}", id.index()),
            Self::Interlock(id) => write!(f, "interlock {}", id.index()),
            Self::Zone(id) => write!(f, "zone {}", id.index()),
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
            Self::UnknownLimit(place) => {
                write!(f, "{place} names a limit that is not in the plan")
            }
            Self::UnknownActuator(place) => {
                write!(f, "{place} names an actuator that is not in the plan")
            }
            Self::UnknownGroup(place) => {
                write!(f, "{place} names a group that is not in the plan")
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
            Self::Vote(id) => write!(
                f,
                "limit {}: two of two needs two sensors, two of three needs three",
                id.index()
            ),
            Self::Emergency(id) => {
                write!(f, "limit {}: the emergency needs a value in the band", id.index())
            }
            Self::Apart(id) => {
                write!(f, "limit {}: the sensors' tolerance needs a number above 0", id.index())
            }
            Self::Sustained(id) => write!(
                f,
                "limit {}: a sustained rating needs rating and budget above 0, and danger above",
                id.index()
            ),
            Self::Gate(id) => {
                write!(f, "limit {}: the gate needs a fan's duty or a switch", id.index())
            }
            Self::Switch(id) => write!(
                f,
                "actuator {}: a switch needs verbs, spans above 0 and at most 8 recoveries",
                id.index()
            ),
            Self::Group(id) => {
                write!(f, "group {}: at least one must be able to start in its time", id.index())
            }
            Self::Interlock(id) => write!(
                f,
                "interlock {}: it needs targets, conditions on finite numbers, and switches",
                id.index()
            ),
            Self::Ladder(id) => write!(
                f,
                "zone {}: rungs need time, and a hard off a switch that can be forced off",
                id.index()
            ),
            Self::Timing => write!(f, "timing needs spans above zero and at least one sample"),
        }
    }
}
