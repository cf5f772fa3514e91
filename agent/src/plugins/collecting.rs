//! Collectors are polled at their pace, each by a task of its own: one that hangs holds up neither
//! another one nor the sampler.

use crate::clock::Clock;
use crate::collectors::collected::{Arrived, Foreign, Intake, define};
use flyball_plugin_messages::PluginId;
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

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

/// A poll of a plugin within a time: its readings, or why there are none.
pub(super) trait Poll: Clone + Send + 'static {
    fn poll(
        &self,
        plugin: &PluginId,
        patience: Duration,
    ) -> impl Future<Output = Result<Vec<Foreign>, String>> + Send;
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
            if !polled.contains_key(&plugin) {
                let one = One {
                    plugin: plugin.clone(),
                    every,
                    intake: intake.clone(),
                    clock,
                    told: String::new(),
                };
                let task = tokio::spawn(one.keep_polling(poll.clone()));
                polled.insert(plugin, Polled { every, task });
            }
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
                Ok(Err(why)) => self.tell(format!("it gave nothing: {why}")),
                Err(_) => self.tell(format!("it did not answer within {} s", patience.as_secs())),
            }
        }
    }

    fn hand_in(&mut self, readings: Vec<Foreign>) {
        let (readings, refusals) = define(readings);
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

#[cfg(test)]
mod tests;
