//! One thread a bus: reads its sensors on the grid of the wall clock's whole periods, leaves the
//! values in their slots, and wakes the loop.
//!
//! A bus that hangs makes its own values old and nothing else. One that fails as a whole, or
//! takes too long, is read ever less until it answers again; it is said once each way. A right
//! that is lacking is said once, with what to grant.

mod pace;

use crate::bus::BusMeter;
use crate::clock::{Clock, thread_cpu};
use crate::journal::{Entry, Journal};
use crate::log::Level;
use crate::plan::SLOW_PERIOD;
use crate::process;
use crate::shared::Shared;
use crate::slots::{MAX_SERIES, Slots};
use flyball_hardware::{Bus, Sensor};
use flyball_units::{Kind, NoData};
use pace::{Pace, Turn};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

/// No machine has more buses of its own; what is beyond shares the last one's thread.
const MAX_BUSES: usize = 16;
const STACK_BYTES: usize = 128 * 1024;
/// A round that takes longer is a fault of its bus.
const FAST_DEADLINE: Duration = Duration::from_secs(2);
const SLOW_DEADLINE: Duration = Duration::from_secs(20);

/// A sensor with its place in the slots.
#[derive(Debug)]
struct Polled {
    slot: usize,
    sensor: Sensor,
    /// Read at the loop's pace; the others once a second, for the samples.
    fan: bool,
    denied: bool,
    /// Which of the slot's pollers this is: the newest alone reads.
    turn: u32,
}

/// What every poller shares.
#[derive(Clone, Debug)]
pub(crate) struct Rounds {
    pub(crate) shared: Arc<Shared>,
    pub(crate) slots: Arc<Slots>,
    pub(crate) watched: Arc<Watched>,
    pub(crate) journal: Journal,
    pub(crate) waiter: Thread,
    pub(crate) period: Duration,
    /// Whether the loop is to be real-time; then those that it is woken by are too.
    pub(crate) realtime: bool,
}

/// Of each series whether a limit watches it, which the loop sets when it plans, and which of
/// its pollers reads it: a sensor that came back is read by a new one.
#[derive(Debug)]
pub(crate) struct Watched {
    watched: Box<[AtomicBool]>,
    turns: Box<[AtomicU32]>,
}

impl Watched {
    pub(crate) fn new() -> Self {
        Self {
            watched: (0..MAX_SERIES).map(|_| AtomicBool::new(false)).collect(),
            turns: (0..MAX_SERIES).map(|_| AtomicU32::new(0)).collect(),
        }
    }

    pub(crate) fn set(&self, series: usize, watched: bool) {
        if let Some(place) = self.watched.get(series) {
            place.store(watched, Ordering::Relaxed);
        }
    }

    fn get(&self, series: usize) -> bool {
        self.watched.get(series).is_some_and(|place| place.load(Ordering::Relaxed))
    }

    /// A new poller's turn; the one before reads no more.
    fn take_turn(&self, series: usize) -> u32 {
        self.turns.get(series).map_or(0, |turn| turn.fetch_add(1, Ordering::AcqRel) + 1)
    }

    fn has_turn(&self, polled: &Polled) -> bool {
        let turn = self.turns.get(polled.slot);
        turn.is_some_and(|turn| turn.load(Ordering::Acquire) == polled.turn)
    }
}

