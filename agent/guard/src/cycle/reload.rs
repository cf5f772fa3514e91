//! A policy file that was changed while the guard runs: in force at once, or not at all.

use super::Cycle;
use crate::policy::Policy;
use crate::words::Now;
use flyball_guard_messages::{EventKind, Severity};

/// Faults that are told one by one.
const TOLD: usize = 8;

impl Cycle {
    /// A file with faults changes nothing: what was in force stays.
    pub(super) fn take_policy(&mut self, read: Result<Policy, Vec<String>>, now: Now) {
        let mut policy = match read {
            Ok(policy) => policy,
            Err(faults) => return self.reject_policy(&faults, now),
        };
        let later = self.leave_for_a_restart(&mut policy);
        let before = std::mem::replace(&mut self.policy, policy);
        if let Err(fault) = self.replan(now) {
            self.policy = before;
            return self.reject_policy(&[fault], now);
        }
        self.self_tests.follow(self.policy.self_test);
        let limits = self.names.limits.len();
        let mut message = format!("the changed policy file is in force: {limits} limits");
        if !later.is_empty() {
            message.push_str(&format!("; these take a restart: {}", later.join(", ")));
        }
        self.record_plain(EventKind::PolicyTaken, Severity::Info, "policy", message, now);
    }

    /// What is set up once at the start stays as it is; gives back what would have changed.
    fn leave_for_a_restart(&self, policy: &mut Policy) -> Vec<&'static str> {
        fn keep<T: Clone + PartialEq>(
            name: &'static str,
            of: &mut T,
            was: &T,
        ) -> Option<&'static str> {
            (of != was).then(|| {
                *of = was.clone();
                name
            })
        }
        let was = &self.policy;
        [
            keep("cycle_ms", &mut policy.timing.cycle, &was.timing.cycle),
            keep("realtime", &mut policy.realtime, &was.realtime),
            keep("[watchdog]", &mut policy.watchdog, &was.watchdog),
            keep("[host]", &mut policy.host, &was.host),
            keep("[services]", &mut policy.services, &was.services),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn reject_policy(&mut self, faults: &[String], now: Now) {
        for fault in faults.iter().take(TOLD) {
            let message = format!("the changed policy file is not taken: {fault}");
            let (kind, severity) = (EventKind::PolicyRejected, Severity::Critical);
            self.record_plain(kind, severity, "policy", message, now);
        }
    }
}
