//! Self-tests: begun when they are due or asked for, and what the engine found put down.

use super::Cycle;
use super::commands::{Answered, Waits};
use crate::hands::{number_of_level, number_of_observed};
use crate::journal::Kept;
use crate::words::Now;
use flyball_command::{Refusal, RefusalKind, Verdict};
use flyball_guard_messages::{
    EventKind, SelfTest, SelfTestEnd, SelfTestResult, Severity, TrialSnapshot,
};
use flyball_safety::{self as safety, Aborted, Trial};
use flyball_units::Unit;

const SUBJECT: &str = "self-test";

impl Cycle {
    /// What stands against a self-test.
    pub(super) fn judge_self_test(&self, now: Now) -> Result<(), Box<Refusal>> {
        if self.shared.facts.dry_run {
            return Err(crate::command::refusal(
                RefusalKind::WrongState,
                "this is a dry run, which drives nothing: a self-test would prove nothing",
                "the guard runs without --dry-run",
            ));
        }
        if !self.pending.is_empty() {
            return Err(crate::command::refusal(
                RefusalKind::Busy,
                "a command is under way",
                "it has come to its end",
            ));
        }
        let refused = |why| Box::new(self.teller(now).refusal(why, Unit::One));
        self.engine.validate_self_test().map_err(refused)
    }

    pub(super) fn begin_self_test(&mut self, now: Now) -> Result<Answered, Box<Refusal>> {
        self.judge_self_test(now)?;
        match self.engine.handle_self_test(now.moment()) {
            Ok(_) => Ok(Answered { verdict: Verdict::Accepted, waits: Waits::SelfTest }),
            Err(why) => Err(Box::new(self.teller(now).refusal(why, Unit::One))),
        }
    }

    /// Begins the one that is due, as soon as nothing stands against it.
    pub(super) fn keep_self_testing(&mut self) {
        let now = self.now();
        if !self.shared.facts.dry_run && self.self_tests.is_due(now.mono, now.wall_ms) {
            self.self_tests.refused(now.mono);
            // Whoever wants to know why it does not begin asks for one.
            let _ = self.begin_self_test(now);
        }
        if self.self_tests.tell_overdue(now.wall_ms) {
            let why = match self.judge_self_test(now) {
                Ok(()) => String::new(),
                Err(refusal) => format!(": {}", refusal.reason),
            };
            let message = format!("the self-test is overdue{why}");
            let (kind, severity) = (EventKind::SelfTestOverdue, Severity::Warning);
            self.record_plain(kind, severity, SUBJECT, message, now);
        }
    }

    /// The engine has ended one.
    pub(super) fn end_self_test(&mut self, end: safety::SelfTestEnd, now: Now) {
        let Some(view) = self.engine.self_test() else {
            return;
        };
        let trials: Vec<TrialSnapshot> = view.trials.iter().map(|it| self.trial(it)).collect();
        let unsound = view.trials.iter().filter(|trial| !trial.passed());
        let unsound: Vec<&str> = unsound.map(|it| self.names.actuator(it.actuator)).collect();
        let (end, severity, message) = match end {
            safety::SelfTestEnd::Passed => {
                let message = format!("passed: {} of {} obeyed", trials.len(), trials.len());
                (SelfTestEnd::Passed, Severity::Info, message)
            }
            safety::SelfTestEnd::Failed => {
                let message = format!("failed: {} did not obey", unsound.join(", "));
                (SelfTestEnd::Failed, Severity::Critical, message)
            }
            safety::SelfTestEnd::Aborted(why) => {
                let message = format!("broken off: {}", self.broken_off(why));
                (SelfTestEnd::Aborted, Severity::Warning, message)
            }
        };
        let began_ms = now.wall_ms_of(view.began);
        let ended_ms = view.ended.map_or(now.wall_ms, |(at, _)| now.wall_ms_of(at));
        let told = format!("the self-test {message}");
        let result = SelfTestResult { began_ms, ended_ms, end, message, trials };
        self.self_tests.ended(result, now.mono);
        self.keep(Kept::SelfTest(self.self_tests.tested.clone()));
        let passed = end == SelfTestEnd::Passed;
        self.record_plain(EventKind::SelfTestEnded { passed }, severity, SUBJECT, told, now);
        self.settle_self_test(passed, now);
    }

    fn broken_off(&self, why: Aborted) -> String {
        match why {
            Aborted::Limit(limit) => format!("{} is not calm", self.names.limit(limit)),
            Aborted::Command => "something was asked of the machine".to_owned(),
            Aborted::Lock => "something was locked".to_owned(),
            Aborted::Replan => "sensors or actuators came or went".to_owned(),
            Aborted::Overtime => "it did not come to its end in its time".to_owned(),
        }
    }

    fn trial(&self, trial: &Trial) -> TrialSnapshot {
        let ms = |span: Option<std::time::Duration>| span.map(crate::words::whole_ms);
        let entry = self.catalog.actuators.get(trial.actuator.index());
        let observed = trial.observed.and_then(Result::ok);
        TrialSnapshot {
            actuator: self.names.actuator(trial.actuator).to_owned(),
            unit: entry.map_or(Unit::One, |entry| entry.unit),
            asked: trial.asked.and_then(number_of_level),
            observed: observed.and_then(number_of_observed),
            took_ms: ms(trial.took),
            back_ms: ms(trial.back),
        }
    }

    pub(super) fn self_test(&self, now: Now) -> SelfTest {
        let running = self.engine.self_test().filter(|test| test.ended.is_none());
        let until = running.map(|test| {
            let left = test.until.since(now.moment());
            now.wall_ms.saturating_add(crate::words::whole_ms(left))
        });
        self.self_tests.snapshot(until, now.wall_ms)
    }
}
