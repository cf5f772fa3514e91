//! Commands that passed the link: answered at once, and followed until the read-back agrees.

use super::Cycle;
use crate::desk::{Answer, Question};
use crate::hands::number_of_observed;
use crate::journal::Entry;
use crate::words::{self, Now};
use flyball_command::{Action, Command, OperationId, Outcome, Refusal, RefusalKind, Verdict};
use flyball_guard_messages::{EventKind, Inventory, Record, RecordBody, Severity};
use flyball_safety::{ActuatorId, Level, Observed, Proposal, Target};
use flyball_units::Unit;
use std::time::Duration;

/// Questions that are answered in one turn.
const PER_TURN: usize = 4;
/// Operations that wait for their read-back at once; a further one is answered as it stands.
const MAX_PENDING: usize = 16;
/// How long a read-back may take to agree.
const AGREE_WITHIN: Duration = Duration::from_secs(5);

/// An operation whose actuators have been driven and not yet seen to follow.
#[derive(Debug)]
pub(super) struct Pending {
    operation: OperationId,
    verdict: Verdict,
    targets: Vec<ActuatorId>,
    until: Duration,
}

/// What a command asks of the engine.
enum Wish {
    Drive(Proposal, Vec<ActuatorId>, Unit),
    Clear(String),
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
                Question::Validate { client, request, action } => {
                    let verdict = self.validate(&action, now);
                    self.answer(Answer::Validated { client, request, verdict });
                }
                Question::Refused { operation, refusal } => {
                    self.tell_refused(operation, refusal, now)
                }
                Question::View { client, purpose } => {
                    let inventory = self.inventory(now);
                    self.answer(Answer::View { client, purpose, inventory: Box::new(inventory) });
                }
            }
        }
    }

    fn inventory(&self, now: Now) -> Inventory {
        Inventory {
            limits: words::limits(&self.engine, &self.names, now),
            actuators: words::actuators(&self.engine, &self.catalog),
            equipment: self.equipment.clone(),
            ..Inventory::default()
        }
    }

    fn answer(&mut self, answer: Answer) {
        // A link that takes no answers has lost its clients too.
        if self.answers.try_send(answer).is_ok() {
            self.shared.bell.ring();
        }
    }

    /// The verdict that a command would get.
    fn validate(&self, action: &Action, now: Now) -> Verdict {
        match self.wish(action) {
            Ok(Wish::Drive(proposal, targets, unit)) => {
                let answer = self.engine.validate(proposal);
                let verdict = words::verdict(answer, unit, &self.names, now);
                self.beyond_hardware(proposal, answer, &targets, now).unwrap_or(verdict)
            }
            Ok(Wish::Clear(limit)) => self.judge_clear(&limit, now),
            Err(refusal) => Verdict::Refused(*refusal),
        }
    }

    /// What stands against clearing a trip.
    fn judge_clear(&self, limit: &str, now: Now) -> Verdict {
        let Some(id) = self.names.limit_id(limit) else {
            if self.latches.iter().any(|latch| latch.limit == limit) {
                return Verdict::Accepted;
            }
            let why = flyball_safety::Refusal::NoLimit;
            return Verdict::Refused(words::refusal(why, Unit::One, &self.names, now));
        };
        match self.engine.validate_clear(id) {
            Ok(()) => Verdict::Accepted,
            Err(why) => {
                let unit = self.names.limit_unit(id).unwrap_or(Unit::One);
                Verdict::Refused(words::refusal(why, unit, &self.names, now))
            }
        }
    }

    fn propose(&mut self, command: Command, now: Now) -> Verdict {
        let (verdict, targets) = match self.wish(&command.action) {
            Ok(Wish::Drive(proposal, targets, unit)) => {
                let answer = self.engine.handle_proposal(proposal, now.moment());
                self.act(None, now);
                let verdict = words::verdict(answer, unit, &self.names, now);
                (self.beyond_hardware(proposal, answer, &targets, now).unwrap_or(verdict), targets)
            }
            Ok(Wish::Clear(limit)) => (self.clear(&limit, now), Vec::new()),
            Err(refusal) => (Verdict::Refused(*refusal), Vec::new()),
        };
        self.tell_verdict(&command, &verdict, now);
        let settled = targets.is_empty() || self.pending.len() == MAX_PENDING;
        let (operation, until) = (command.operation, now.mono + AGREE_WITHIN);
        if matches!(verdict, Verdict::Refused(_)) || settled {
            let verified = targets.is_empty() && !matches!(verdict, Verdict::Refused(_));
            self.record_outcome(operation, verdict.clone(), None, verified, now);
        } else {
            self.pending.push(Pending { operation, verdict: verdict.clone(), targets, until });
        }
        verdict
    }

    /// A cap above what the hardware takes is refused by a limit like any other: the hardware's
    /// own. The operator is told the same things of it.
    fn beyond_hardware(
        &self,
        proposal: Proposal,
        answer: flyball_safety::Verdict,
        targets: &[ActuatorId],
        now: Now,
    ) -> Option<Verdict> {
        let flyball_safety::Verdict::Refused(flyball_safety::Refusal::Range { max, .. }) = answer
        else {
            return None;
        };
        let Proposal::PowerCap { watts, .. } = proposal else {
            return None;
        };
        let refused_above = watts.get() > max;
        let by = targets.first().map_or("", |target| self.names.actuator(*target));
        refused_above.then(|| {
            Verdict::Refused(Refusal {
                kind: RefusalKind::Interlock,
                interlock: by.to_owned(),
                reading: self.observed(targets),
                limit: Some(max),
                unit: Some(Unit::Watt),
                since_ms: Some(now.wall_ms.saturating_sub(words::whole_ms(now.mono))),
                clears_when: format!("it is asked for at most {max:.1} W"),
                reason: format!("{by} takes at most {max:.1} W"),
            })
        })
    }

    fn clear(&mut self, limit: &str, now: Now) -> Verdict {
        let Some(id) = self.names.limit_id(limit) else {
            // A trip of a limit that the policy no longer has can be cleared by its name.
            if self.forget_latch(limit) {
                self.keep_latches();
                return Verdict::Accepted;
            }
            let why = flyball_safety::Refusal::NoLimit;
            return Verdict::Refused(words::refusal(why, Unit::One, &self.names, now));
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
                Verdict::Refused(words::refusal(why, unit, &self.names, now))
            }
        }
    }

    fn wish(&self, action: &Action) -> Result<Wish, Box<Refusal>> {
        let drive = |proposal, targets, unit| Ok(Wish::Drive(proposal, targets, unit));
        match action {
            Action::SetPowerCap { actuator, watts } => {
                let (target, targets) = self.target(actuator.as_deref(), Unit::Watt)?;
                drive(Proposal::PowerCap { target, watts: *watts }, targets, Unit::Watt)
            }
            Action::ClearPowerCap { actuator } => {
                let (target, targets) = self.target(actuator.as_deref(), Unit::Watt)?;
                drive(Proposal::ClearPowerCap { target }, targets, Unit::Watt)
            }
            Action::SetFanFloor { actuator, floor } => {
                let (target, targets) = self.target(actuator.as_deref(), Unit::One)?;
                drive(Proposal::FanFloor { target, floor: *floor }, targets, Unit::One)
            }
            Action::ClearFanFloor { actuator } => {
                let (target, targets) = self.target(actuator.as_deref(), Unit::One)?;
                drive(Proposal::ClearFanFloor { target }, targets, Unit::One)
            }
            Action::ClearTrip { limit, .. } => Ok(Wish::Clear(limit.clone())),
            Action::Reset { .. }
            | Action::Confirm { .. }
            | Action::SetLock(_)
            | Action::ReleaseLock { .. }
            | Action::SetFleetLimits { .. }
            | Action::SetIndicator { .. }
            | Action::SetFrequencyCap { .. }
            | Action::ClearFrequencyCap { .. }
            | Action::SetProfile { .. }
            | Action::SetService { .. }
            | Action::SetBootOnce { .. } => Err(crate::command::refusal(
                RefusalKind::Invalid,
                &format!("this machine has nothing that takes `{}`", action.kind()),
                "it is asked of a machine that has it",
            )),
        }
    }

    /// The engine's target of a name, and the actuators that are meant by it.
    fn target(
        &self,
        name: Option<&str>,
        unit: Unit,
    ) -> Result<(Target, Vec<ActuatorId>), Box<Refusal>> {
        let Some(name) = name else {
            let ids = (0..).map(ActuatorId::new).zip(&self.catalog.actuators);
            let of_unit = ids.filter(|(_, actuator)| actuator.unit == unit).map(|(id, _)| id);
            return Ok((Target::All, of_unit.collect()));
        };
        match self.names.actuator_id(name) {
            Some(id) => Ok((Target::One(id), vec![id])),
            None => Err(crate::command::refusal(
                RefusalKind::Invalid,
                &format!("this machine has no actuator `{name}`"),
                "an actuator is named that the machine has",
            )),
        }
    }

    /// Ends the operations whose actuators agree, or have had their time.
    pub(super) fn settle_pending(&mut self) {
        let now = self.now();
        let mut index = 0;
        while let Some(pending) = self.pending.get(index) {
            let agrees = !self.shared.facts.dry_run
                && pending.targets.iter().all(|target| self.agrees(*target));
            if !agrees && now.mono < pending.until {
                index += 1;
                continue;
            }
            let Pending { operation, verdict, targets, .. } = self.pending.swap_remove(index);
            let observed = self.observed(&targets);
            self.record_outcome(operation, verdict, observed, agrees, now);
        }
    }

    fn agrees(&self, target: ActuatorId) -> bool {
        let Some(view) = self.engine.actuator(target) else {
            return false;
        };
        let spec = self.engine.config().plan().actuators.get(target.index());
        let tolerance = spec.map_or(0.0, |spec| spec.tolerance) + f64::EPSILON;
        match (view.wanted, view.observed) {
            (Level::Automatic, Some(Ok(Observed::Automatic(_)))) => true,
            (Level::Duty(wanted), Some(Ok(Observed::Duty(seen)))) => {
                (wanted.get() - seen.get()).abs() <= tolerance
            }
            (Level::Cap(wanted), Some(Ok(Observed::Cap(seen)))) => {
                (wanted.get() - seen.get()).abs() <= tolerance
            }
            _ => false,
        }
    }

    /// The level of the target that gives the least: the highest cap, the lowest duty.
    fn observed(&self, targets: &[ActuatorId]) -> Option<f64> {
        let seen = |id: &ActuatorId| self.engine.actuator(*id)?.observed?.ok();
        let all: Vec<Observed> = targets.iter().filter_map(seen).collect();
        let caps = all.iter().any(|observed| matches!(observed, Observed::Cap(_)));
        let numbers = all.into_iter().filter_map(number_of_observed);
        if caps { numbers.reduce(f64::max) } else { numbers.reduce(f64::min) }
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
        if self.pending.iter().all(|pending| pending.operation != operation) {
            self.record_outcome(operation, Verdict::Refused(refusal), None, false, now);
        }
    }

    fn record_outcome(
        &mut self,
        operation: OperationId,
        verdict: Verdict,
        observed: Option<f64>,
        verified: bool,
        now: Now,
    ) {
        let at_ms = now.wall_ms;
        let outcome = Outcome { operation, verdict, observed, state: None, verified, at_ms };
        self.journal.put(Entry::Outcome(outcome.clone()));
        self.outbox.push(&Record { at_ms, body: RecordBody::Outcome(outcome) });
    }
}
