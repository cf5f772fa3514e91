//! Lock-outs: set by anybody with the right, lifted by their owner or with a justification.

use super::{Answered, Cycle};
use crate::claimants::Asker;
use crate::journal::Kept;
use crate::locks::HeldLock;
use crate::words::Now;
use flyball_command::{Lock, Refusal, RefusalKind};
use flyball_guard_messages::{EventKind, Severity};
use flyball_safety::{ActuatorId, LockId, LockSpec, Origin};
use std::time::Duration;

/// The longest name, owner or reason: they are kept and shown for as long as the lock stands.
const MAX_TEXT_BYTES: usize = 512;
/// As many as the engine remembers.
const MAX_LOCKS: usize = 64;

impl Cycle {
    /// What the engine is told of a lock. `None` for the target of equipment that has not come
    /// yet: nothing can be asked of it until it has, and then the lock stands.
    fn lock_spec(&self, lock: &Lock, now: Now) -> Option<LockSpec> {
        let target = match &lock.target {
            Some(name) => Some(self.names.actuator_id(name)?),
            None => None,
        };
        let left = |until_ms: u64| Duration::from_millis(until_ms.saturating_sub(now.wall_ms));
        let until = lock.until_ms.map(|until_ms| now.moment().after(left(until_ms)));
        Some(LockSpec { target, until, holds_levels: lock.holds_levels })
    }

    pub(super) fn lock_against(&self, actuator: ActuatorId) -> Option<LockId> {
        let stands = |lock: &&flyball_safety::LockView| {
            lock.spec.target.is_none_or(|target| target == actuator)
        };
        self.engine.locks().iter().find(stands).map(|lock| lock.id)
    }

    pub(super) fn check_lock(&self, lock: &Lock, now: Now) -> Result<LockSpec, Box<Refusal>> {
        let invalid = |reason: &str, clears_when: &str| {
            Err(crate::command::refusal(RefusalKind::Invalid, reason, clears_when))
        };
        for (what, text) in [("name", &lock.name), ("owner", &lock.owner), ("reason", &lock.reason)]
        {
            if text.trim().is_empty() || text.len() > MAX_TEXT_BYTES {
                let reason = format!("a lock needs its {what}, of at most {MAX_TEXT_BYTES} bytes");
                return invalid(&reason, "it is given");
            }
        }
        if lock.until_ms.is_some_and(|until_ms| until_ms <= now.wall_ms) {
            return invalid("the lock's time is over already", "it ends in the future");
        }
        let known = self.locks.iter().find(|held| held.lock.name == lock.name);
        if let Some(held) = known.filter(|held| held.lock.owner != lock.owner) {
            let reason = format!("the lock `{}` belongs to {}", lock.name, held.lock.owner);
            let clears_when = "another name is given, or its owner lifts it";
            return Err(crate::command::refusal(RefusalKind::Locked, &reason, clears_when));
        }
        if known.is_none() && self.locks.len() == MAX_LOCKS {
            return invalid("as many locks stand as the guard remembers", "one of them is lifted");
        }
        match self.lock_spec(lock, now) {
            Some(spec) => Ok(spec),
            None => {
                let target = lock.target.as_deref().unwrap_or_default();
                let reason = format!("this machine has no actuator `{target}`");
                invalid(&reason, "an actuator is named that the machine has")
            }
        }
    }

    pub(super) fn set_lock(
        &mut self,
        lock: &Lock,
        origin: Origin,
        now: Now,
    ) -> Result<Answered, Box<Refusal>> {
        let spec = self.check_lock(lock, now)?;
        let known = self.locks.iter().position(|held| held.lock.name == lock.name);
        let id = match known {
            Some(index) => self.locks[index].id,
            None => self.free_lock_id(),
        };
        self.engine.handle_lock(LockId(id), spec, now.moment()).map_err(|fault| {
            let clears_when = "the lock is set as it can be";
            crate::command::refusal(RefusalKind::Invalid, &fault.to_string(), clears_when)
        })?;
        let since_ms = known.map_or(now.wall_ms, |index| self.locks[index].since_ms);
        let local = origin == Origin::Local || known.is_some_and(|index| self.locks[index].local);
        let held = HeldLock { id, since_ms, local, lock: lock.clone() };
        match known {
            Some(index) => self.locks[index] = held,
            None => self.locks.push(held),
        }
        self.keep(Kept::Locks(self.locks.clone()));
        let target = lock.target.as_deref().unwrap_or("the whole machine");
        let message = format!("{} locks {target} as `{}`: {}", lock.owner, lock.name, lock.reason);
        self.record_plain(EventKind::LockSet, Severity::Warning, &lock.name, message, now);
        Ok(Answered::done())
    }

