//! Collectors are polled at their pace, each by a task of its own: one that hangs holds up neither
//! another one nor the sampler.

use crate::clock::Clock;
use crate::collectors::collected::{Arrived, Foreign, Intake, define};
use flyball_plugin_messages::{Absence, Failure, PluginId, Reading, ReadingKind};
use flyball_protocol::message::PluginOrder;
use flyball_units::NoData;
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

/// The setting that every collector has: seconds between two polls.
const PACE: &str = "interval_s";
const EVERY: Duration = Duration::from_secs(10);
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(3_600);
/// The longest that one poll may take, and never longer than until the next one.
const MAX_PATIENCE: Duration = Duration::from_secs(30);
/// What the runner's own deadline may be late by.
const GRACE: Duration = Duration::from_secs(1);
/// Several plugins do not begin in the same instant.
const SPREAD_MS: u64 = 1_000;

/// A collector that is to be polled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) plugin: PluginId,
    pub(super) every: Duration,
}

impl Due {
    /// Of an order: its settings say the pace.
    pub(super) fn of(plugin: &str, order: &PluginOrder) -> Self {
        let said = order.settings.iter().find(|(key, _)| key == PACE);
        let seconds = said.and_then(|(_, json)| json.trim().parse::<u64>().ok());
        let every = seconds.map_or(EVERY, Duration::from_secs).clamp(SHORTEST, LONGEST);
        Self { plugin: PluginId(plugin.to_owned()), every }
    }
}

/// A poll of a plugin within a time: its readings, or why there are none.
pub(super) trait Poll: Clone + Send + 'static {
    fn poll(
        &self,
        plugin: &PluginId,
        patience: Duration,
    ) -> impl Future<Output = Result<Vec<Reading>, Failure>> + Send;
}

/// Polls what is due until nobody says any more what is.
pub(super) async fn collect(
    poll: impl Poll,
    mut due: watch::Receiver<Vec<Due>>,
    intake: Intake,
    clock: Clock,
) {
    let mut polled: HashMap<PluginId, Polled> = HashMap::new();
    loop {
        let now: Vec<Due> = due.borrow_and_update().clone();
        polled.retain(|plugin, polled| {
            let stays = now.iter().any(|due| due.plugin == *plugin && due.every == polled.every);
            let gone = !now.iter().any(|due| due.plugin == *plugin);
            // Where the sampler takes no more, its series become stale instead.
            let _taken = gone && intake.offer(Arrived::Ended { plugin: plugin.0.clone() });
            stays
        });
        for Due { plugin, every } in now {
            polled.entry(plugin).or_insert_with_key(|plugin| {
                let one = One {
                    plugin: plugin.clone(),
                    every,
                    intake: intake.clone(),
                    clock,
                    told: String::new(),
                };
                Polled { every, task: tokio::spawn(one.keep_polling(poll.clone())) }
            });
        }
        if due.changed().await.is_err() {
            return;
        }
    }
}

#[derive(Debug)]
struct Polled {
    every: Duration,
    task: JoinHandle<()>,
}

impl Drop for Polled {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One plugin and what has been said of it.
struct One {
    plugin: PluginId,
    every: Duration,
    intake: Intake,
    clock: Clock,
    told: String,
}

impl One {
    async fn keep_polling(mut self, poll: impl Poll) {
        sleep(Duration::from_millis(crate::random::number() % SPREAD_MS)).await;
        let patience = self.every.min(MAX_PATIENCE);
        let mut pace = interval(self.every);
        // After a slow poll the next one is an interval later, not at once.
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            pace.tick().await;
            let polled = timeout(patience + GRACE, poll.poll(&self.plugin, patience)).await;
            match polled {
                Ok(Ok(readings)) => self.hand_in(readings),
                Ok(Err(failure)) => self.tell(format!("it gave nothing: {}", failure.message)),
                Err(_) => self.tell(format!("it did not answer within {} s", patience.as_secs())),
            }
        }
    }

    fn hand_in(&mut self, readings: Vec<Reading>) {
        let (readings, refusals) = define(readings.into_iter().map(foreign).collect());
        let plugin = self.plugin.0.clone();
        let at = self.clock.now();
        let arrived = Arrived::Polled { plugin, interval: self.every, readings, at };
        let said = match refusals.first {
            _ if !self.intake.offer(arrived) => "the sampler is behind; a poll is lost".to_owned(),
            None => String::new(),
            Some(first) => {
                let count = refusals.count;
                format!("{count} of its readings are refused, the first because {first}")
            }
        };
        self.tell(said);
    }

    /// Says it where it is something else than before.
    fn tell(&mut self, said: String) {
        if said == self.told {
            return;
        }
        let plugin = &self.plugin;
        match said.as_str() {
            "" => tracing::info!(%plugin, "the collector is read again"),
            said => tracing::warn!(%plugin, "a collector is in trouble: {said}"),
        }
        self.told = said;
    }
}

fn foreign(reading: Reading) -> Foreign {
    Foreign {
        name: reading.name,
        unit: reading.unit,
        counter: reading.kind == ReadingKind::Counter,
        labels: reading.labels.into_iter().map(|label| (label.key, label.value)).collect(),
        value: reading.value.map_err(no_data),
    }
}

const fn no_data(why: Absence) -> NoData {
    match why {
        Absence::NotReady => NoData::Busy,
        Absence::Unreachable => NoData::Missing,
        Absence::Unauthorised => NoData::Denied,
        Absence::Unsupported => NoData::Unsupported,
        Absence::OutOfRange => NoData::OutOfRange,
        Absence::Malformed => NoData::Unparsable,
    }
}

#[cfg(test)]
mod tests;
