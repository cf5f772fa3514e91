//! Commands that passed the link: answered at once, and followed until what was asked is seen.

mod fleet;
mod ladder;
mod levels;
mod locks;
mod settings;
mod switches;

use super::Cycle;
use crate::claimants::Asker;
use crate::desk::{Answer, ClientId, Question};
use crate::journal::Entry;
use crate::words::{self, Now, Teller};
use flyball_command::{
    Action, Command, OperationId, Outcome, PowerState, Refusal, RefusalKind, Verdict,
};
use flyball_guard_messages::{EventKind, Inventory, Record, RecordBody, Severity};
use flyball_safety::ActuatorId;
use flyball_units::Unit;
pub(super) use switches::ArmedOperation;

/// Questions that are answered in one turn.
const PER_TURN: usize = 4;
/// Orders of people at the machine whose end somebody may wait for.
const MAX_ORDERS: usize = 64;

/// How a command was answered, and what its outcome waits for.
pub(super) struct Answered {
    pub(super) verdict: Verdict,
    pub(super) waits: Waits,
}

/// What an operation waits for.
#[derive(Debug)]
pub(super) enum Waits {
    /// It is done, and seen to be where the flag says so.
    Nothing { verified: bool, observed: Option<f64>, state: Option<PowerState> },
    /// The actuators' read-backs.
    Agreement(Vec<ActuatorId>),
    /// The end of what was asked of a switch.
    Verb(ActuatorId),
    /// The end of an errand.
    Errand(u64),
    /// The end of the self-test that runs.
    SelfTest,
    /// A confirmation.
    Confirmation,
}

impl Answered {
    fn refused(refusal: Refusal) -> Self {
        Self { verdict: Verdict::Refused(refusal), waits: Waits::nothing(false) }
    }

    fn done() -> Self {
        Self { verdict: Verdict::Accepted, waits: Waits::nothing(true) }
    }
}

impl Waits {
    const fn nothing(verified: bool) -> Self {
        Self::Nothing { verified, observed: None, state: None }
    }
}

impl Cycle {
    pub(super) fn take_questions(&mut self) {
        for _ in 0..PER_TURN {
            let Ok(question) = self.questions.try_recv() else {
                return;
            };
            self.awake = true;
            let now = self.now();
            match question {
                Question::Propose { client, command } => {
                    let operation = command.operation;
                    let verdict = self.propose(command, now);
                    self.answer(Answer::Verdict { client, operation, verdict });
                }
                Question::Order { client, command } => {
                    let operation = command.operation;
                    self.remember_order(operation, client);
                    let verdict = self.propose(command, now);
                    self.answer(Answer::Ordered { client, operation, verdict });
                }
                Question::Validate { client, request, action } => {
                    let verdict = self.validate(&action, now);
                    self.answer(Answer::Validated { client, request, verdict });
                }
                Question::Refused { operation, refusal } => {
                    self.tell_refused(operation, refusal, now);
                }
                Question::View { client, purpose } => {
                    let inventory = Box::new(self.inventory(now));
                    self.answer(Answer::View { client, purpose, inventory });
                }
            }
        }
    }

