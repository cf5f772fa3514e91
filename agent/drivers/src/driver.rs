//! What every kind of equipment is to the rest of the program.
//!
//! A driver connects and gives back three things: what it found, eyes to look at it and hands to
//! act on it. Eyes and hands live on threads of their own, so that a slow look never delays a
//! deed; what they share, such as a login, they share behind their own lock, held briefly.
//! Everything they do ends by itself within the configured time-out or the deed's.

use crate::clock::Clock;
use flyball_driver_messages::{ActuatorState, Deed, DeedError, Described, Fault, Round};
use std::time::Duration;

pub(crate) trait Driver: Send {
    /// Reaches the equipment and finds out what there is.
    ///
    /// # Errors
    /// Why that can't be done now; it is tried again with a growing wait.
    fn connect(&mut self) -> Result<Connection, Fault>;
}

/// Equipment that was reached.
pub(crate) struct Connection {
    pub(crate) described: Described,
    pub(crate) eyes: Box<dyn Eyes>,
    pub(crate) hands: Box<dyn Hands>,
}

pub(crate) trait Eyes: Send {
    /// One look. A sensor that can't be read is a reading with its reason, not a fault.
    ///
    /// # Errors
    /// Why nothing at all could be seen.
    fn look(&mut self) -> Result<Look, Fault>;
}

#[derive(Debug)]
pub(crate) enum Look {
    /// `took_ms` is filled in by the caller.
    Seen(Round),
    /// The equipment is another one than was described: connect again, at once.
    Changed,
}

pub(crate) trait Hands: Send {
    /// Does `deed`, reads back, and says where the actuator stands then.
    ///
    /// # Errors
    /// Why it was not done, or is not known to be.
    fn act(
        &mut self,
        actuator: u16,
        deed: &Deed,
        deadline: Deadline,
    ) -> Result<ActuatorState, DeedError>;

    /// Gives back what the equipment holds for this driver, such as a session. Best effort,
    /// within a second.
    fn leave(&mut self) {}
}

/// When an answer is worth nothing any more.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    clock: Clock,
    at: Duration,
}

impl Deadline {
    pub(crate) fn after(clock: Clock, time: Duration) -> Self {
        Self { clock, at: clock.now() + time }
    }

    /// What is left of it; `None` where it has passed.
    pub(crate) fn left(&self) -> Option<Duration> {
        self.at.checked_sub(self.clock.now()).filter(|left| !left.is_zero())
    }

    /// The shorter of `most` and what is left, but never nothing.
    pub(crate) fn at_most(&self, most: Duration) -> Duration {
        self.left().unwrap_or_default().min(most).max(Duration::from_millis(1))
    }
}
