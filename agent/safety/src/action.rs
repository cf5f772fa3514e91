//! What the engine asks for: levels of actuators, asserted until the read-back agrees.

use crate::{ActuatorId, LimitId};
use flyball_units::{Ratio, Watts};

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    /// Bring the actuator to `level`. The same level may come again.
    Drive { actuator: ActuatorId, level: Level },
    /// A limit has tripped and the plan asks for an orderly shutdown. Comes again each cycle.
    RequestShutdown { limit: LimitId },
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
}

/// Where an actuator was seen to stand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Observed {
    /// Under the hardware's own control, at this duty where it can be read.
    Automatic(Option<Ratio>),
    Duty(Ratio),
    Cap(Watts),
}
