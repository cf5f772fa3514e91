//! What is answered to a verb asked of a switch: refused for what stands against it, armed where
//! work may be lost, accepted and sent once otherwise.

use super::holding::Asked;
use super::proposals::By;
use super::{Engine, actuator_id};
use crate::power::{Fit, fit};
use crate::{
    Aborted, ActuatorId, EventKind, Hand, Level, Moment, Pacing, Refusal, SwitchSpec, Ticket,
    Verdict,
};
use flyball_units::{PowerState, ResetType};

/// So many destructive verbs may wait to be confirmed.
pub(super) const MOST_ARMED: usize = 16;

/// What is asked of a switch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ask {
    pub(super) actuator: ActuatorId,
    pub(super) verb: ResetType,
    pub(super) expected: Option<PowerState>,
    pub(super) automatic: bool,
    pub(super) by: By,
}

/// A destructive verb that waits to be confirmed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Armed {
    pub(super) ticket: Ticket,
    /// With the state that was seen when it was armed: another one refuses the confirmation.
    pub(super) ask: Ask,
    pub(super) until: Moment,
}

/// What a judge found.
pub(super) enum Found {
    /// It can be sent.
    Clear,
    /// It stands already.
    Done,
}

impl Engine {
    /// Carries out what was armed under `ticket`, if nothing stands against it now: the state
    /// is the one that was seen then, and locks, limits, interlocks and pacing are asked again.
    /// Whatever the answer, the ticket is used up.
    pub fn handle_confirm(&mut self, ticket: Ticket, now: Moment) -> Verdict {
        self.at(now);
        self.abort_self_test(Aborted::Command);
        self.let_claims_go();
        self.expire_armed();
        let Some(index) = self.armed.iter().position(|armed| armed.ticket == ticket) else {
            return Verdict::Refused(Refusal::NotArmed);
        };
        let armed = self.armed.swap_remove(index);
        match self.judge_switch(armed.ask) {
            Ok(Found::Clear) => self.send(armed.ask),
            Ok(Found::Done) => self.claim(armed.ask.actuator.index(), armed.ask.by),
            Err(refusal) => return Verdict::Refused(refusal),
        }
        Verdict::Accepted
    }

    /// What [`Self::handle_confirm`] would answer. Nothing moves.
    #[must_use]
    pub fn validate_confirm(&self, ticket: Ticket) -> Verdict {
        let armed = self.armed.iter().find(|armed| armed.ticket == ticket);
        match armed.filter(|armed| self.now < armed.until) {
            None => Verdict::Refused(Refusal::NotArmed),
            Some(armed) => match self.judge_switch(armed.ask) {
                Ok(Found::Clear | Found::Done) => Verdict::Accepted,
                Err(refusal) => Verdict::Refused(refusal),
            },
        }
    }

    /// The caller knows that the verb which a switch is in the midst of has come to its end: the
    /// machine behind it says hello, or the device has refused for good. Without this a restart
    /// whose dark moment nobody saw is given up after `SwitchSpec::takes`.
    pub fn handle_settled(&mut self, actuator: ActuatorId, reached: bool, now: Moment) {
        self.at(now);
        let Some(hand) = self.actuators.get_mut(actuator.index()) else { return };
        let seen = hand.switch.settle(reached);
        self.tell_seen(actuator, seen);
        self.drive();
    }

    pub(super) fn propose_switch(&mut self, ask: Ask, ticket: Ticket) -> Verdict {
        self.expire_armed();
        let verdict = self.validate_switch(ask, ticket);
        match verdict {
            Verdict::Accepted => match self.judge_switch(ask) {
                Ok(Found::Clear) => self.send(ask),
                Ok(Found::Done) => self.claim(ask.actuator.index(), ask.by),
                Err(_) => {}
            },
            Verdict::Armed { until } => {
                let seen = self.actuators[ask.actuator.index()].power(self.now);
                let ask = Ask { expected: seen, ..ask };
                self.armed.retain(|armed| armed.ticket != ticket);
                self.armed.push(Armed { ticket, ask, until });
            }
            Verdict::Refused(Refusal::LockedOut) => {
                self.actuators[ask.actuator.index()].switch.lock_out();
            }
            Verdict::Clamped { .. } | Verdict::Refused(_) => {}
        }
        verdict
    }

