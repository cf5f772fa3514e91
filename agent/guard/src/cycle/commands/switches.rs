//! Power of machines and outlets: asked, armed, confirmed.

use super::{Answered, Cycle, Waits};
use crate::claimants::Asker;
use crate::words::Now;
use flyball_command::{Arming, OperationId, PowerState, Refusal, RefusalKind, ResetType, Verdict};
use flyball_safety::{self as safety, ActuatorId, Proposal, Ticket};
use flyball_units::Unit;

/// A dangerous command that waits for its second hand.
#[derive(Debug)]
pub(in crate::cycle) struct ArmedOperation {
    pub(in crate::cycle) ticket: Ticket,
    pub(in crate::cycle) operation: OperationId,
    pub(in crate::cycle) actuator: ActuatorId,
}

impl Cycle {
    fn reset_proposal(
        &self,
        switch: &str,
        reset: ResetType,
        expected: Option<PowerState>,
    ) -> Result<(ActuatorId, Proposal), Box<Refusal>> {
        let actuator = self.actuator_named(switch)?;
        let proposal = Proposal::Switch {
            actuator,
            verb: reset,
            expected,
            automatic: false,
            ticket: Ticket(self.next_ticket),
        };
        Ok((actuator, proposal))
    }

    pub(super) fn validate_reset(
        &self,
        switch: &str,
        reset: ResetType,
        expected: Option<PowerState>,
        asker: &Asker,
        now: Now,
    ) -> Result<Verdict, Box<Refusal>> {
        let (actuator, proposal) = self.reset_proposal(switch, reset, expected)?;
        Ok(match self.engine.validate(asker.issue(proposal, now)) {
            safety::Verdict::Armed { until } => {
                Verdict::Armed(self.arming(actuator, reset, until, now))
            }
            answer => self.teller(now).verdict(answer, Unit::One),
        })
    }

    pub(super) fn reset(
        &mut self,
        operation: OperationId,
        switch: &str,
        reset: ResetType,
        expected: Option<PowerState>,
        asker: &Asker,
        now: Now,
    ) -> Result<Answered, Box<Refusal>> {
        let (actuator, proposal) = self.reset_proposal(switch, reset, expected)?;
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        let answer = self.engine.handle_proposal(asker.issue(proposal, now), now.moment());
        if !matches!(answer, safety::Verdict::Refused(_)) {
            self.claimants.claim(self.names.actuator(actuator), asker);
        }
        match answer {
            safety::Verdict::Armed { until } => {
                self.armed.push(ArmedOperation { ticket, operation, actuator });
                let arming = self.arming(actuator, reset, until, now);
                Ok(Answered { verdict: Verdict::Armed(arming), waits: Waits::Confirmation })
            }
            answer => {
                let verdict = self.teller(now).verdict(answer, Unit::One);
                self.act(None, now);
                // What this has overtaken comes to its end before this is waited for.
                self.tell();
                Ok(Answered { verdict, waits: Waits::Verb(actuator) })
            }
        }
    }

    /// Exactly what is meant, and what will happen to it.
    fn arming(
        &self,
        actuator: ActuatorId,
        reset: ResetType,
        until: safety::Moment,
        now: Now,
    ) -> Arming {
        let name = self.names.actuator(actuator);
        let key = self.catalog.actuators.get(actuator.index()).and_then(|entry| entry.owner.key());
        let equipment = self.equipment.iter().find(|known| Some(known.key.as_str()) == key);
        let mut target = name.to_owned();
        if let Some(known) = equipment {
            for part in [&known.vendor, &known.model, &known.serial].into_iter().flatten() {
                target.push_str(" · ");
                target.push_str(part);
            }
            target.push_str(" · ");
            target.push_str(&known.address);
        }
        let state = self.engine.switch(actuator).and_then(|switch| switch.power);
        let what = match reset {
            ResetType::ForceOff => "loses its power at once; what was not written is lost",
            ResetType::ForceRestart => "is reset at once; what was not written is lost",
            ResetType::PowerCycle => "loses its power, and has it back after a pause",
            ResetType::Nmi => "is interrupted without appeal: it dumps its memory or stops",
            ResetType::On
            | ResetType::GracefulShutdown
            | ResetType::GracefulRestart
            | ResetType::Suspend => "is switched",
        };
        let left = until.since(now.moment());
        Arming {
            until_ms: now.wall_ms + crate::words::whole_ms(left),
            target,
            state,
            consequence: format!("{name} {what}"),
        }
    }

    fn armed_of(&self, operation: OperationId) -> Option<&ArmedOperation> {
        self.armed.iter().find(|armed| armed.operation == operation)
    }

    pub(super) fn validate_confirm(&self, operation: OperationId, now: Now) -> Verdict {
        let answer = match self.armed_of(operation) {
            Some(armed) => self.engine.validate_confirm(armed.ticket),
            None => safety::Verdict::Refused(safety::Refusal::NotArmed),
        };
        self.teller(now).verdict(answer, Unit::One)
    }

    /// Carries out what was armed. The outcome is the armed operation's; the one that confirms
    /// is over with its own answer.
    pub(super) fn confirm(&mut self, operation: OperationId, now: Now) -> Answered {
        let found = self.armed.iter().position(|armed| armed.operation == operation);
        let Some(index) = found else {
            let refusal = self.teller(now).refusal(safety::Refusal::NotArmed, Unit::One);
            return Answered::refused(refusal);
        };
        let ArmedOperation { ticket, operation, actuator } = self.armed.swap_remove(index);
        let answer = self.engine.handle_confirm(ticket, now.moment());
        let verdict = self.teller(now).verdict(answer, Unit::One);
        self.act(None, now);
        self.tell();
        // The ticket is used up whatever the answer was.
        self.await_outcome(operation, verdict.clone(), Waits::Verb(actuator), now);
        let verified = verdict == Verdict::Accepted;
        Answered { verdict, waits: Waits::nothing(verified) }
    }

    /// Nobody confirmed it in time.
    pub(in crate::cycle) fn expire_armed(&mut self, ticket: Ticket, now: Now) {
        let Some(index) = self.armed.iter().position(|armed| armed.ticket == ticket) else {
            return;
        };
        let ArmedOperation { operation, .. } = self.armed.swap_remove(index);
        let refusal = crate::command::refusal(
            RefusalKind::NotArmed,
            "it was armed and nobody confirmed it in time",
            "it is issued again and confirmed",
        );
        let verdict = Verdict::Refused(*refusal);
        self.await_outcome(operation, verdict, Waits::nothing(false), now);
    }

    /// What was armed before a new plan is forgotten by the engine.
    pub(in crate::cycle) fn forget_armed(&mut self, now: Now) {
        while let Some(ArmedOperation { ticket, .. }) = self.armed.first() {
            let ticket = *ticket;
            self.expire_armed(ticket, now);
        }
    }
}