/// Starts a poller for every bus of `sensors`, each of which comes with its slot.
///
/// # Errors
/// Where a thread can't be started.
pub(crate) fn start(sensors: Vec<(usize, Sensor)>, rounds: &Rounds) -> io::Result<()> {
    let mut buses: BTreeMap<Bus, Vec<Polled>> = BTreeMap::new();
    for (slot, sensor) in sensors {
        let known = buses.contains_key(&sensor.bus) || buses.len() < MAX_BUSES;
        let bus = match buses.last_key_value() {
            Some((last, _)) if !known => last.clone(),
            _ => sensor.bus.clone(),
        };
        let fan = matches!(sensor.kind, Kind::FanSpeed);
        let turn = rounds.watched.take_turn(slot);
        buses.entry(bus).or_default().push(Polled { slot, sensor, fan, denied: false, turn });
    }
    for (bus, polled) in buses {
        let rounds = rounds.clone();
        let deadline = if bus.slow { SLOW_DEADLINE } else { FAST_DEADLINE };
        let meter = Arc::new(BusMeter::new(&bus.name, deadline));
        rounds.shared.buses.add(Arc::clone(&meter));
        thread::Builder::new()
            .name(format!("poll {}", bus.name).chars().take(15).collect())
            .stack_size(STACK_BYTES)
            .spawn(move || {
                // A slow bus may spin in its driver: it has nobody's priority.
                if !bus.slow {
                    process::raise_priority_quietly(rounds.realtime);
                }
                poll(polled, bus, &meter, &rounds);
                rounds.shared.buses.remove(&meter);
            })?;
    }
    Ok(())
}

/// Reads until another poller has taken over everything.
fn poll(mut polled: Vec<Polled>, bus: Bus, meter: &BusMeter, rounds: &Rounds) {
    let clock = rounds.shared.clock;
    let mut pace = Pace::new(if bus.slow { SLOW_PERIOD } else { rounds.period }, meter.deadline());
    let mut last_second = None;
    loop {
        polled.retain(|polled| rounds.watched.has_turn(polled));
        if polled.is_empty() {
            return;
        }
        let second = clock.wall_ms() / 1000;
        let whole = last_second.replace(second) != Some(second);
        let (began, cpu) = (clock.now(), thread_cpu());
        meter.begin(began);
        let failed = round(&mut polled, whole, &clock, rounds);
        let wall = clock.now().saturating_sub(began);
        meter.end(wall, thread_cpu().saturating_sub(cpu));
        match pace.turn(failed, wall) {
            Turn::Opened => {
                let line = format!(
                    "every sensor of the bus fails or it takes too long: it is read less often \
                     until it answers bus={} took_ms={}",
                    bus.name,
                    wall.as_millis()
                );
                rounds.journal.put(Entry::Log(Level::Warn, line));
            }
            Turn::Closed => {
                let line = format!("the bus reads again bus={}", bus.name);
                rounds.journal.put(Entry::Log(Level::Info, line));
                meter.recover();
            }
            Turn::Same => {}
        }
        if failed || pace.is_open() {
            meter.fault(pace.back_off());
        }
        thread::sleep(pace.wait(wall, clock.wall_ms()));
    }
}

/// Reads what is due. True where nothing of it could be read though its hardware is there.
fn round(polled: &mut [Polled], whole: bool, clock: &Clock, rounds: &Rounds) -> bool {
    let (mut read, mut failed, mut wakes) = (0_usize, 0_usize, false);
    for polled in polled {
        let watched = rounds.watched.get(polled.slot);
        if !(whole || watched || polled.fan) {
            continue;
        }
        let value = polled.sensor.read(clock.now());
        if !rounds.watched.has_turn(polled) {
            continue;
        }
        rounds.slots.put(polled.slot, value, clock.now());
        read += 1;
        wakes |= watched;
        match value {
            Err(NoData::Fault | NoData::Busy | NoData::Unparsable) => failed += 1,
            Err(NoData::Denied) => polled.say_denied(&rounds.journal),
            Ok(_) | Err(_) => polled.denied = false,
        }
    }
    if wakes {
        rounds.waiter.unpark();
    }
    read > 0 && failed == read
}

impl Polled {
    fn say_denied(&mut self, journal: &Journal) {
        if !std::mem::replace(&mut self.denied, true) {
            let path = self.sensor.path().display();
            let line = format!(
                "{path} may not be read by this user; run flyball-guard as root, or grant it \
                 CAP_DAC_READ_SEARCH sensor={}",
                self.sensor.id
            );
            journal.put(Entry::Log(Level::Warn, line));
        }
    }
}
