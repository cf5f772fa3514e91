//! Interlocks: conditions between things, such as *outlet 4 only while fan tray 2 turns*.

use crate::{ActuatorId, LimitId, SensorId};
use alloc::vec::Vec;
use flyball_units::PowerState;

/// What stands against its targets for as long as its conditions don't hold. A condition that
/// nobody can know does not hold.
#[derive(Clone, Debug, PartialEq)]
pub struct InterlockSpec {
    pub targets: Vec<ActuatorId>,
    pub against: Against,
    pub conditions: Vec<Condition>,
    pub needs: Needs,
    /// A target that is a switch is turned off when the conditions are known not to hold.
    /// Missing data alone never turns anything off.
    pub forces_off: bool,
}

/// Which proposals an interlock stands against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Against {
    /// What leads current in or adds heat: on, restarts, a higher cap, a slower fan.
    Energising,
    /// What takes power from something that runs: off, restarts, suspend.
    Interrupting,
    Both,
}

/// How many of the conditions have to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    All,
    Any,
}

/// One condition. A value that has failed it holds it again only beyond the hysteresis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Condition {
    /// The reading is `value` or more; it fails below, and holds again from
    /// `value + hysteresis`.
    AtLeast { sensor: SensorId, value: f64, hysteresis: f64 },
    /// The reading is `value` or less; it fails above, and holds again from
    /// `value - hysteresis`.
    AtMost { sensor: SensorId, value: f64, hysteresis: f64 },
    /// The switch was seen in this state, and not too long ago.
    Switch { actuator: ActuatorId, is: PowerState },
    /// The limit is normal, or in warning where that may be.
    Limit { limit: LimitId, warning_ok: bool },
}
