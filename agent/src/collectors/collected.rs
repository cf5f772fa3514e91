//! Readings of collectors, which are plugins: strangers' code read them, so they have a list, a
//! name and a bound of their own.
//!
//! A series is sampled once for every poll that had it, and is stale when none had it for three
//! intervals. It carries its plugin's id. Nothing of it reaches the guard, and no name of the
//! machine's own series is taken from a plugin.

mod definition;

pub(crate) use definition::{Definition, Foreign, define};

use super::{Moment, Value};
use flyball_protocol::guard::{Sample, Series};
use flyball_units::NoData;
use std::collections::HashMap;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

/// Polls between two ticks; what is beyond is dropped, and its series become stale.
const MAX_ARRIVED: usize = 16;
/// Series of one plugin, for as long as the agent runs.
const MAX_OF_ONE: usize = 2_000;
/// Series of all plugins.
const MAX_OF_ALL: usize = 10_000;
/// A series that had no reading for so many intervals is stale.
const STALE_INTERVALS: u32 = 3;

/// What is on its way to the sampler.
#[derive(Debug)]
pub(crate) enum Arrived {
    Polled {
        plugin: String,
        interval: Duration,
        readings: Vec<(Definition, Value)>,
        at: Instant,
    },
    /// It is polled no longer.
    Ended {
        plugin: String,
    },
}

/// Where polls are handed in. It never waits.
#[derive(Clone, Debug)]
pub(crate) struct Intake(SyncSender<Arrived>);

impl Intake {
    /// Whether it was taken: a sampler that is behind takes no more.
    pub(crate) fn offer(&self, arrived: Arrived) -> bool {
        match self.0.try_send(arrived) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
        }
    }
}

/// What the sampler holds.
#[derive(Debug)]
pub(crate) struct Collected {
    arrived: Receiver<Arrived>,
    series: Vec<Series>,
    plugins: HashMap<String, Plugin>,
    /// Counts the changes of the list.
    revision: u64,
    /// Of the tick that is read.
    samples: Vec<Sample>,
}

#[derive(Debug)]
struct Plugin {
    places: HashMap<Definition, usize>,
    held: Vec<Held>,
    interval: Duration,
    /// When its stale series were told last.
    told: Option<Instant>,
    ended: bool,
    /// Readings of the newest poll that found no room.
    refused: usize,
}

#[derive(Clone, Copy, Debug)]
struct Held {
    /// In the list of all plugins' series.
    place: usize,
    /// When a poll had it last.
    at: Instant,
}

/// Both ends.
pub(crate) fn open() -> (Collected, Intake) {
    let (sender, arrived) = sync_channel(MAX_ARRIVED);
    let (series, plugins, samples) = (Vec::new(), HashMap::new(), Vec::new());
    (Collected { arrived, series, plugins, revision: 0, samples }, Intake(sender))
}

impl Collected {
    /// Every series that a plugin ever had. The list only grows; a series' pace may change.
    pub(crate) fn series(&self) -> &[Series] {
        &self.series
    }

    /// Another number than before, where the list has changed.
    pub(crate) const fn revision(&self) -> u64 {
        self.revision
    }

    /// What came since the tick before, one sample a series at most. A sample's number is its
    /// series' place in the list and `first` more.
    pub(crate) fn read(&mut self, first: usize, moment: Moment) -> &[Sample] {
        self.samples.clear();
        let mut fresh: HashMap<usize, Value> = HashMap::new();
        let arrived: Vec<Arrived> = self.arrived.try_iter().take(MAX_ARRIVED).collect();
        for arrived in arrived {
            match arrived {
                Arrived::Polled { plugin, interval, readings, at } => {
                    self.take(&plugin, interval, readings, at, &mut fresh);
                }
                Arrived::Ended { plugin } => self.end(&plugin, &mut fresh),
            }
        }
        for plugin in self.plugins.values_mut().filter(|plugin| !plugin.ended) {
            plugin.tell_stale(moment.now, &mut fresh);
        }
        let mut fresh: Vec<(usize, Value)> = fresh.into_iter().collect();
        fresh.sort_unstable_by_key(|(place, _)| *place);
        let number = |place: usize| u16::try_from(first + place).ok();
        let samples = fresh
            .into_iter()
            .filter_map(|(place, value)| Some(Sample { series: number(place)?, value }));
        self.samples.extend(samples);
        &self.samples
    }

    fn take(
        &mut self,
        name: &str,
        interval: Duration,
        readings: Vec<(Definition, Value)>,
        at: Instant,
        fresh: &mut HashMap<usize, Value>,
    ) {
        let plugin = self.plugins.entry(name.to_owned()).or_insert_with(|| Plugin::new(interval));
        plugin.ended = false;
        if std::mem::replace(&mut plugin.interval, interval) != interval {
            self.revision += 1;
            for held in &plugin.held {
                self.series[held.place].cadence_ms = cadence_ms(interval);
            }
        }
        let mut refused = Vec::new();
        for (definition, value) in readings {
            let known = plugin.places.get(&definition).copied();
            let held = match known {
                Some(held) => held,
                None if plugin.held.len() >= MAX_OF_ONE || self.series.len() >= MAX_OF_ALL => {
                    refused.push(definition);
                    continue;
                }
                None => {
                    let place = self.series.len();
                    self.revision += 1;
                    self.series.push(definition.series(name, interval));
                    plugin.held.push(Held { place, at });
                    plugin.places.insert(definition, plugin.held.len() - 1);
                    plugin.held.len() - 1
                }
            };
            let held = &mut plugin.held[held];
            held.at = at;
            fresh.insert(held.place, value);
        }
        plugin.tell_refused(name, &refused, self.series.len() >= MAX_OF_ALL);
    }

    fn end(&mut self, name: &str, fresh: &mut HashMap<usize, Value>) {
        if let Some(plugin) = self.plugins.get_mut(name) {
            plugin.ended = true;
            fresh.extend(plugin.held.iter().map(|held| (held.place, Err(NoData::Disabled))));
        }
    }
}

fn cadence_ms(interval: Duration) -> u32 {
    u32::try_from(interval.as_millis()).unwrap_or(u32::MAX)
}

impl Plugin {
    fn new(interval: Duration) -> Self {
        let (places, held) = (HashMap::new(), Vec::new());
        Self { places, held, interval, told: None, ended: false, refused: 0 }
    }

    /// Once an interval, every series that had no reading for too long.
    fn tell_stale(&mut self, now: Instant, fresh: &mut HashMap<usize, Value>) {
        let since = |at: Instant| now.saturating_duration_since(at);
        if self.told.is_some_and(|told| since(told) < self.interval) {
            return;
        }
        self.told = Some(now);
        let bound = self.interval.saturating_mul(STALE_INTERVALS);
        for held in self.held.iter().filter(|held| since(held.at) > bound) {
            fresh.entry(held.place).or_insert(Err(NoData::Stale));
        }
    }

    /// Says it where it is another number than before.
    fn tell_refused(&mut self, plugin: &str, refused: &[Definition], agent_is_full: bool) {
        if refused.len() == std::mem::replace(&mut self.refused, refused.len()) {
            return;
        }
        let first = refused.iter().take(3).map(Definition::metric).collect::<Vec<_>>().join(", ");
        let bound = if agent_is_full { MAX_OF_ALL } else { MAX_OF_ONE };
        tracing::warn!(
            plugin,
            refused = refused.len(),
            bound,
            first,
            "a collector has more series than are taken; narrow its settings"
        );
    }
}

#[cfg(test)]
mod tests;
