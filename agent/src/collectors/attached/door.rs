//! Where messages come in: whose they are, whether they are what was agreed, and on to the
//! sampler.

use super::cause::{Cause, Tally};
use super::payload::{self, Wire};
use crate::collectors::Value;
use crate::config::AttachedSensor;
use flyball_units::{Kind, NoData};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Instant;

/// What is on its way to the sampler.
#[derive(Debug)]
pub(super) enum Arrived {
    Reading {
        /// Its number among all readings of all sensors, in the configuration's order.
        place: usize,
        value: Value,
        at: Instant,
    },
    /// Why a sensor that was asked gave nothing.
    Trouble { sensor: usize, reason: String },
}

/// From where a message came.
#[derive(Clone, Copy, Debug)]
pub(super) enum Origin<'a> {
    Topic(&'a str),
    Http,
    /// The key of the sensor that was asked.
    Poll(&'a str),
}

#[derive(Debug)]
pub(super) struct Door {
    sensors: Vec<Known>,
    by_key: HashMap<String, usize>,
    sender: SyncSender<Arrived>,
    tally: Arc<Tally>,
}

#[derive(Debug)]
struct Known {
    key: String,
    topic: Option<String>,
    polled: bool,
    readings: Vec<Kind>,
    first_place: usize,
}

impl Door {
    pub(super) fn new(
        sensors: &[AttachedSensor],
        sender: SyncSender<Arrived>,
        tally: Arc<Tally>,
    ) -> Self {
        let mut first_place = 0;
        let know = |sensor: &AttachedSensor| {
            let AttachedSensor { key, topic, poll, readings, .. } = sensor.clone();
            let known = Known { key, topic, polled: poll.is_some(), readings, first_place };
            first_place += known.readings.len();
            known
        };
        let sensors: Vec<Known> = sensors.iter().map(know).collect();
        let keys = sensors.iter().enumerate().map(|(at, known)| (known.key.clone(), at));
        let by_key = keys.collect();
        Self { sensors, by_key, sender, tally }
    }

    pub(super) fn refuse(&self, cause: Cause, from: &str) {
        self.tally.refuse(cause, from);
    }

    /// A sensor that was asked gave nothing. Whoever asked has said it.
    pub(super) fn fail(&self, key: &str, cause: Cause, reason: String) {
        self.tally.add(cause);
        if let Some(&sensor) = self.by_key.get(key)
            && self.sender.try_send(Arrived::Trouble { sensor, reason }).is_err()
        {
            self.tally.add(Cause::Busy);
        }
    }

    /// Takes a message's readings, as far as they can be taken.
    ///
    /// # Errors
    /// The cause of the first that was not; each is counted.
    pub(super) fn take(&self, origin: Origin<'_>, bytes: &[u8], at: Instant) -> Result<(), Cause> {
        let from = match origin {
            Origin::Topic(topic) => topic,
            Origin::Http => "http",
            Origin::Poll(key) => key,
        };
        let readings = payload::parse(bytes).inspect_err(|cause| self.refuse(*cause, from))?;
        let mut outcome = Ok(());
        for reading in &readings {
            let taken = self.take_one(origin, reading, at);
            if let Err(cause) = taken {
                self.refuse(cause, reading.device.as_deref().unwrap_or(from));
            }
            outcome = outcome.and(taken);
        }
        outcome
    }

    fn take_one(&self, origin: Origin<'_>, reading: &Wire, at: Instant) -> Result<(), Cause> {
        let sensor = self.sensor(origin, reading.device.as_deref())?;
        let kind = reading.kind()?;
        let place = sensor.readings.iter().position(|known| *known == kind);
        let place = sensor.first_place + place.ok_or(Cause::UnknownReadingType)?;
        let value = reading.value(kind)?;
        self.sender.try_send(Arrived::Reading { place, value, at }).map_err(|_| Cause::Busy)?;
        match value {
            Err(NoData::OutOfRange) => Err(Cause::OutOfRange),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Whose reading it is. A sensor of one door is not taken from the other.
    fn sensor(&self, origin: Origin<'_>, device: Option<&str>) -> Result<&Known, Cause> {
        match (origin, device) {
            (Origin::Http, None) => Err(Cause::UnknownDevice),
            (Origin::Http, Some(key)) => {
                let known = self.by_key.get(key).map(|at| &self.sensors[*at]);
                let comes = |known: &&Known| known.topic.is_none() && !known.polled;
                known.filter(comes).ok_or(Cause::UnknownDevice)
            }
            (Origin::Poll(key), device) => {
                let known = self.by_key.get(key).map(|at| &self.sensors[*at]);
                known.filter(|_| device.is_none_or(|d| d == key)).ok_or(Cause::UnknownDevice)
            }
            (Origin::Topic(topic), device) => {
                let mut fitting = self.sensors.iter().filter(|known| known.listens_to(topic));
                let first = fitting.next().ok_or(Cause::UnknownTopic)?;
                let named = |known: &&Known| device.is_none_or(|key| key == known.key);
                let known = Some(first).filter(named).or_else(|| fitting.find(named));
                known.ok_or(Cause::UnknownDevice)
            }
        }
    }
}

impl Known {
    fn listens_to(&self, topic: &str) -> bool {
        self.topic.as_deref().is_some_and(|filter| fits(filter, topic))
    }
}

/// MQTT 3.1.1, section 4.7.
fn fits(filter: &str, topic: &str) -> bool {
    let mut levels = topic.split('/');
    for wanted in filter.split('/') {
        match (wanted, levels.next()) {
            ("#", _) => return true,
            ("+", Some(_)) => {}
            (wanted, Some(level)) if wanted == level => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn filters_fit_topics_as_brokers_have_it() {
        for (filter, topic) in [
            ("a/b", "a/b"),
            ("a/+", "a/b"),
            ("+/b", "a/b"),
            ("a/#", "a"),
            ("a/#", "a/b/c"),
            ("#", "a/b"),
            ("a/+/c", "a//c"),
        ] {
            assert!(fits(filter, topic), "{filter} {topic}");
        }
        for (filter, topic) in
            [("a/b", "a"), ("a/b", "a/b/c"), ("a/+", "a"), ("a/+", "a/b/c"), ("a", "b")]
        {
            assert!(!fits(filter, topic), "{filter} {topic}");
        }
    }
}
