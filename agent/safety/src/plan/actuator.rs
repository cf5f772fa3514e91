//! Actuators, and the groups in which switches start.

use crate::{GroupId, Verbs, ZoneId};
use alloc::vec::Vec;
use core::time::Duration;

/// One actuator: what it is, which zones it serves, and how its read-back is judged.
#[derive(Clone, Debug, PartialEq)]
pub struct ActuatorSpec {
    pub hand: Hand,
    /// The zones that it cools or feeds. Their limits decide about it; a switch or a setting
    /// may serve none.
    pub zones: Vec<ZoneId>,
    /// How far a read-back may lie from what was asked and still agree: a quantum or two.
    pub tolerance: f64,
    /// How long a read-back may disagree before the actuator counts as stuck.
    pub verify_within: Duration,
}

/// What an actuator is.
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
    PowerCap {
        min: f64,
        safe: f64,
        max: f64,
    },
    /// In hertz, as a power cap; what limits of power say of watts does not bound it.
    FrequencyCap {
        min: f64,
        safe: f64,
        max: f64,
    },
    Switch(SwitchSpec),
    /// Something that the engine judges and does not drive.
    Setting,
}

/// The power of a machine or an outlet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SwitchSpec {
    pub verbs: Verbs,
    /// A state that was seen longer ago is unknown.
    pub fresh_for: Duration,
    /// How long a verb may take to be seen in the state; it is in flight until then.
    pub takes: Duration,
    /// So long after it was energised it is not energised again.
    pub restart_interval: Duration,
    /// The switches that it must not start together with.
    pub group: Option<GroupId>,
    /// How often it may be energised without a person, against a reboot loop.
    pub recoveries: Option<Recoveries>,
    /// What a trip of one of its zones does to it; nothing but forbid energising where `None`.
    pub shed: Option<Shed>,
}

/// At most `at_most` (8 or fewer) automatic power-ons within the time; then only a person's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recoveries {
    pub at_most: u8,
    pub within: Duration,
}

/// The place of a switch in the order in which a tripped zone goes down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shed {
    /// Lower ones first. The next follow when these are seen off or have had their time.
    pub order: u8,
    /// How long an orderly shutdown may take.
    pub within: Duration,
    /// Power is cut after that.
    pub force: bool,
}

/// Switches of which at most `at_most` may be energised within the time, for the sake of
/// inrush current.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupSpec {
    pub at_most: u8,
    pub within: Duration,
}
