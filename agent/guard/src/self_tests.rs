//! Self-tests over time: when the next is due, and what came of the last, on disk.

use crate::durable;
use crate::policy::SelfTestRule;
use flyball_guard_messages::{SelfTest, SelfTestEnd, SelfTestResult};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::Path;
use std::time::Duration;
use uuid::Uuid;

const FILE: &str = "self-test.toml";
/// What is due for longer than this, and could not be run, is told.
const GRACE_MS: u64 = 3_600_000;
/// How long after a refusal, and after one that was broken off, the next is tried.
const AFTER_REFUSAL: Duration = Duration::from_secs(10);
const AFTER_ABORT: Duration = Duration::from_secs(600);

/// What outlives a restart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tested {
    /// The boot in which the last one came to its own end.
    pub(crate) boot: Option<Uuid>,
    pub(crate) last: Option<SelfTestResult>,
    /// The last one that was broken off, where that was after `last`.
    pub(crate) aborted: Option<SelfTestResult>,
}

pub(crate) fn save(state: &Path, tested: &Tested) -> io::Result<()> {
    let text = toml::to_string(tested).map_err(io::Error::other)?;
    durable::replace(&state.join(FILE), text.as_bytes())
}

/// # Errors
/// Where the file is there and can't be read: then nobody knows when it was tested, and it is due.
pub(crate) fn load(state: &Path) -> io::Result<Tested> {
    match durable::read(&state.join(FILE))? {
        Some(text) => toml::from_str(&text).map_err(io::Error::other),
        None => Ok(Tested::default()),
    }
}

#[derive(Debug)]
pub(crate) struct SelfTests {
    rule: SelfTestRule,
    boot: Uuid,
    started_ms: u64,
    pub(crate) tested: Tested,
    /// It is not tried before.
    next_try: Duration,
    overdue_told: bool,
}

impl SelfTests {
    pub(crate) const fn new(
        rule: SelfTestRule,
        boot: Uuid,
        started_ms: u64,
        tested: Tested,
    ) -> Self {
        let next_try = Duration::ZERO;
        Self { rule, boot, started_ms, tested, next_try, overdue_told: false }
    }

    /// Goes by another rule from now on.
    pub(crate) fn follow(&mut self, rule: SelfTestRule) {
        if self.rule != rule {
            self.rule = rule;
            self.overdue_told = false;
        }
    }

    /// When the next is due; `None` where nobody asks for any.
    pub(crate) fn due_ms(&self) -> Option<u64> {
        let at_start = self.rule.at_start && self.tested.boot != Some(self.boot);
        let start = at_start.then_some(self.started_ms);
        let tested_ms = self.tested.last.as_ref().map(|last| last.ended_ms);
        let again = self.rule.every.map(|every| match tested_ms {
            Some(ms) => ms.saturating_add(crate::words::whole_ms(every)),
            None => self.started_ms,
        });
        start.into_iter().chain(again).min()
    }

    pub(crate) fn is_due(&self, mono: Duration, wall_ms: u64) -> bool {
        mono >= self.next_try && self.due_ms().is_some_and(|due_ms| due_ms <= wall_ms)
    }

    pub(crate) fn overdue(&self, wall_ms: u64) -> bool {
        self.due_ms().is_some_and(|due_ms| wall_ms >= due_ms.saturating_add(GRACE_MS))
    }

    /// True once, when it has become overdue.
    pub(crate) fn tell_overdue(&mut self, wall_ms: u64) -> bool {
        let overdue = self.overdue(wall_ms);
        overdue && !std::mem::replace(&mut self.overdue_told, overdue)
    }

    pub(crate) fn refused(&mut self, mono: Duration) {
        self.next_try = mono + AFTER_REFUSAL;
    }

    pub(crate) fn ended(&mut self, result: SelfTestResult, mono: Duration) {
        if result.end == SelfTestEnd::Aborted {
            self.next_try = mono + AFTER_ABORT;
            self.tested.aborted = Some(result);
        } else {
            let (boot, last) = (Some(self.boot), Some(result));
            self.tested = Tested { boot, last, aborted: None };
            self.overdue_told = false;
        }
    }

