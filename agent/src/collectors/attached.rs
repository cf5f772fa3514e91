//! Sensors that send their readings to this machine over MQTT or HTTP, or are asked over HTTP.
//!
//! Each is equipment of its own: its series carry its key. A reading stands until it is older
//! than the operator's bound, then it is stale; whatever a sensor sends that is not what was
//! agreed is counted by its cause and said once. None of this reaches the guard: such a reading
//! may never stand for a sensor that a limit requires.

mod cause;
mod door;
mod http;
mod mqtt;
mod payload;
mod poll;

use super::{Book, Slot, Tick, Value, float};
use crate::clock::Clock;
use crate::config::{AttachedSensor, Sensors};
use cause::{Cause, Tally};
use door::{Arrived, Door};
use flyball_protocol::guard::{EQUIPMENT_ATTRIBUTE, Equipment, EquipmentKind, EquipmentState};
use flyball_units::{Kind, NoData, Unit};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Readings between two ticks; what is beyond is refused as `busy`.
const MAX_ARRIVED: usize = 1024;

/// A moment in both times.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) now: Instant,
    pub(crate) unix_ms: u64,
}

impl Moment {
    pub(crate) fn read(clock: Clock) -> Self {
        Self { now: clock.now(), unix_ms: clock.unix_ms() }
    }
}

/// What the sampler holds: the newest reading of each series.
#[derive(Debug)]
pub(crate) struct Attached {
    arrived: Receiver<Arrived>,
    sensors: Vec<Sensor>,
    /// Which sensor and which of its readings each number of the door is.
    places: Vec<(usize, usize)>,
    tally: Arc<Tally>,
    refused: [Option<Slot>; Cause::ALL.len()],
    equipment: watch::Sender<Vec<Equipment>>,
}

#[derive(Debug)]
struct Sensor {
    config: AttachedSensor,
    readings: Vec<Held>,
    /// When something came from it last.
    heard: Option<Instant>,
    /// Why the last request gave nothing, where it is asked.
    trouble: Option<String>,
}

#[derive(Debug)]
struct Held {
    slot: Option<Slot>,
    last: Option<(Value, Instant)>,
}

/// The doors' tasks, and what they serve.
#[derive(Debug)]
pub(crate) struct Listeners {
    config: Sensors,
    door: Door,
    pub(crate) equipment: watch::Receiver<Vec<Equipment>>,
}

/// Both ends for the sensors of `config`.
pub(crate) fn open(config: Sensors) -> (Attached, Listeners) {
    let (sender, arrived) = sync_channel(MAX_ARRIVED);
    let tally = Arc::new(Tally::default());
    let door = Door::new(&config.sensors, sender, Arc::clone(&tally));
    let place = |(sensor, config): (usize, &AttachedSensor)| {
        (0..config.readings.len()).map(move |reading| (sensor, reading)).collect::<Vec<_>>()
    };
    let places = config.sensors.iter().enumerate().flat_map(place).collect();
    let hold = |config: &AttachedSensor| {
        let readings = config.readings.iter().map(|_| Held { slot: None, last: None });
        Sensor { config: config.clone(), readings: readings.collect(), heard: None, trouble: None }
    };
    let sensors: Vec<Sensor> = config.sensors.iter().map(hold).collect();
    let known = sensors.iter().map(|sensor| sensor.equipment(EquipmentState::Connecting));
    let (equipment, told) = watch::channel(known.collect());
    let refused = [None; Cause::ALL.len()];
    let attached = Attached { arrived, sensors, places, tally, refused, equipment };
    (attached, Listeners { config, door, equipment: told })
}

impl Listeners {
    /// Starts what listens. The tasks never end by themselves.
    pub(crate) fn start(self, clock: Clock) -> Vec<JoinHandle<()>> {
        let Self { config, door, .. } = self;
        let door = Arc::new(door);
        let mut tasks = Vec::new();
        if let Some(mqtt) = config.mqtt {
            let filters = config.sensors.iter().filter_map(|sensor| sensor.topic.clone());
            tasks.push(tokio::spawn(mqtt::listen(mqtt, filters.collect(), door.clone(), clock)));
        }
        for sensor in &config.sensors {
            if let Some(poll) = sensor.poll.clone() {
                let asking = poll::ask(sensor.key.clone(), poll, door.clone(), clock);
                tasks.push(tokio::spawn(asking));
            }
        }
        if let Some(http) = config.http {
            tasks.push(tokio::spawn(http::listen(http, door, clock)));
        }
        tasks
    }
}

impl Attached {
    /// No sensor at all.
    #[cfg(test)]
    pub(super) fn none() -> Self {
        open(Sensors::default()).0
    }

