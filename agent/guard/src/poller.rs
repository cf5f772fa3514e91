//! One thread a bus: reads its sensors on the grid of the wall clock's whole periods, leaves the
//! values in their slots, and wakes the loop. A bus that hangs makes its own values old and
//! nothing else.

use crate::clock::Clock;
use crate::plan::SLOW_PERIOD;
use crate::slots::Slots;
use flyball_hardware::{Bus, Sensor};
use flyball_units::Kind;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::thread::{self, Thread};
use std::time::Duration;

/// No machine has more buses of its own; what is beyond shares the last one's thread.
const MAX_BUSES: usize = 16;
const STACK_BYTES: usize = 128 * 1024;

/// A sensor with its place in the slots.
#[derive(Debug)]
struct Polled {
    slot: usize,
    sensor: Sensor,
    /// Read at the loop's pace; the others once a second, for the samples.
    often: bool,
    /// A limit watches it: the loop is woken.
    watched: bool,
}

/// What every poller shares.
#[derive(Clone, Debug)]
pub(crate) struct Rounds {
    pub(crate) clock: Clock,
    pub(crate) slots: Arc<Slots>,
    pub(crate) waiter: Thread,
    pub(crate) period: Duration,
}

/// Starts a poller for every bus of `sensors`. `watched` says of each whether a limit watches it.
///
/// # Errors
/// Where a thread can't be started.
pub(crate) fn start(sensors: Vec<Sensor>, watched: &[bool], rounds: &Rounds) -> io::Result<()> {
    let mut buses: BTreeMap<Bus, Vec<Polled>> = BTreeMap::new();
    for (slot, sensor) in sensors.into_iter().enumerate() {
        let watched = watched.get(slot).copied().unwrap_or(false);
        let often = watched || matches!(sensor.kind, Kind::FanSpeed);
        let known = buses.contains_key(&sensor.bus) || buses.len() < MAX_BUSES;
        let bus = match buses.last_key_value() {
            Some((last, _)) if !known => last.clone(),
            _ => sensor.bus.clone(),
        };
        buses.entry(bus).or_default().push(Polled { slot, sensor, often, watched });
    }
    for (bus, polled) in buses {
        let rounds = rounds.clone();
        thread::Builder::new()
            .name(format!("poll {}", bus.name).chars().take(15).collect())
            .stack_size(STACK_BYTES)
            .spawn(move || poll(polled, bus.slow, &rounds))?;
    }
    Ok(())
}

fn poll(mut polled: Vec<Polled>, slow: bool, rounds: &Rounds) {
    let period = if slow { SLOW_PERIOD } else { rounds.period };
    let period_ms = u64::try_from(period.as_millis()).unwrap_or(1000).max(1);
    let wakes = polled.iter().any(|polled| polled.watched);
    let mut last_second = None;
    loop {
        let second = rounds.clock.wall_ms() / 1000;
        let whole = last_second.replace(second) != Some(second);
        for Polled { slot, sensor, .. } in polled.iter_mut().filter(|p| whole || p.often) {
            let value = sensor.read(rounds.clock.now());
            rounds.slots.put(*slot, value, rounds.clock.now());
        }
        if wakes {
            rounds.waiter.unpark();
        }
        let wait_ms = period_ms - rounds.clock.wall_ms() % period_ms;
        thread::sleep(Duration::from_millis(wait_ms));
    }
}
