//! What the engine is told about the machine, and the check that makes a [`Config`] of it.
//!
//! A [`Plan`] is plain data that anyone may write; a [`Config`] can only come from
//! [`Config::check`], which reports every fault at once. Nothing is defaulted here: a number
//! that decides about hardware has been written down by somebody.

mod actuator;
mod check;
mod fault;
mod interlock;
mod limit;
mod sensor;

pub use actuator::{ActuatorSpec, GroupSpec, Hand, Recoveries, Shed, SwitchSpec};
use alloc::vec::Vec;
use core::time::Duration;
pub use fault::{ConfigFault, Place};
pub use interlock::{Against, Condition, InterlockSpec, Needs};
pub use limit::{Dwell, Gate, LimitSpec, Response, Sustained, Vote};
pub use sensor::{HardOff, Ladder, Rung, SensorSpec, StuckSpec, ZoneSpec};

/// More sensors than this on one machine are a mistake of the caller.
const MAX_ENTRIES: usize = 1024;

/// Everything about one machine. Ids are positions in these lists.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub zones: Vec<ZoneSpec>,
    pub sensors: Vec<SensorSpec>,
    pub limits: Vec<LimitSpec>,
    pub actuators: Vec<ActuatorSpec>,
    /// The groups in which switches start.
    pub groups: Vec<GroupSpec>,
    pub interlocks: Vec<InterlockSpec>,
    pub timing: Timing,
    /// A number of this machine's own, from which its release times are drawn: the same seed
    /// draws the same times.
    pub seed: u64,
}

/// The paces of the whole machine.
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
    /// Up to so much is added to each release time, drawn from the seed, so that machines that
    /// were throttled together are not released together.
    pub release_jitter: Duration,
    /// An actuator that agrees is written again this often, in case firmware forgot.
    pub assert_every: Duration,
    /// How long a destructive verb waits to be confirmed.
    pub armed_for: Duration,
    /// How long people's holds may put off steps of one limit in one episode; zero for not at
    /// all.
    pub hold_at_most: Duration,
}

/// A plan that holds together. The only way to one is [`Config::check`].
#[derive(Clone, Debug, PartialEq)]
pub struct Config(Plan);

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
