//! What comes back by itself once what had taken it down is over, where the policy says so.
//!
//! A trip is cleared by a person. `[return]` is the word of whoever owns the machine's file, given
//! in advance, for the limits that it names and for no others. What ran when such a trip took it
//! down is owed until it is started again: last down, first up, one after the other. Each start is
//! an automatic proposal, and whatever stands against a person's stands against it too.

use super::Cycle;
use crate::journal::Kept;
use crate::owed::Owed;
use crate::policy::ReturnRule;
use crate::words::Now;
use flyball_guard_messages::{EventKind, Severity};
use flyball_safety::{ActuatorId, Level, LimitId, Proposal, Refusal, StateKind, Ticket, Verdict};
use flyball_units::{PowerState, ResetType};
use std::time::Duration;

/// More switches are not owed.
const MAX_OWED: usize = 256;
/// Clearances that are remembered: no policy allows more within its time.
const REMEMBERED: usize = 8;

#[derive(Debug)]
pub(super) struct Returning {
    owed: Owed,
    /// Since when the trip that stands could be cleared.
    clearable_since: Option<Duration>,
    /// The switch that was started last, and when.
    started: Option<(ActuatorId, Duration)>,
    left_to_people: bool,
    /// What is owed is not on its way to the disk yet: the actuators come first.
    changed: bool,
}

impl Returning {
    pub(super) const fn new(owed: Owed) -> Self {
        Self { owed, clearable_since: None, started: None, left_to_people: false, changed: false }
    }
}

/// What stands tripped.
enum Standing {
    Nothing,
    /// A limit whose trip the policy may clear.
    Own(LimitId),
    /// One that only a person may.
    Foreign(LimitId),
}

impl Cycle {
    /// A switch is about to be taken down by a trip.
    pub(super) fn owe(&mut self, actuator: ActuatorId) {
        let Some(rule) = self.policy.returning.clone() else {
            return;
        };
        let runs = self.engine.switch(actuator).and_then(|it| it.power) == Some(PowerState::On);
        let returns = matches!(self.standing(&rule), Standing::Own(_));
        let name = self.names.actuator(actuator);
        let owed = &mut self.returning.owed.switches;
        let known = owed.iter().any(|switch| switch == name);
        if runs && returns && !known && owed.len() < MAX_OWED {
            owed.push(name.to_owned());
            self.returning.changed = true;
        }
    }

    /// Once a cycle: clears what may be cleared, then starts what is owed.
    pub(super) fn bring_back(&mut self, now: Now) {
        let Some(rule) = self.policy.returning.clone() else {
            return;
        };
        if std::mem::take(&mut self.returning.changed) {
            self.keep_owed();
        }
        match self.standing(&rule) {
            Standing::Foreign(limit) => {
                if !self.returning.owed.switches.is_empty() {
                    let name = self.names.limit(limit).to_owned();
                    let why = format!("{name} has tripped besides");
                    self.leave_to_people(&why, now);
                }
            }
            Standing::Own(limit) => self.clear_by_policy(&rule, limit, now),
            Standing::Nothing => {
                self.returning.clearable_since = None;
                self.start_next(&rule, now);
            }
        }
    }

    fn standing(&self, rule: &ReturnRule) -> Standing {
        let mut own = Standing::Nothing;
        for (id, view) in self.engine.limits() {
            if view.state.kind() != StateKind::Tripped {
                continue;
            }
            let name = self.names.limit(id);
            match rule.limits.iter().any(|limit| limit == name) {
                true => own = Standing::Own(id),
                false => return Standing::Foreign(id),
            }
        }
        own
    }

    /// What has to be normal is known to be.
    fn is_back(&self, rule: &ReturnRule) -> bool {
        rule.needs.iter().all(|need| {
            let limit = self.names.limit_id(need).and_then(|id| self.engine.limit(id));
            limit.is_some_and(|limit| limit.state.kind() == StateKind::Normal)
        })
    }

