//! Lock-outs: somebody works on the machine, and nothing may energise it until they are done.
//!
//! A lock stands against proposals only. The engine itself is never held: it may always turn
//! things off, slow them down and cool them.

use crate::{ActuatorId, LockId, Moment};
use alloc::vec::Vec;
use core::fmt;

/// More locks than this on one machine are a mistake of the caller.
const CAPACITY: usize = 64;

/// What a lock holds, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockSpec {
    /// All actuators where `None`.
    pub target: Option<ActuatorId>,
    /// It lifts itself then.
    pub until: Option<Moment>,
    /// It stands against proposals of fan floors, caps and settings too.
    pub holds_levels: bool,
}

/// A lock that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockView {
    pub id: LockId,
    pub spec: LockSpec,
    pub since: Moment,
}

/// Why a lock was not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockFault {
    /// As many stand as the engine remembers.
    TooMany,
    /// It names an actuator that the machine has not.
    NoActuator,
    /// Its time is over already.
    Expired,
}

impl fmt::Display for LockFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany => write!(f, "{CAPACITY} locks stand: lift one before another is set"),
            Self::NoActuator => f.write_str("the lock names an actuator that is not there"),
            Self::Expired => f.write_str("the lock's time is over already"),
        }
    }
}

impl core::error::Error for LockFault {}

#[derive(Clone, Debug)]
pub(crate) struct Locks(Vec<LockView>);

impl Locks {
    pub(crate) fn new() -> Self {
        Self(Vec::with_capacity(CAPACITY))
    }

    pub(crate) fn views(&self) -> &[LockView] {
        &self.0
    }

    /// Sets a lock; one of the same id is replaced and keeps its age.
    pub(crate) fn set(&mut self, id: LockId, spec: LockSpec, now: Moment) -> Result<(), LockFault> {
        if spec.until.is_some_and(|until| until <= now) {
            return Err(LockFault::Expired);
        }
        if let Some(held) = self.0.iter_mut().find(|held| held.id == id) {
            held.spec = spec;
            return Ok(());
        }
        if self.0.len() == CAPACITY {
            return Err(LockFault::TooMany);
        }
        self.0.push(LockView { id, spec, since: now });
        Ok(())
    }

    /// Lifts a lock. False where none of that id stands.
    pub(crate) fn lift(&mut self, id: LockId) -> bool {
        let before = self.0.len();
        self.0.retain(|held| held.id != id);
        self.0.len() < before
    }

    /// Takes the next lock whose time is over.
    pub(crate) fn expire(&mut self, now: Moment) -> Option<LockId> {
        let over = |held: &LockView| held.spec.until.is_some_and(|until| until <= now);
        let index = self.0.iter().position(over)?;
        Some(self.0.remove(index).id)
    }

    /// The first lock that stands against energising `actuator`; of those that hold levels
    /// where that is what is asked.
    pub(crate) fn against(&self, actuator: ActuatorId, levels: bool) -> Option<LockId> {
        let holds = |held: &&LockView| {
            held.spec.target.is_none_or(|target| target == actuator)
                && (held.spec.holds_levels || !levels)
        };
        self.0.iter().find(holds).map(|held| held.id)
    }

    /// Gives every lock its actuator's new id.
    pub(crate) fn renumber(&mut self, new: impl Fn(ActuatorId) -> Option<ActuatorId>) {
        for held in &mut self.0 {
            if let Some(target) = held.spec.target {
                held.spec.target = new(target).or(held.spec.target);
            }
        }
    }
}