    pub(crate) fn snapshot(&self, running_until_ms: Option<u64>, wall_ms: u64) -> SelfTest {
        SelfTest {
            running_until_ms,
            last: self.tested.last.clone(),
            aborted: self.tested.aborted.clone(),
            due_ms: self.due_ms(),
            overdue: self.overdue(wall_ms),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flyball_guard_messages::TrialSnapshot;
    use flyball_units::Unit;

    const DAY_MS: u64 = 86_400_000;
    const NOW_MS: u64 = 1_700_000_000_000;

    fn result(end: SelfTestEnd, ended_ms: u64) -> SelfTestResult {
        let trial = TrialSnapshot {
            actuator: "nct6775/pwm1".into(),
            unit: Unit::One,
            asked: Some(1.0),
            observed: None,
            took_ms: Some(250),
            back_ms: None,
        };
        let message = "2 of 2 obeyed".to_owned();
        SelfTestResult { began_ms: ended_ms - 9_000, ended_ms, end, message, trials: vec![trial] }
    }

    fn tests_of(at_start: bool, days: Option<u64>, tested: Tested) -> SelfTests {
        let every = days.map(|days| Duration::from_millis(days * DAY_MS));
        SelfTests::new(SelfTestRule { at_start, every }, Uuid::from_u128(7), NOW_MS, tested)
    }

    #[test]
    fn what_was_tested_survives_and_a_damaged_file_is_an_error() {
        let state = tempfile::tempdir().unwrap();
        assert_eq!(load(state.path()).unwrap(), Tested::default());
        let tested = Tested {
            boot: Some(Uuid::from_u128(3)),
            last: Some(result(SelfTestEnd::Passed, NOW_MS)),
            aborted: Some(result(SelfTestEnd::Aborted, NOW_MS + 5)),
        };
        save(state.path(), &tested).unwrap();
        assert_eq!(load(state.path()).unwrap(), tested);
        std::fs::write(state.path().join(FILE), "boot = 3").unwrap();
        assert!(load(state.path()).is_err());
    }

    #[test]
    fn it_is_due_once_a_boot_and_so_many_days_after_the_last() {
        assert_eq!(tests_of(false, None, Tested::default()).due_ms(), None);
        assert_eq!(tests_of(false, Some(30), Tested::default()).due_ms(), Some(NOW_MS));
        let mut tests = tests_of(true, Some(30), Tested::default());
        assert_eq!(tests.due_ms(), Some(NOW_MS));
        let mono = Duration::from_secs(5);
        assert!(tests.is_due(mono, NOW_MS) && !tests.is_due(mono, NOW_MS - 1));
        tests.refused(mono);
        assert!(!tests.is_due(mono, NOW_MS) && tests.is_due(mono + AFTER_REFUSAL, NOW_MS));
        tests.ended(result(SelfTestEnd::Aborted, NOW_MS), mono);
        assert_eq!(tests.due_ms(), Some(NOW_MS), "one that was broken off proves nothing");
        assert!(!tests.is_due(mono + AFTER_REFUSAL, NOW_MS));
        assert!(tests.is_due(mono + AFTER_ABORT, NOW_MS));
        tests.ended(result(SelfTestEnd::Failed, NOW_MS), mono);
        assert_eq!((tests.due_ms(), &tests.tested.aborted), (Some(NOW_MS + 30 * DAY_MS), &None));
        // The same boot after a restart of the guard, and another one.
        let again = tests_of(true, None, tests.tested.clone());
        assert_eq!(again.due_ms(), None);
        let rule = SelfTestRule { at_start: true, every: None };
        let other = SelfTests::new(rule, Uuid::from_u128(8), NOW_MS + 9, tests.tested);
        assert_eq!(other.due_ms(), Some(NOW_MS + 9));
    }

    #[test]
    fn it_is_overdue_an_hour_after_it_was_due_and_that_is_told_once() {
        let mut tests = tests_of(true, None, Tested::default());
        assert!(!tests.overdue(NOW_MS + GRACE_MS - 1) && !tests.tell_overdue(NOW_MS));
        assert!(tests.overdue(NOW_MS + GRACE_MS));
        assert!(tests.tell_overdue(NOW_MS + GRACE_MS));
        assert!(!tests.tell_overdue(NOW_MS + GRACE_MS + 1));
        let snapshot = tests.snapshot(Some(4), NOW_MS + GRACE_MS);
        assert_eq!((snapshot.overdue, snapshot.running_until_ms), (true, Some(4)));
        tests.ended(result(SelfTestEnd::Passed, NOW_MS + GRACE_MS), Duration::ZERO);
        assert!(!tests.overdue(NOW_MS + 2 * GRACE_MS));
    }
}
