//! Operations that were answered and not yet seen to come about.

use super::Cycle;
use super::commands::{Seen, Waits};
use crate::hands::number_of_observed;
use crate::words::{Now, level};
use flyball_command::{OperationId, Verdict};
use flyball_driver_messages::{ActuatorState, DeedError};
use flyball_safety::{ActuatorId, Level, Observed};
use std::time::Duration;

/// Operations that wait at once; a further one is answered as it stands.
const MAX_PENDING: usize = 64;
/// How long a read-back may take to agree.
const AGREE_WITHIN: Duration = Duration::from_secs(5);
/// Equipment is read back at its own pace, and a switch may take minutes.
const AT_MOST: Duration = Duration::from_secs(900);

#[derive(Debug)]
pub(super) struct Pending {
    pub(super) operation: OperationId,
    verdict: Verdict,
    waits: Waits,
    until: Duration,
}

impl Cycle {
    /// Records the outcome of what is over, and follows the rest.
    pub(super) fn await_outcome(
        &mut self,
        operation: OperationId,
        verdict: Verdict,
        waits: Waits,
        now: Now,
    ) {
        let within = match &waits {
            Waits::Nothing { verified, observed, state } => {
                let (verified, observed, state) = (*verified, *observed, *state);
                let seen = Seen { verified, observed, state, reason: None };
                self.record_outcome(operation, verdict, seen, now);
                return;
            }
            // The outcome belongs to whoever confirms it, or to the end of its time.
            Waits::Confirmation => return,
            Waits::Agreement(targets) => self.agree_within(targets),
            Waits::Verb(_) | Waits::Errand(_) | Waits::SelfTest => AT_MOST,
        };
        if self.pending.len() == MAX_PENDING || matches!(verdict, Verdict::Refused(_)) {
            self.record_outcome(operation, verdict, Seen::default(), now);
            return;
        }
        self.pending.push(Pending { operation, verdict, waits, until: now.mono + within });
    }

    /// As long as the slowest of them may take.
    fn agree_within(&self, targets: &[ActuatorId]) -> Duration {
        let entries = targets.iter().filter_map(|id| self.catalog.actuators.get(id.index()));
        entries
            .filter(|entry| entry.owner.key().is_some())
            .map(|entry| entry.verify_within)
            .fold(AGREE_WITHIN, Duration::max)
    }

    /// Ends the operations whose actuators agree, or that have had their time.
    pub(super) fn settle_pending(&mut self) {
        let now = self.now();
        let mut index = 0;
        while let Some(pending) = self.pending.get(index) {
            let agrees = match &pending.waits {
                Waits::Agreement(targets) => {
                    !self.shared.facts.dry_run && targets.iter().all(|it| self.agrees(*it))
                }
                Waits::Verb(actuator) => {
                    // It stood already, or its end was told before anybody waited for it.
                    let switch = self.engine.switch(*actuator);
                    switch.is_none_or(|switch| switch.in_flight.is_none())
                }
                Waits::Nothing { .. }
                | Waits::Errand(_)
                | Waits::SelfTest
                | Waits::Confirmation => false,
            };
            if !agrees && now.mono < pending.until {
                index += 1;
                continue;
            }
            let Pending { operation, verdict, waits, .. } = self.pending.swap_remove(index);
            let seen = match &waits {
                Waits::Agreement(targets) => {
                    let observed = self.observed(targets);
                    let reason = if agrees { None } else { self.disagreement(targets) };
                    Seen { observed, verified: agrees, state: None, reason }
                }
                Waits::Verb(actuator) => self.seen_switch(*actuator, agrees),
                Waits::Nothing { .. }
                | Waits::Errand(_)
                | Waits::SelfTest
                | Waits::Confirmation => Seen::default(),
            };
            self.record_outcome(operation, verdict, seen, now);
        }
    }

    fn seen_switch(&self, actuator: ActuatorId, verified: bool) -> Seen {
        let power = self.engine.switch(actuator).and_then(|switch| switch.power);
        let against = self.complaints.of(actuator).map(str::to_owned);
        Seen { state: power, verified, observed: None, reason: against.filter(|_| !verified) }
    }

    /// What was asked of a switch has come to its end.
    pub(super) fn settle_verb(&mut self, actuator: ActuatorId, reached: bool, now: Now) {
        while let Some(index) = self
            .pending
            .iter()
            .position(|pending| matches!(pending.waits, Waits::Verb(it) if it == actuator))
        {
            let Pending { operation, verdict, .. } = self.pending.swap_remove(index);
            let seen = self.seen_switch(actuator, reached);
            self.record_outcome(operation, verdict, seen, now);
        }
    }

    /// A self-test has come to its end.
    pub(super) fn settle_self_test(&mut self, passed: bool, now: Now) {
        let is_it = |pending: &Pending| matches!(pending.waits, Waits::SelfTest);
        while let Some(index) = self.pending.iter().position(is_it) {
            let Pending { operation, verdict, .. } = self.pending.swap_remove(index);
            let seen = Seen { verified: passed, ..Seen::default() };
            self.record_outcome(operation, verdict, seen, now);
        }
    }

    /// An errand has come to its end.
    pub(super) fn settle_errand(
        &mut self,
        request: u64,
        outcome: &Result<ActuatorState, DeedError>,
        verified: bool,
        now: Now,
    ) {
        let is_it = |waits: &Waits| matches!(waits, Waits::Errand(it) if *it == request);
        let Some(index) = self.pending.iter().position(|pending| is_it(&pending.waits)) else {
            return;
        };
        let Pending { operation, verdict, .. } = self.pending.swap_remove(index);
        let observed = match outcome {
            Ok(ActuatorState::Lit(lit)) => Some(f64::from(u8::from(*lit))),
            Ok(ActuatorState::Level(level)) => Some(*level),
            Ok(_) | Err(_) => None,
        };
        let reason = outcome.as_ref().err().map(|error| error.message.clone());
        let seen = Seen { observed, verified, state: None, reason };
        self.record_outcome(operation, verdict, seen, now);
    }

    /// Why levels were not reached: what was said against it, or what is read back instead.
    fn disagreement(&self, targets: &[ActuatorId]) -> Option<String> {
        let astray = targets.iter().copied().find(|target| !self.agrees(*target))?;
        if let Some(said) = self.complaints.of(astray) {
            return Some(said.to_owned());
        }
        let name = self.names.actuator(astray);
        let view = self.engine.actuator(astray)?;
        let shown = match view.observed {
            Some(Ok(seen)) => number_of_observed(seen).map_or_else(
                || "is under another control".to_owned(),
                |seen| format!("reads back {seen}"),
            ),
            Some(Err(reason)) => format!("cannot be read back ({})", reason.name()),
            None => "was never read back".to_owned(),
        };
        Some(format!("{name} was asked for {} and {shown}", level(view.wanted)))
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
            (Level::Frequency(wanted), Some(Ok(Observed::Frequency(seen)))) => {
                (wanted.get() - seen.get()).abs() <= tolerance
            }
            _ => false,
        }
    }

    /// The level of the target that gives the least: the highest cap, the lowest duty.
    pub(super) fn observed(&self, targets: &[ActuatorId]) -> Option<f64> {
        let seen = |id: &ActuatorId| self.engine.actuator(*id)?.observed?.ok();
        let all: Vec<Observed> = targets.iter().filter_map(seen).collect();
        let caps = all.iter().any(|it| matches!(it, Observed::Cap(_) | Observed::Frequency(_)));
        let numbers = all.into_iter().filter_map(number_of_observed);
        if caps { numbers.reduce(f64::max) } else { numbers.reduce(f64::min) }
    }
}
