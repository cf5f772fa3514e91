//! The threads that hold the machine's own actuators, one a bus: they write, look, and hand back.
//!
//! A file that hangs holds its own bus and nothing else. A failing write is said once, and again
//! after a success.

use super::Holder;
use crate::clock::Clock;
use crate::grip::{Grip, HandBack};
use crate::journal::{Entry, Journal};
use crate::log::{self, Level as LogLevel};
use crate::shared::Shared;
use crate::{catalog, process, words};
use flyball_hardware::{Actuator, ActuatorError, ActuatorKind, Released};
use flyball_safety::{Level, Observed};
use flyball_units::{NoData, Ratio, Watts};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// No machine has more buses of its own; what is beyond shares the last one's thread.
const MAX_BUSES: usize = 8;
const STACK_BYTES: usize = 96 * 1024;
/// It is woken for every level; this is for a wake-up that found the writer within.
const PARK: Duration = Duration::from_millis(500);

/// Starts workers.
#[derive(Debug)]
pub(crate) struct Workers {
    pub(crate) shared: Arc<Shared>,
    pub(crate) journal: Journal,
    pub(crate) realtime: bool,
}

struct Held {
    actuator: Actuator,
    grip: Arc<Grip>,
    /// The number of the last level that was taken up.
    done: u64,
    failing: bool,
    saved: bool,
    released: bool,
}

impl Workers {
    /// Gives every actuator a worker; their holders come back in the same order.
    ///
    /// # Errors
    /// Where a thread can't be started.
    pub(crate) fn start(&self, actuators: Vec<Actuator>) -> io::Result<Vec<Holder>> {
        let mut buses: BTreeMap<String, Vec<(usize, Held)>> = BTreeMap::new();
        for (index, actuator) in actuators.into_iter().enumerate() {
            let mut bus = bus_of(&actuator.id).to_owned();
            if !buses.contains_key(&bus) && buses.len() == MAX_BUSES {
                bus = buses.last_key_value().map_or(bus, |(last, _)| last.clone());
            }
            // What an earlier guard had saved is on disk already.
            let saved = actuator.saved().is_some();
            let grip = Arc::new(Grip::default());
            let held = Held { actuator, grip, done: 0, failing: false, saved, released: false };
            buses.entry(bus).or_default().push((index, held));
        }
        let mut holders = Vec::new();
        for (bus, held) in buses {
            let grips: Vec<_> =
                held.iter().map(|(index, held)| (*index, Arc::clone(&held.grip))).collect();
            let (clock, shared) = (self.shared.clock, Arc::clone(&self.shared));
            let (journal, realtime) = (self.journal.clone(), self.realtime);
            let mut held: Vec<Held> = held.into_iter().map(|(_, held)| held).collect();
            let handle = thread::Builder::new()
                .name(format!("hand {bus}").chars().take(15).collect())
                .stack_size(STACK_BYTES)
                .spawn(move || {
                    process::raise_priority_quietly(realtime);
                    loop {
                        thread::park_timeout(PARK);
                        turn(&mut held, clock, &shared, &journal);
                    }
                })?;
            let thread = handle.thread().clone();
            holders.extend(
                grips
                    .into_iter()
                    .map(|(index, grip)| (index, Holder { grip, thread: thread.clone() })),
            );
        }
        holders.sort_by_key(|(index, _)| *index);
        Ok(holders.into_iter().map(|(_, holder)| holder).collect())
    }
}

/// The bus of an actuator by its id: the chip, or the class where there is none.
fn bus_of(id: &str) -> &str {
    let end = if id.contains('@') { id.rfind('/') } else { id.find('/') };
    end.map_or(id, |end| &id[..end])
}

/// Levels first, then the end, then everybody's curiosity.
fn turn(held: &mut [Held], clock: Clock, shared: &Shared, journal: &Journal) {
    for held in held.iter_mut() {
        let Some(asked) = held.grip.asked(held.done).filter(|_| !held.released) else {
            continue;
        };
        held.done = asked.number;
        let outcome = bring(&mut held.actuator, asked.level);
        if let Some(since) = asked.since {
            shared.meters.reaction.record(clock.now().saturating_sub(since));
        }
        held.follow(asked.level, outcome, journal);
    }
    for held in held.iter_mut().filter(|held| held.grip.wants_release() && !held.released) {
        held.released = true;
        held.release(journal);
    }
    for held in held.iter_mut() {
        if held.grip.take_look() {
            held.grip.saw(observe(&mut held.actuator));
        }
    }
}

impl Held {
    fn follow(&mut self, level: Level, outcome: Result<(), ActuatorError>, journal: &Journal) {
        if !self.saved
            && let Some(original) = catalog::original(&self.actuator)
        {
            self.saved = true;
            journal.put(Entry::Original(original));
        }
        match outcome {
            Ok(()) => self.failing = false,
            Err(_) if std::mem::replace(&mut self.failing, true) => {}
            Err(error) => {
                let (id, level) = (&self.actuator.id, words::level(level));
                let cause = log::chain(&error);
                let line = format!("{id} can't be brought to {level}: {cause}");
                journal.put(Entry::Log(LogLevel::Error, line));
            }
        }
    }

    fn release(&mut self, journal: &Journal) {
        let id = self.actuator.id.clone();
        if self.actuator.kind != ActuatorKind::Fan {
            self.grip.hand_back(HandBack::Untouched);
            return;
        }
        let (outcome, level, line) = match self.actuator.release() {
            Ok(released) => {
                let outcome = match released {
                    Released::Untouched => HandBack::Untouched,
                    Released::Restored => HandBack::Restored,
                    Released::Safe => HandBack::Safe,
                };
                (outcome, LogLevel::Info, format!("{id} is given back: {released:?}"))
            }
            Err(error) => {
                let cause = log::chain(&error);
                let line = format!("{id} could not be given back, not even at full speed: {cause}");
                (HandBack::Failed, LogLevel::Error, line)
            }
        };
        journal.put(Entry::Log(level, line));
        self.grip.hand_back(outcome);
    }
}

/// Brings an actuator to `level`.
///
/// # Errors
/// Where a file refuses.
fn bring(actuator: &mut Actuator, level: Level) -> Result<(), ActuatorError> {
    match level {
        Level::Automatic => actuator.release().map(|_| ()),
        Level::Duty(duty) => actuator.drive(duty.get()),
        Level::Cap(watts) => actuator.drive(watts.get()),
        Level::Frequency(hertz) => actuator.drive(hertz.get()),
        Level::Free | Level::Down | Level::Off => Ok(()),
    }
}

/// What the actuator says of itself.
///
/// # Errors
/// The reason why it says nothing.
fn observe(actuator: &mut Actuator) -> Result<Observed, NoData> {
    if actuator.kind == ActuatorKind::PowerCap {
        return actuator.observe().map(|watts| Observed::Cap(Watts(watts)));
    }
    let by_hand = actuator.is_taken() && !actuator.has_drifted();
    let duty = actuator.observe().map(Ratio);
    if by_hand || !actuator.has_own_control() {
        return duty.map(Observed::Duty);
    }
    Ok(Observed::Automatic(duty.ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actuators_of_one_chip_share_a_bus_and_classes_are_buses() {
        for (id, bus) in [
            ("nct6775@platform/nct6775.656/pwm2:cpu", "nct6775@platform/nct6775.656"),
            ("powercap/intel-rapl:0/limit:package-0:long_term", "powercap"),
            ("cpufreq/policy0", "cpufreq"),
            ("alone", "alone"),
        ] {
            assert_eq!(bus_of(id), bus);
        }
    }
}
