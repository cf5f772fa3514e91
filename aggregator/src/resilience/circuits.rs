//! A breaker for each target outside.

use super::{Breaker, Shut};
use crate::metrics::Metrics;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Targets that are known at once; of more, those that were used longest ago are forgotten.
const TARGETS: usize = 500;

/// What leaves the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outside {
    Export,
    /// A provider of OpenID Connect.
    #[cfg(feature = "oidc")]
    Identity,
    Mail,
    /// A bucket.
    Objects,
    Webhook,
}

impl Outside {
    const fn name(self) -> &'static str {
        match self {
            Self::Export => "export",
            #[cfg(feature = "oidc")]
            Self::Identity => "identity",
            Self::Mail => "mail",
            Self::Objects => "objects",
            Self::Webhook => "webhook",
        }
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Target {
    kind: &'static str,
    target: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Attempt {
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Default)]
struct Known {
    breaker: Breaker,
    used_at_ms: u64,
}

/// The lock is held for a look-up only; tasks of many kinds share it.
#[derive(Clone, Debug)]
pub struct Circuits {
    known: Arc<Mutex<HashMap<Target, Known>>>,
    states: Family<Target, Gauge>,
    attempts: Family<Attempt, Counter>,
}

impl Circuits {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let circuits =
            Self { known: Arc::default(), states: Family::default(), attempts: Family::default() };
        metrics.register(|registry| {
            registry.register(
                "outbound_circuit_state",
                "Breakers of targets outside: 0 closed, 1 half open, 2 open",
                circuits.states.clone(),
            );
            registry.register(
                "outbound_attempts",
                "Attempts to reach targets outside, by what came of them",
                circuits.attempts.clone(),
            );
        });
        circuits
    }

    /// May an attempt at `target` be made now?
    ///
    /// # Errors
    /// Until when it may not.
    pub fn ask(&self, outside: Outside, target: &str, now_ms: u64) -> Result<(), Shut> {
        let asked = self.with(outside, target, now_ms, |breaker| breaker.ask(now_ms));
        if asked.is_err() {
            self.count(outside, "spared");
        }
        asked
    }

    pub fn succeeded(&self, outside: Outside, target: &str, now_ms: u64) {
        self.count(outside, "succeeded");
        self.with(outside, target, now_ms, Breaker::handle_success);
    }

    pub fn failed(&self, outside: Outside, target: &str, now_ms: u64) {
        self.count(outside, "failed");
        self.with(outside, target, now_ms, |breaker| breaker.handle_failure(now_ms));
    }

    fn count(&self, outside: Outside, outcome: &'static str) {
        self.attempts.get_or_create(&Attempt { kind: outside.name(), outcome }).inc();
    }

    fn with<T>(
        &self,
        outside: Outside,
        target: &str,
        now_ms: u64,
        act: impl FnOnce(&mut Breaker) -> T,
    ) -> T {
        let target = Target { kind: outside.name(), target: target.to_owned() };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= TARGETS && !known.contains_key(&target) {
            let oldest = known.iter().min_by_key(|(_, known)| known.used_at_ms);
            if let Some(oldest) = oldest.map(|(target, _)| target.clone()) {
                known.remove(&oldest);
                self.states.remove(&oldest);
            }
        }
        let one = known.entry(target.clone()).or_default();
        one.used_at_ms = now_ms;
        let done = act(&mut one.breaker);
        self.states.get_or_create(&target).set(one.breaker.number());
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_targets_does_not_grow_what_is_known() {
        let circuits = Circuits::new(&Metrics::new());
        for number in 0..TARGETS as u64 + 100 {
            circuits.failed(Outside::Webhook, &format!("h{number}"), number);
        }
        assert_eq!(circuits.known.lock().unwrap().len(), TARGETS);
    }

    #[test]
    fn the_state_of_a_breaker_stands_in_the_metrics() {
        let metrics = Metrics::new();
        let circuits = Circuits::new(&metrics);
        for _ in 0..5 {
            circuits.failed(Outside::Mail, "mx.example.org", 0);
        }
        assert!(circuits.ask(Outside::Mail, "mx.example.org", 1).is_err());
        let text = metrics.expose().unwrap();
        let line = "flyball_outbound_circuit_state{kind=\"mail\",target=\"mx.example.org\"} 2";
        assert!(text.contains(line), "{text}");
        assert!(text.contains("outcome=\"spared\"} 1"), "{text}");
    }
}
