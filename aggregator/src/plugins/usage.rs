//! How often plugins were called since this process started, how long that took, and how it ended.

use flyball_protocol::message::JobFailureKind;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Plugins that are counted; the calls of more are not.
const MAX_PLUGINS: usize = 1_000;

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Done,
    /// The input was wrong, or of a kind that the plugin does not know.
    Refused,
    /// It was stopped at a limit.
    Limited,
    /// It broke.
    Trapped,
    /// Anything else: a machine that has gone, a fault of ours.
    Failed,
}

impl From<JobFailureKind> for Ended {
    fn from(kind: JobFailureKind) -> Self {
        match kind {
            JobFailureKind::InvalidInput
            | JobFailureKind::Unsupported
            | JobFailureKind::Denied
            | JobFailureKind::Cancelled => Self::Refused,
            JobFailureKind::Limit => Self::Limited,
            JobFailureKind::Trapped => Self::Trapped,
            JobFailureKind::Upstream | JobFailureKind::Internal | JobFailureKind::Unavailable => {
                Self::Failed
            }
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    pub done: u64,
    pub refused: u64,
    pub limited: u64,
    pub trapped: u64,
    pub failed: u64,
    /// Of all calls together, from order to result.
    pub took: Duration,
    pub longest: Duration,
}

impl Calls {
    #[must_use]
    pub const fn all(&self) -> u64 {
        self.done + self.refused + self.limited + self.trapped + self.failed
    }

    const fn by_end(&self) -> [(&'static str, u64); 5] {
        [
            ("done", self.done),
            ("refused", self.refused),
            ("limited", self.limited),
            ("trapped", self.trapped),
            ("failed", self.failed),
        ]
    }
}

#[derive(Clone, Debug, Default)]
pub struct Usage(Arc<Mutex<BTreeMap<String, Calls>>>);

impl Usage {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Calls>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn count(&self, plugin: &str, ended: Ended, took: Duration) {
        let mut known = self.lock();
        if known.len() >= MAX_PLUGINS && !known.contains_key(plugin) {
            return;
        }
        let calls = known.entry(plugin.to_owned()).or_default();
        match ended {
            Ended::Done => calls.done += 1,
            Ended::Refused => calls.refused += 1,
            Ended::Limited => calls.limited += 1,
            Ended::Trapped => calls.trapped += 1,
            Ended::Failed => calls.failed += 1,
        }
        calls.took += took;
        calls.longest = calls.longest.max(took);
    }

    #[must_use]
    pub fn of(&self, plugin: &str) -> Calls {
        self.lock().get(plugin).copied().unwrap_or_default()
    }
}

impl Collector for Usage {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let known = self.lock().clone();
        let mut calls = encoder.encode_descriptor(
            "plugin_calls",
            "Calls of plugins, by how they ended",
            None,
            MetricType::Counter,
        )?;
        for (plugin, counts) in &known {
            for (result, count) in counts.by_end() {
                let labels = [("plugin", plugin.as_str()), ("result", result)];
                ConstCounter::new(count).encode(calls.encode_family(&labels)?)?;
            }
        }
        let mut took = encoder.encode_descriptor(
            "plugin_call_seconds",
            "Time that calls of plugins took, from order to result",
            None,
            MetricType::Counter,
        )?;
        for (plugin, counts) in &known {
            let labels = [("plugin", plugin.as_str())];
            ConstCounter::new(counts.took.as_secs_f64()).encode(took.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_by_how_they_ended() {
        let usage = Usage::default();
        usage.count("a", Ended::Done, Duration::from_millis(5));
        usage.count("a", JobFailureKind::Limit.into(), Duration::from_millis(20));
        usage.count("b", JobFailureKind::InvalidInput.into(), Duration::ZERO);
        let calls = usage.of("a");
        assert_eq!((calls.all(), calls.done, calls.limited), (2, 1, 1));
        assert_eq!(
            (calls.took, calls.longest),
            (Duration::from_millis(25), Duration::from_millis(20))
        );
        assert_eq!(usage.of("b").refused, 1);
        assert_eq!(usage.of("c"), Calls::default());
    }

    #[test]
    fn names_without_end_take_no_memory_without_end() {
        let usage = Usage::default();
        for number in 0..MAX_PLUGINS + 10 {
            usage.count(&number.to_string(), Ended::Done, Duration::ZERO);
        }
        assert_eq!(usage.lock().len(), MAX_PLUGINS);
    }
}