    pub(super) fn announce(&mut self, book: &mut Book) {
        for sensor in &mut self.sensors {
            let AttachedSensor { key, name, readings, .. } = &sensor.config;
            for (kind, held) in readings.iter().zip(&mut sensor.readings) {
                let id = format!("{key}/{}", kind.name().to_ascii_lowercase());
                let attributes = [
                    (EQUIPMENT_ATTRIBUTE, key.as_str()),
                    ("hw.id", &id),
                    ("hw.name", name),
                    ("hw.type", "sensor"),
                ];
                held.slot = book.announce(metric(*kind), *kind, unit(*kind), &attributes);
            }
        }
        if self.sensors.is_empty() {
            return;
        }
        for (cause, slot) in Cause::ALL.into_iter().zip(&mut self.refused) {
            let attributes = [("error.type", cause.name())];
            let metric = "flyball.agent.readings.refused";
            *slot = book.announce(metric, Kind::Count, Unit::Count, &attributes);
        }
    }

    pub(super) fn read(&mut self, tick: &mut Tick<'_>, moment: Moment) {
        for arrived in self.arrived.try_iter().take(MAX_ARRIVED) {
            match arrived {
                Arrived::Reading { place, value, at } => {
                    if let Some(&(sensor, reading)) = self.places.get(place) {
                        let sensor = &mut self.sensors[sensor];
                        sensor.heard = Some(at);
                        sensor.trouble = None;
                        sensor.readings[reading].last = Some((value, at));
                    }
                }
                Arrived::Trouble { sensor, reason } => self.sensors[sensor].trouble = Some(reason),
            }
        }
        for sensor in &self.sensors {
            for held in &sensor.readings {
                tick.put(held.slot, held.value(sensor.config.stale_after, moment.now));
            }
        }
        for (cause, slot) in Cause::ALL.into_iter().zip(self.refused) {
            tick.put(slot, Ok(float(self.tally.count(cause))));
        }
        self.tell_states(moment);
    }

    /// Says where a sensor's state is another one now. Nothing is made where none is.
    fn tell_states(&self, moment: Moment) {
        let Self { sensors, equipment, .. } = self;
        equipment.send_if_modified(|told| {
            let mut changed = false;
            for (sensor, told) in sensors.iter().zip(told) {
                let heard = sensor.heard.map(|at| moment.now.saturating_duration_since(at));
                let state = match (heard, &told.state) {
                    (None, told) => match sensor.unheard(told, moment) {
                        Some(state) => state,
                        None => continue,
                    },
                    (Some(age), EquipmentState::Connected) if age < sensor.config.stale_after => {
                        continue;
                    }
                    (Some(age), _) if age < sensor.config.stale_after => EquipmentState::Connected,
                    (Some(_), EquipmentState::Unreachable { .. }) => continue,
                    (Some(age), _) => sensor.silent(age, moment),
                };
                told.state = state;
                changed = true;
            }
            changed
        });
    }
}

impl Sensor {
    fn equipment(&self, state: EquipmentState) -> Equipment {
        let AttachedSensor { key, topic, poll, .. } = &self.config;
        let driver = if topic.is_some() { "mqtt" } else { "http" };
        let url = poll.as_ref().map(|poll| poll.url.to_string());
        Equipment {
            key: key.clone(),
            kind: EquipmentKind::Sensor,
            driver: driver.to_owned(),
            vendor: None,
            model: None,
            serial: None,
            firmware: None,
            address: topic.clone().or(url).unwrap_or_default(),
            state,
        }
    }

    /// The state of a sensor that nothing has ever come from, where it is another than `told`.
    fn unheard(&self, told: &EquipmentState, moment: Moment) -> Option<EquipmentState> {
        let trouble = self.trouble.as_ref()?;
        let since_ms = match told {
            EquipmentState::Unreachable { reason, .. } if reason == trouble => return None,
            EquipmentState::Unreachable { since_ms, .. } => *since_ms,
            _ => moment.unix_ms,
        };
        Some(EquipmentState::Unreachable { since_ms, reason: trouble.clone() })
    }

    fn silent(&self, age: Duration, moment: Moment) -> EquipmentState {
        let age_ms = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        let since_ms = moment.unix_ms.saturating_sub(age_ms);
        let mut reason = format!("nothing has come for {} s", self.config.stale_after.as_secs());
        if let Some(trouble) = &self.trouble {
            reason.push_str(": ");
            reason.push_str(trouble);
        }
        EquipmentState::Unreachable { since_ms, reason }
    }
}

impl Held {
    fn value(&self, stale_after: Duration, now: Instant) -> Value {
        let (value, at) = self.last.ok_or(NoData::Missing)?;
        if now.saturating_duration_since(at) >= stale_after { Err(NoData::Stale) } else { value }
    }
}

const fn metric(kind: Kind) -> &'static str {
    match kind {
        Kind::Temperature => "hw.temperature",
        Kind::Humidity => "hw.humidity",
        Kind::Power => "hw.power",
        Kind::Energy => "hw.energy",
        Kind::Voltage => "hw.voltage",
        Kind::Current => "hw.current",
        // The others are not configured.
        _ => "hw.status",
    }
}

const fn unit(kind: Kind) -> Unit {
    match kind {
        Kind::Temperature => Unit::Celsius,
        Kind::Humidity => Unit::Percent,
        Kind::Power => Unit::Watt,
        Kind::Energy => Unit::Joule,
        Kind::Voltage => Unit::Volt,
        Kind::Current => Unit::Ampere,
        _ => Unit::One,
    }
}

#[cfg(test)]
mod tests;
