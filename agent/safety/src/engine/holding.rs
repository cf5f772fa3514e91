//! What stands against proposals besides limits: locks and interlocks.

use super::{Engine, actuator_id};
use crate::interlock::Sight;
use crate::{
    Aborted, ActuatorId, Against, EventKind, InterlockId, LockFault, LockId, LockSpec, LockView,
    Moment,
};

impl Engine {
    /// Sets a lock, or changes the one of this id. Locks of an earlier run are set again by the
    /// caller, before the first proposal.
    ///
    /// # Errors
    /// Where as many stand as the engine remembers, the actuator is not there, or its time is
    /// over.
    pub fn handle_lock(
        &mut self,
        id: LockId,
        spec: LockSpec,
        now: Moment,
    ) -> Result<(), LockFault> {
        self.at(now);
        if spec.target.is_some_and(|target| self.actuators.get(target.index()).is_none()) {
            return Err(LockFault::NoActuator);
        }
        self.locks.set(id, spec, self.now)?;
        self.abort_self_test(Aborted::Lock);
        Ok(())
    }

    /// Lifts a lock. Who may is the caller's to know. False where none of this id stands.
    pub fn handle_unlock(&mut self, id: LockId, now: Moment) -> bool {
        self.at(now);
        self.locks.lift(id)
    }

    /// The locks that stand, in the order in which they were set.
    #[must_use]
    pub fn locks(&self) -> &[LockView] {
        self.locks.views()
    }

    /// The first interlock that stands against what is asked of an actuator.
    pub(super) fn interlocked(&self, index: usize, asked: Asked) -> Option<InterlockId> {
        let target = actuator_id(index);
        let stands = |against| match against {
            Against::Energising => asked.energises,
            Against::Interrupting => asked.interrupts,
            Against::Both => asked.energises || asked.interrupts,
        };
        (0..).map(InterlockId::new).zip(&self.interlocks).find_map(|(id, interlock)| {
            let held = interlock.active()
                && stands(interlock.spec.against)
                && interlock.spec.targets.contains(&target);
            held.then_some(id)
        })
    }

    /// An interlock whose conditions are known not to hold, and that turns this switch off.
    pub(super) fn forced_off(&self, switch: ActuatorId) -> bool {
        self.interlocks.iter().any(|interlock| {
            interlock.spec.forces_off
                && interlock.holds == Some(false)
                && interlock.spec.targets.contains(&switch)
        })
    }

    /// Looks at every interlock and tells what changed.
    pub(super) fn look_at_interlocks(&mut self) {
        let sight = Sight {
            sensors: &self.sensors,
            limits: &self.limits,
            actuators: &self.actuators,
            now: self.now,
        };
        for (id, interlock) in (0..).map(InterlockId::new).zip(&mut self.interlocks) {
            if interlock.look(sight) {
                let (active, holds) = (interlock.active(), interlock.holds);
                let kind = EventKind::InterlockChanged { interlock: id, active, holds };
                self.events.push(self.now, kind);
            }
        }
    }

    /// Lets locks and armed verbs go whose time is over.
    pub(super) fn expire(&mut self) {
        while let Some(lock) = self.locks.expire(self.now) {
            self.events.push(self.now, EventKind::LockExpired { lock });
        }
        self.expire_armed();
    }
}

/// What an interlock may stand against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) energises: bool,
    pub(super) interrupts: bool,
}

impl Asked {
    /// A level or a setting that adds heat.
    pub(super) const HEAT: Self = Self { energises: true, interrupts: false };
}
