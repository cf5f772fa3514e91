//! Sensors and the zones that they are in.

use crate::{ActuatorId, SensorId, ZoneId};
use core::time::Duration;
use flyball_units::Kind;

/// What is cooled and fed together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZoneSpec {
    /// How long failsafe may stand before it climbs a step (fans to full, then the smallest
    /// cap), unless an independent limit of the zone reads normal.
    pub grace: Duration,
    pub ladder: Ladder,
}

/// The steps above the caps that a zone has. What is `None` is passed over.
///
/// `quiesce` and `suspend` belong to limiting: they are taken while a limit stays passed, and
/// released like the caps. `shutdown` and `hard_off` belong to a trip and are latched with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ladder {
    /// Plugins pause and workloads are told.
    pub quiesce: Option<Rung>,
    /// The machine sleeps and wakes. Only where waking it has been proved.
    pub suspend: Option<Rung>,
    /// The machine stops in order, after the switches of the zone that shed.
    pub shutdown: Option<Rung>,
    /// Power is cut when the shutdown did not come about.
    pub hard_off: Option<HardOff>,
    /// A limit that stays passed for so long on the last step below a trip trips, though every
    /// actuator obeys. Without it only one that doesn't obey leads to a trip from there.
    pub exhausts_after: Option<Duration>,
}

/// A step that the host takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rung {
    /// Without a report that it stands for so long, it has failed and the ladder goes on.
    pub within: Duration,
}

/// Power is cut from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HardOff {
    /// The switch that feeds the machine.
    pub switch: ActuatorId,
    /// How long the machine has to stop by itself, from when the shutdown was asked for.
    pub after: Duration,
}

impl Ladder {
    /// Nothing above the caps: a trip holds fans full and caps minimal.
    pub const NONE: Self =
        Self { quiesce: None, suspend: None, shutdown: None, hard_off: None, exhausts_after: None };
}

/// One sensor: what it may read, how it moves, and when it is lost.
#[derive(Clone, Debug, PartialEq)]
pub struct SensorSpec {
    pub kind: Kind,
    pub zone: ZoneId,
    /// The physical band, in the kind's unit: a reading outside it is no reading.
    pub lowest: f64,
    pub highest: f64,
    /// The fastest that the quantity moves towards danger, per second: how an old value is
    /// projected.
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
