//! The way in for whatever comes and goes while the guard runs: drivers and hot-plugged hardware.
//!
//! Who brings sensors is told their slots and writes readings there by itself; who brings
//! actuators keeps their grips and takes their errands. Everything else that changes is told to
//! the loop over one bounded queue. Nobody in here decides anything.

use crate::catalog::{ActuatorEntry, Owner, SensorEntry};
use crate::clock::Clock;
use crate::hands::Holder;
use crate::policy::Policy;
use crate::slots::Slots;
use flyball_driver_messages::{ActuatorState, Deed, DeedError};
use flyball_guard_messages::Equipment;
use flyball_units::NoData;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::Thread;
use std::time::Duration;

/// Changes that wait for the loop. Who finds the queue full waits: the loop never does.
const QUEUE: usize = 64;
/// A loop that places nothing for so long is ending.
const PLACED_WITHIN: Duration = Duration::from_secs(5);

/// One thing that is to be done once, and whose outcome is told as [`Change::Done`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Errand {
    /// Given back with the outcome; the loop's own count.
    pub(crate) request: u64,
    /// The actuator by its id.
    pub(crate) actuator: String,
    pub(crate) deed: Deed,
    /// It is not begun after this moment of the guard's clock.
    pub(crate) deadline: Duration,
}

/// An actuator with those who carry out what is asked of it.
#[derive(Debug)]
pub(crate) struct Arriving {
    pub(crate) entry: ActuatorEntry,
    /// Takes levels; `None` for what has none.
    pub(crate) holder: Option<Holder>,
    /// Takes errands; `None` for what takes levels only.
    pub(crate) errands: Option<SyncSender<Errand>>,
}

/// What has happened outside the loop.
#[derive(Debug)]
pub(crate) enum Change {
    Came {
        owner: Owner,
        sensors: Vec<SensorEntry>,
        actuators: Vec<Arriving>,
        /// Gets the slot of each sensor.
        placed: SyncSender<Vec<Option<usize>>>,
    },
    /// These are gone, by their ids; they keep their places.
    Gone { sensors: Vec<String>, actuators: Vec<String> },
    /// A piece of equipment as it stands; a new key is a new piece.
    Equipment(Equipment),
    /// Where something stands that has no level: a switch, a light, a word.
    State { actuator: String, state: ActuatorState },
    /// The policy's file was changed: what it says, or all of its faults.
    Policy(Box<Result<Policy, Vec<String>>>),
    /// What was said against the level that an actuator is held at.
    Complaint { actuator: String, message: String },
    /// How an errand ended.
    Done { request: u64, outcome: Result<ActuatorState, DeedError> },
}

/// The loop has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the guard's loop has ended")]
pub(crate) struct Ended;

#[derive(Clone, Debug)]
pub(crate) struct Sources {
    changes: SyncSender<Change>,
    slots: Arc<Slots>,
    clock: Clock,
    waiter: Thread,
}

impl Sources {
    pub(crate) fn new(slots: Arc<Slots>, clock: Clock, waiter: Thread) -> (Self, Receiver<Change>) {
        let (changes, inbox) = sync_channel(QUEUE);
        (Self { changes, slots, clock, waiter }, inbox)
    }

    /// Registers what has come. Gives back the slot of each sensor; `None` for one beyond the
    /// bound. What was there before under the same id has its old place again.
    ///
    /// # Errors
    /// Where the guard ends.
    pub(crate) fn came(
        &self,
        owner: Owner,
        sensors: Vec<SensorEntry>,
        actuators: Vec<Arriving>,
    ) -> Result<Vec<Option<usize>>, Ended> {
        let (placed, answer) = sync_channel(1);
        self.tell(Change::Came { owner, sensors, actuators, placed })?;
        match answer.recv_timeout(PLACED_WITHIN) {
            Ok(slots) => Ok(slots),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Err(Ended),
        }
    }

    /// Leaves a reading that was taken now, and wakes the loop.
    pub(crate) fn put(&self, slot: usize, value: Result<f64, NoData>) {
        self.slots.put(slot, value, self.clock.now());
        self.waiter.unpark();
    }

    /// Tells the loop of a change. Waits while the queue is full.
    ///
    /// # Errors
    /// Where the guard ends.
    pub(crate) fn tell(&self, change: Change) -> Result<(), Ended> {
        self.changes.send(change).map_err(|_| Ended)?;
        self.waiter.unpark();
        Ok(())
    }

    pub(crate) const fn clock(&self) -> Clock {
        self.clock
    }
}