    pub(super) fn teller(&self, now: Now) -> Teller<'_> {
        let dry_run = self.shared.facts.dry_run;
        let (engine, names, claimants) = (&self.engine, &self.names, &self.claimants);
        Teller { engine, names, locks: &self.locks, claimants, dry_run, now }
    }

    fn inventory(&self, now: Now) -> Inventory {
        let teller = self.teller(now);
        Inventory {
            limits: words::limits(&self.engine, &self.names, &self.claimants, now),
            actuators: teller.actuators(&self.catalog),
            interlocks: teller.interlocks(),
            locks: teller.held_locks(),
            trips: teller.trips(),
            equipment: self.equipment.clone(),
            dry_run: self.shared.facts.dry_run,
            self_test: self.self_test(now),
        }
    }

    fn remember_order(&mut self, operation: OperationId, client: ClientId) {
        if self.orders.len() == MAX_ORDERS {
            self.orders.remove(0);
        }
        self.orders.push((operation, client));
    }

    fn answer(&mut self, answer: Answer) {
        // A link that takes no answers has lost its clients too.
        if self.answers.try_send(answer).is_ok() {
            self.shared.bell.ring();
        }
    }

    /// The verdict that a command would get. Nothing moves.
    fn validate(&self, action: &Action, now: Now) -> Verdict {
        let asker = &Asker::anybody();
        let judged = match action {
            Action::SetPowerCap { .. }
            | Action::ClearPowerCap { .. }
            | Action::SetFanFloor { .. }
            | Action::ClearFanFloor { .. }
            | Action::SetFrequencyCap { .. }
            | Action::ClearFrequencyCap { .. } => self.validate_level(action, asker, now),
            Action::ClearTrip { limit, .. } => Ok(self.judge_clear(limit, now)),
            Action::Reset { switch, reset, expected } => {
                self.validate_reset(switch, *reset, *expected, asker, now)
            }
            Action::Confirm { operation } => Ok(self.validate_confirm(*operation, now)),
            Action::SetLock(lock) => self.check_lock(lock, now).map(|_| Verdict::Accepted),
            Action::ReleaseLock { lock, owner, justification } => {
                let found = self.releasable(lock, owner, justification.as_deref(), asker.origin);
                found.map(|_| Verdict::Accepted)
            }
            Action::SetFleetLimits { limits } => {
                self.check_fleet(limits).map(|_| Verdict::Accepted)
            }
            Action::SetIndicator { .. }
            | Action::SetProfile { .. }
            | Action::SetService { .. }
            | Action::SetBootOnce { .. } => {
                self.judge_setting(action, asker, now).map(|_| Verdict::Accepted)
            }
            Action::HoldLadder { limit, from, reason } => {
                self.validate_hold(limit, *from, reason, asker, now)
            }
            Action::ReleaseLadder { limit } => {
                self.validate_release(limit, asker, now).map(|_| Verdict::Accepted)
            }
            Action::SelfTest => self.judge_self_test(now).map(|()| Verdict::Accepted),
        };
        judged.unwrap_or_else(|refusal| Verdict::Refused(*refusal))
    }

    fn propose(&mut self, command: Command, now: Now) -> Verdict {
        let asker = &Asker::of(&command);
        let answered = match &command.action {
            _ if asker.until_ms.is_some_and(|until_ms| until_ms <= now.wall_ms) => {
                let why = flyball_safety::Refusal::Over;
                Err(Box::new(self.teller(now).refusal(why, Unit::One)))
            }
            Action::SetPowerCap { .. }
            | Action::ClearPowerCap { .. }
            | Action::SetFanFloor { .. }
            | Action::ClearFanFloor { .. }
            | Action::SetFrequencyCap { .. }
            | Action::ClearFrequencyCap { .. } => self.set_level(&command.action, asker, now),
            Action::ClearTrip { limit, .. } => {
                let verdict = self.clear(limit, now);
                let verified = verdict == Verdict::Accepted;
                Ok(Answered { verdict, waits: Waits::nothing(verified) })
            }
            Action::Reset { switch, reset, expected } => {
                self.reset(command.operation, switch, *reset, *expected, asker, now)
            }
            Action::Confirm { operation } => Ok(self.confirm(*operation, now)),
            Action::SetLock(lock) => self.set_lock(lock, asker.origin, now),
            Action::ReleaseLock { lock, owner, justification } => {
                self.release_lock(lock, owner, justification.as_deref(), asker, now)
            }
            Action::SetFleetLimits { limits } => {
                self.set_fleet(command.counter, limits, &command.issuer, now)
            }
            Action::SetIndicator { .. }
            | Action::SetProfile { .. }
            | Action::SetService { .. }
            | Action::SetBootOnce { .. } => self.set_setting(&command.action, asker, now),
            Action::HoldLadder { limit, from, reason } => {
                self.hold_ladder(limit, *from, reason, asker, now)
            }
            Action::ReleaseLadder { limit } => self.release_ladder(limit, asker, now),
            Action::SelfTest => self.begin_self_test(now),
        };
        let answered = answered.unwrap_or_else(|refusal| Answered::refused(*refusal));
        let Answered { verdict, waits } = answered;
        self.tell_verdict(&command, &verdict, now);
        self.await_outcome(command.operation, verdict.clone(), waits, now);
        verdict
    }

    /// What stands against clearing a trip.
    fn judge_clear(&self, limit: &str, now: Now) -> Verdict {
        let teller = self.teller(now);
        let Some(id) = self.names.limit_id(limit) else {
            if self.latches.iter().any(|latch| latch.limit == limit) {
                return Verdict::Accepted;
            }
            let why = flyball_safety::Refusal::NoLimit;
            return Verdict::Refused(teller.refusal(why, Unit::One));
        };
        match self.engine.validate_clear(id) {
            Ok(()) => Verdict::Accepted,
            Err(why) => {
                let unit = self.names.limit_unit(id).unwrap_or(Unit::One);
                Verdict::Refused(teller.refusal(why, unit))
            }
        }
    }

    fn clear(&mut self, limit: &str, now: Now) -> Verdict {
        let Some(id) = self.names.limit_id(limit) else {
            // A trip of a limit that the policy no longer has can be cleared by its name.
            if self.forget_latch(limit) {
                self.keep_latches();
                return Verdict::Accepted;
            }
            let why = flyball_safety::Refusal::NoLimit;
            return Verdict::Refused(self.teller(now).refusal(why, Unit::One));
        };
        match self.engine.handle_clear(id, now.moment()) {
            Ok(()) => {
                self.shutdown_told = None;
                self.act(None, now);
                // On disk before it is answered: a cleared trip must not stand up again.
                self.tell();
                Verdict::Accepted
            }
            Err(why) => {
                let unit = self.names.limit_unit(id).unwrap_or(Unit::One);
                Verdict::Refused(self.teller(now).refusal(why, unit))
            }
        }
    }

    /// The actuator of that name.
    fn actuator_named(&self, name: &str) -> Result<ActuatorId, Box<Refusal>> {
        self.names.actuator_id(name).ok_or_else(|| {
            crate::command::refusal(
                RefusalKind::Invalid,
                &format!("this machine has no actuator `{name}`"),
                "an actuator is named that the machine has",
            )
        })
    }

    fn tell_verdict(&mut self, command: &Command, verdict: &Verdict, now: Now) {
        let (kind, severity, how) = match verdict {
            Verdict::Accepted => {
                (EventKind::CommandAccepted, Severity::Info, "accepted".to_owned())
            }
            Verdict::Clamped(clamp) => {
                let to = words::amount(clamp.to, clamp.unit);
                let how = format!("clamped to {to} by {}", clamp.by);
                (EventKind::CommandClamped, Severity::Warning, how)
            }
            Verdict::Armed(arming) => {
                let how = format!("armed: {}", arming.consequence);
                (EventKind::CommandArmed, Severity::Warning, how)
            }
            Verdict::Refused(refusal) => {
                let how = format!("refused: {}", refusal.reason);
                (EventKind::CommandRefused, Severity::Warning, how)
            }
        };
        let message = format!("{} by {}: {how}", command.action.kind(), command.issuer);
        self.record_plain(kind, severity, &command.operation.to_string(), message, now);
    }

    /// A command that never came to the engine. A repeated one may have lost its outcome with
    /// the run that took it up: the refusal ends the operation, and counts for nothing where
    /// another outcome is there already. One that is still being followed has its own to come.
    fn tell_refused(&mut self, operation: OperationId, refusal: Refusal, now: Now) {
        let message = format!("a command was refused: {}", refusal.reason);
        let subject = operation.to_string();
        self.record_plain(EventKind::CommandRefused, Severity::Warning, &subject, message, now);
        let followed = self.pending.iter().any(|pending| pending.operation == operation)
            || self.armed.iter().any(|armed| armed.operation == operation);
        if !followed {
            let waits = Waits::nothing(false);
            self.await_outcome(operation, Verdict::Refused(refusal), waits, now);
        }
    }

    pub(super) fn record_outcome(
        &mut self,
        operation: OperationId,
        verdict: Verdict,
        seen: Seen,
        now: Now,
    ) {
        let (at_ms, Seen { observed, state, verified, reason }) = (now.wall_ms, seen);
        let outcome = Outcome { operation, verdict, observed, state, verified, at_ms, reason };
        self.journal.put(Entry::Outcome(outcome.clone()));
        // Whoever asked at the machine waits there; nobody else knows the operation.
        match self.orders.iter().position(|(order, _)| *order == operation) {
            Some(index) => {
                let (_, client) = self.orders.swap_remove(index);
                self.answer(Answer::Ended { client, outcome });
            }
            None => self.outbox.push(&Record { at_ms, body: RecordBody::Outcome(outcome) }),
        }
    }
}

/// What proves an outcome, or stands against it.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) observed: Option<f64>,
    pub(super) state: Option<PowerState>,
    pub(super) verified: bool,
    pub(super) reason: Option<String>,
}