    fn free_lock_id(&self) -> u32 {
        (0..).find(|id| self.locks.iter().all(|held| held.id != *id)).unwrap_or(u32::MAX - 1)
    }

    /// The lock of that name, where it may be lifted by `owner`.
    pub(super) fn releasable(
        &self,
        name: &str,
        owner: &str,
        justification: Option<&str>,
        origin: Origin,
    ) -> Result<usize, Box<Refusal>> {
        let found = self.locks.iter().position(|held| held.lock.name == name);
        let Some(index) = found else {
            let reason = format!("no lock `{name}` stands");
            let clears_when = "a lock is named that stands";
            return Err(crate::command::refusal(RefusalKind::Invalid, &reason, clears_when));
        };
        let held = &self.locks[index];
        let justified = justification.is_some_and(|text| !text.trim().is_empty());
        // The owner's name proves nothing from afar, where the lock was set at the machine.
        let theirs = held.lock.owner == owner && (!held.local || origin == Origin::Local);
        if theirs || justified {
            return Ok(index);
        }
        if held.local && origin != Origin::Local {
            let reason = format!("the lock `{name}` was set at the machine");
            let clears_when = "it is lifted there, or a justification is given";
            return Err(crate::command::refusal(RefusalKind::Outranked, &reason, clears_when));
        }
        let reason = format!("the lock `{name}` belongs to {}", held.lock.owner);
        let clears_when = format!("{} lifts it, or a justification is given", held.lock.owner);
        Err(crate::command::refusal(RefusalKind::Locked, &reason, &clears_when))
    }

    pub(super) fn release_lock(
        &mut self,
        name: &str,
        owner: &str,
        justification: Option<&str>,
        asker: &Asker,
        now: Now,
    ) -> Result<Answered, Box<Refusal>> {
        let index = self.releasable(name, owner, justification, asker.origin)?;
        let issuer = &asker.issuer;
        let held = self.locks.swap_remove(index);
        self.engine.handle_unlock(LockId(held.id), now.moment());
        self.keep(Kept::Locks(self.locks.clone()));
        let why = match justification {
            Some(text) if held.lock.owner != owner => {
                format!(", which belongs to {}, because: {text}", held.lock.owner)
            }
            _ => String::new(),
        };
        let message = format!("{issuer} lifts the lock `{name}`{why}");
        self.record_plain(EventKind::LockReleased, Severity::Info, name, message, now);
        Ok(Answered::done())
    }

    /// The engine let a lock go whose time is over.
    pub(in crate::cycle) fn expire_lock(&mut self, id: LockId, now: Now) {
        let Some(index) = self.locks.iter().position(|held| held.id == id.0) else {
            return;
        };
        let held = self.locks.swap_remove(index);
        self.keep(Kept::Locks(self.locks.clone()));
        let message = format!("the time of the lock `{}` is over", held.lock.name);
        self.record_plain(EventKind::LockReleased, Severity::Info, &held.lock.name, message, now);
    }

    /// Tells the engine of every lock that stands: at the start, and when equipment has come.
    pub(in crate::cycle) fn apply_locks(&mut self, now: Now) {
        let set: Vec<LockId> = self.engine.locks().iter().map(|view| view.id).collect();
        for held in self.locks.clone() {
            let id = LockId(held.id);
            if set.contains(&id) {
                continue;
            }
            let Some(spec) = self.lock_spec(&held.lock, now) else {
                continue;
            };
            // A lock whose time was over while the guard was away is no lock any more.
            if self.engine.handle_lock(id, spec, now.moment()).is_err() {
                self.expire_lock(id, now);
            }
        }
    }
}
