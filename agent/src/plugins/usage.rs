//! What plugins cost this machine, as series of the agent's own: how calls ended, how long they took,
//! the most memory that one had, and how often it was denied what it asked for.

use crate::clock::Clock;
use crate::collectors::collected::{Arrived, Definition, Intake};
use flyball_plugin_messages::{Event, FailureKind, PluginId};
use flyball_units::{Kind, NoData, Unit};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::watch;

/// Plugins that are counted, those of earlier versions included.
const MAX_PLUGINS: usize = 100;
/// How often it is told.
pub(super) const EVERY: Duration = Duration::from_secs(10);
/// Whose readings these are: no plugin has this id.
const OWN: &str = "";

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Done,
    /// The input was wrong, or it was cancelled.
    Refused,
    /// It was stopped at a limit.
    Limited,
    /// It broke.
    Trapped,
    Failed,
}

const ENDS: [(Ended, &str); 5] = [
    (Ended::Done, "done"),
    (Ended::Refused, "refused"),
    (Ended::Limited, "limited"),
    (Ended::Trapped, "trapped"),
    (Ended::Failed, "failed"),
];

impl Ended {
    const fn of(kind: FailureKind) -> Self {
        match kind {
            FailureKind::InvalidInput
            | FailureKind::Unsupported
            | FailureKind::Denied
            | FailureKind::Cancelled => Self::Refused,
            FailureKind::Limit => Self::Limited,
            FailureKind::Trapped => Self::Trapped,
            FailureKind::Upstream | FailureKind::Internal | FailureKind::Unavailable => {
                Self::Failed
            }
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Counts {
    ended: [u64; ENDS.len()],
    took: Duration,
    memory_peak: u64,
    denied: u64,
}

/// Since the agent's start, by the plugins' ids without their versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage(BTreeMap<String, Counts>);

impl Usage {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn of(&mut self, plugin: &PluginId) -> Option<&mut Counts> {
        // Versions that lie side by side are one plugin to whoever pays for it.
        let id = plugin.0.split('@').next().unwrap_or_default();
        if !self.0.contains_key(id) && self.0.len() >= MAX_PLUGINS {
            return None;
        }
        Some(self.0.entry(id.to_owned()).or_default())
    }

    /// A call's last event came so long after the call.
    pub(super) fn count(&mut self, plugin: &PluginId, last: &Event, took: Duration) {
        let ended = match last {
            Event::Failed(failure) => Ended::of(failure.kind),
            _ => Ended::Done,
        };
        if let Some(counts) = self.of(plugin) {
            for ((end, _), count) in ENDS.iter().zip(&mut counts.ended) {
                *count += u64::from(*end == ended);
            }
            counts.took += took;
        }
    }

    pub(super) fn weigh(&mut self, plugin: &PluginId, memory_bytes: u64) {
        if let Some(counts) = self.of(plugin) {
            counts.memory_peak = counts.memory_peak.max(memory_bytes);
        }
    }

    pub(super) fn deny(&mut self, plugin: &PluginId) {
        if let Some(counts) = self.of(plugin) {
            counts.denied += 1;
        }
    }

    fn readings(&self) -> Vec<(Definition, Result<f64, NoData>)> {
        let mut readings = Vec::new();
        for (plugin, counts) in &self.0 {
            let mut put = |metric, what, attribute, value| {
                readings.push((Definition::about(plugin, metric, what, attribute), Ok(value)));
            };
            let count = (Kind::Count, Unit::Count);
            for ((_, end), number) in ENDS.iter().zip(counts.ended) {
                put("flyball.plugin.calls", count, Some(("outcome", *end)), float(number));
            }
            let seconds = (Kind::Duration, Unit::Second);
            put("flyball.plugin.call.time", seconds, None, counts.took.as_secs_f64());
            let bytes = (Kind::Memory, Unit::Byte);
            put("flyball.plugin.memory.peak", bytes, None, float(counts.memory_peak));
            put("flyball.plugin.requests.denied", count, None, float(counts.denied));
        }
        readings
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts above 2^53 are told to the nearest double")]
const fn float(count: u64) -> f64 {
    count as f64
}

/// Hands in what is told until nobody tells any more.
pub(super) async fn hand_in(mut told: watch::Receiver<Usage>, intake: Intake, clock: Clock) {
    while told.changed().await.is_ok() {
        let readings = told.borrow_and_update().readings();
        let (plugin, interval, at) = (OWN.to_owned(), EVERY, clock.now());
        // Where the sampler is behind, the next one says more.
        let _taken = intake.offer(Arrived::Polled { plugin, interval, readings, at });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::Moment;
    use crate::collectors::collected;
    use crate::testing::soon;
    use flyball_plugin_messages::Failure;

    fn failed(kind: FailureKind) -> Event {
        Event::Failed(Failure::new(kind, "asked to"))
    }

    #[tokio::test]
    async fn calls_time_memory_and_denials_are_series_with_the_plugins_id() {
        let mut usage = Usage::default();
        let versions = ["dot", "dot@0a1b2c3d4e5f"].map(|id| PluginId(id.into()));
        for plugin in &versions {
            usage.count(plugin, &Event::Done, Duration::from_millis(250));
        }
        usage.count(&versions[0], &failed(FailureKind::Trapped), Duration::ZERO);
        usage.weigh(&versions[0], 1_000);
        usage.weigh(&versions[1], 500);
        usage.deny(&versions[1]);
        let (mut collected, intake) = collected::open();
        let (teller, told) = watch::channel(Usage::default());
        let task = tokio::spawn(hand_in(told, intake, Clock));
        teller.send(usage).unwrap();
        drop(teller);
        soon(task).await.unwrap();
        let samples = collected.read(0, Moment::read(Clock)).to_vec();
        let series = collected.series();
        let read = |metric: &str, outcome: Option<&str>| {
            let wanted = |it: &&flyball_protocol::guard::Sample| {
                let series = &series[usize::from(it.series)];
                let has = |key: &str, value: &str| {
                    series.attributes.contains(&(key.to_owned(), value.to_owned()))
                };
                series.metric == metric
                    && has("plugin", "dot")
                    && outcome.is_none_or(|outcome| has("outcome", outcome))
            };
            samples.iter().find(wanted).unwrap().value
        };
        assert_eq!(read("flyball.plugin.calls", Some("done")), Ok(2.0));
        assert_eq!(read("flyball.plugin.calls", Some("trapped")), Ok(1.0));
        assert_eq!(read("flyball.plugin.calls", Some("limited")), Ok(0.0));
        assert_eq!(read("flyball.plugin.call.time", None), Ok(0.5));
        assert_eq!(read("flyball.plugin.memory.peak", None), Ok(1_000.0));
        assert_eq!(read("flyball.plugin.requests.denied", None), Ok(1.0));
        assert_eq!(samples.len(), 8);
    }

    #[test]
    fn more_plugins_than_anybody_has_are_not_counted() {
        let mut usage = Usage::default();
        for number in 0..200 {
            usage.deny(&PluginId(format!("p{number}")));
        }
        assert_eq!(usage.0.len(), MAX_PLUGINS);
    }
}