    fn clear_by_policy(&mut self, rule: &ReturnRule, limit: LimitId, now: Now) {
        if !self.is_back(rule) || self.engine.validate_clear(limit).is_err() {
            self.returning.clearable_since = None;
            self.returning.left_to_people = false;
            return;
        }
        let since = *self.returning.clearable_since.get_or_insert(now.mono);
        if now.mono.saturating_sub(since) < rule.after {
            return;
        }
        let within_ms = crate::words::whole_ms(rule.within);
        let times = &self.returning.owed.cleared_ms;
        let recent = times.iter().filter(|at| now.wall_ms.saturating_sub(**at) < within_ms);
        let name = self.names.limit(limit).to_owned();
        if recent.count() >= usize::from(rule.at_most) {
            if !std::mem::replace(&mut self.returning.left_to_people, true) {
                let message = format!(
                    "{name} has come back as often as may be without a person: its trip stays"
                );
                let kind = EventKind::CommandRefused;
                self.record_plain(kind, Severity::Critical, &name, message, now);
            }
            return;
        }
        if self.engine.handle_clear(limit, now.moment()).is_err() {
            return;
        }
        let times = &mut self.returning.owed.cleared_ms;
        times.push(now.wall_ms);
        let beyond = times.len().saturating_sub(REMEMBERED);
        times.drain(..beyond);
        self.keep_owed();
        let seconds = rule.after.as_secs();
        let message = format!("{name} has been over for {seconds} s: the policy clears its trip");
        self.record_plain(EventKind::TripCleared, Severity::Warning, &name, message, now);
        self.shutdown_told = None;
        self.act(None, now);
        self.tell();
    }

    fn start_next(&mut self, rule: &ReturnRule, now: Now) {
        let Some(name) = self.returning.owed.switches.last() else {
            return;
        };
        let stirs = self.returning.started.is_some_and(|(actuator, at)| {
            let flies = self.engine.switch(actuator).is_some_and(|it| it.in_flight.is_some());
            flies || now.mono < at + rule.stagger
        });
        // It may not have been seen yet since the guard's start.
        let quiet = !stirs && self.is_back(rule);
        let Some(actuator) = self.names.actuator_id(name).filter(|_| quiet) else {
            return;
        };
        let wanted = self.engine.actuator(actuator).map(|view| view.wanted);
        let power = self.engine.switch(actuator).and_then(|switch| switch.power);
        if wanted != Some(Level::Free) || power.is_none() {
            return;
        }
        let ticket = Ticket(self.next_ticket);
        let proposal = Proposal::Switch {
            actuator,
            verb: ResetType::On,
            expected: None,
            automatic: true,
            ticket,
        };
        match self.engine.validate(proposal) {
            Verdict::Accepted => {
                let name = name.clone();
                self.next_ticket += 1;
                self.engine.handle_proposal(proposal, now.moment());
                self.returning.owed.switches.pop();
                self.keep_owed();
                if power != Some(PowerState::On) {
                    self.returning.started = Some((actuator, now.mono));
                    let message = format!("{name} is started again: what took it down is over");
                    let kind = EventKind::Switched;
                    self.record_plain(kind, Severity::Warning, &name, message, now);
                }
                self.act(None, now);
            }
            Verdict::Refused(Refusal::Locked(_)) => self.leave_to_people("it is locked", now),
            Verdict::Refused(Refusal::LockedOut) => {
                // Told to the engine, so that it stays so.
                self.engine.handle_proposal(proposal, now.moment());
                self.leave_to_people("it was started as often as may be without a person", now);
            }
            Verdict::Refused(Refusal::NoVerb | Refusal::NoActuator) => {
                self.leave_to_people("it can't be switched on", now);
            }
            // What stands against it now may be over later.
            Verdict::Refused(_) | Verdict::Clamped { .. } | Verdict::Armed { .. } => {}
        }
    }

    /// Nothing that is owed starts by itself any more.
    fn leave_to_people(&mut self, why: &str, now: Now) {
        let owed = std::mem::take(&mut self.returning.owed.switches);
        let Some(next) = owed.last() else {
            return;
        };
        let names = owed.join(", ");
        let message = format!("{names}: nothing is started by itself any more, for {why}");
        self.record_plain(EventKind::SwitchFailed, Severity::Critical, next, message, now);
        self.keep_owed();
    }

    fn keep_owed(&mut self) {
        self.keep(Kept::Owed(self.returning.owed.clone()));
    }
}
