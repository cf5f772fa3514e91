//! What the engine asks for: levels of actuators and of the host, asserted until what is seen
//! agrees, and the verbs of switches, which are sent once.

use crate::{ActuatorId, LimitId};
use flyball_units::{Hertz, PowerState, Ratio, ResetType, Watts};

/// One thing for the caller to do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    /// Bring the actuator to `level`. The same level may come again.
    Drive { actuator: ActuatorId, level: Level },
    /// An accepted proposal, once: the caller sends it, sends it again where the device dropped
    /// it, and says [`Engine::handle_settled`](crate::Engine::handle_settled) where it knows
    /// the end better than the read-back does.
    Switch { actuator: ActuatorId, verb: ResetType },
    /// Bring the machine itself to `level`, because of `limit`. Comes again each cycle until
    /// [`Engine::handle_host`](crate::Engine::handle_host) says that it stands or can't be had.
    Host { level: HostLevel, limit: Option<LimitId> },
}

/// Where an actuator should stand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Level {
    /// A fan under the hardware's own control.
    Automatic,
    /// A fan at this duty.
    Duty(Ratio),
    /// A power cap.
    Cap(Watts),
    /// A ceiling of a processor's frequency.
    Frequency(Hertz),
    /// A switch or a setting of which the engine wants nothing. Never driven.
    Free,
    /// A switch that has to go down in order: what it feeds is asked to stop.
    Down,
    /// A switch that has to be off, whatever runs.
    Off,
}

/// Where an actuator was seen to stand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Observed {
    /// Under the hardware's own control, at this duty where it can be read.
    Automatic(Option<Ratio>),
    Duty(Ratio),
    Cap(Watts),
    Frequency(Hertz),
    /// A switch.
    Power(PowerState),
    /// A setting that can be read; which word stands is the caller's to know.
    Present,
}

/// Where the machine itself should stand, the steps of the ladder above the caps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostLevel {
    /// As it pleases. Asked for once the engine no longer wants it quiet.
    Running,
    /// Plugins paused, workloads told, no new work.
    Quiesced,
    Suspended,
    /// Shutting down in order.
    Stopping,
}

/// What came of an [`Action::Host`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostReport {
    /// It was seen to stand: plugins are paused, the machine slept and woke, the init system
    /// has begun to stop.
    Reached(HostLevel),
    /// It can't be had: nobody is there to do it, it was refused, or it failed. The ladder goes
    /// on at once.
    Failed(HostLevel),
}