    pub(super) fn validate_switch(&self, ask: Ask, ticket: Ticket) -> Verdict {
        let again = self.armed.iter().any(|armed| armed.ticket == ticket);
        let waiting = self.armed.iter().filter(|armed| self.now < armed.until).count();
        match self.judge_switch(ask) {
            Err(refusal) => Verdict::Refused(refusal),
            Ok(Found::Done) => Verdict::Accepted,
            Ok(Found::Clear) if !ask.verb.is_destructive() => Verdict::Accepted,
            Ok(Found::Clear) if waiting >= MOST_ARMED && !again => {
                Verdict::Refused(Refusal::TooManyArmed)
            }
            Ok(Found::Clear) => {
                Verdict::Armed { until: self.now.after(self.config.plan().timing.armed_for) }
            }
        }
    }

    /// Everything that stands against a verb, arming apart.
    fn judge_switch(&self, ask: Ask) -> Result<Found, Refusal> {
        let index = ask.actuator.index();
        let actuator = self.actuators.get(index).ok_or(Refusal::NoActuator)?;
        let Hand::Switch(spec) = actuator.spec.hand else { return Err(Refusal::NoActuator) };
        if !spec.verbs.contains(ask.verb) {
            return Err(Refusal::NoVerb);
        }
        let state = actuator.power(self.now).ok_or(Refusal::State(None))?;
        if ask.expected.is_some_and(|expected| expected != state) {
            return Err(Refusal::State(Some(state)));
        }
        if let Some(refusal) = self.arbitrate(index, true, ask.by) {
            return Err(refusal);
        }
        let flying = actuator.switch.in_flight();
        match flying.map(|flying| (flying.verb, flying.since.after(spec.takes))) {
            Some((verb, _)) if verb == ask.verb => return Ok(Found::Done),
            // What hangs on its way up or down may be cut, wherever it is seen.
            Some(_) if ask.verb == ResetType::ForceOff => {}
            Some((verb, until)) if !self.overtakes(index, ask.by) => {
                return Err(Refusal::InFlight { verb, until });
            }
            Some(_) | None => match fit(ask.verb, state) {
                Fit::Wrong => return Err(Refusal::State(Some(state))),
                Fit::Done => return Ok(Found::Done),
                Fit::Fits => {}
            },
        }
        let asked = Asked { energises: ask.verb.energises(), interrupts: ask.verb.interrupts() };
        if asked.energises {
            self.judge_energising(index, &spec, ask.automatic)?;
        }
        match self.interlocked(index, asked) {
            Some(interlock) => Err(Refusal::Interlock(interlock)),
            None => Ok(Found::Clear),
        }
    }

    /// Locks, limits, and the pace at which current may begin to flow.
    fn judge_energising(
        &self,
        index: usize,
        spec: &SwitchSpec,
        automatic: bool,
    ) -> Result<(), Refusal> {
        let actuator = &self.actuators[index];
        if let Some(lock) = self.locks.against(actuator_id(index), false) {
            return Err(Refusal::Locked(lock));
        }
        if let Some(limit) = self.heat_forbidden(actuator) {
            return Err(self.refused_by(limit, None));
        }
        if let Some(limit) = self.keeps_off(index) {
            return Err(self.refused_by(limit, None));
        }
        actuator.switch.paced(spec, automatic, self.now)?;
        let Some(group) = spec.group else { return Ok(()) };
        let Some(rule) = self.config.plan().groups.get(group.index()) else { return Ok(()) };
        let (count, until) = self.started(group, rule.within);
        match count < usize::from(rule.at_most) {
            true => Ok(()),
            false => Err(Refusal::TooSoon { until, pacing: Pacing::Group(group) }),
        }
    }

    fn send(&mut self, ask: Ask) {
        let now = self.now;
        let index = ask.actuator.index();
        let actuator = &mut self.actuators[index];
        // What the engine takes down by itself may only be cut sooner.
        if actuator.wanted == Level::Free || ask.verb == ResetType::ForceOff {
            let overtaken = actuator.switch.settle(false);
            actuator.switch.carry_out(ask.verb, ask.automatic, ask.by.origin, now);
            self.tell_seen(ask.actuator, overtaken);
        }
        self.claim(index, ask.by);
        self.drive();
    }

    pub(super) fn expire_armed(&mut self) {
        let now = self.now;
        while let Some(index) = self.armed.iter().position(|armed| armed.until <= now) {
            let Armed { ticket, ask, .. } = self.armed.swap_remove(index);
            let (actuator, verb) = (ask.actuator, ask.verb);
            self.events.push(now, EventKind::ArmingExpired { ticket, actuator, verb });
        }
    }
}
