//! The threads that hold the machine's own actuators, one a bus: they write, look, and hand back.
//!
//! A file that hangs holds its own bus and nothing else. A failing write is said once, and again
//! after a success.

use super::Holder;
use super::rival::Rival;
use crate::grip::{Grip, HandBack};
use crate::journal::{Entry, Journal};
use crate::log::{self, Level as LogLevel};
use crate::shared::Shared;
use crate::sources::{Change, Errand, Sources};
use crate::{catalog, process, words};
use flyball_driver_messages::{ActuatorState, Deed, DeedError, DeedFault};
use flyball_hardware::{Actuator, ActuatorError, ActuatorKind, Released};
use flyball_safety::{Level, Observed};
use flyball_units::{Hertz, NoData, Ratio, Watts};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// No machine has more buses of its own; what is beyond shares the last one's thread.
const MAX_BUSES: usize = 8;
const STACK_BYTES: usize = 96 * 1024;
/// What waits for a worker; more is refused.
const ERRANDS: usize = 8;
/// How long firmware has to make of a level what it will be.
const SETTLES: Duration = Duration::from_millis(100);
/// Between two looks whether a fan that was handed back turns.
const SPIN_LOOK: Duration = Duration::from_millis(150);
/// It is woken for every level; this is for a wake-up that found the writer within.
const PARK: Duration = Duration::from_millis(500);

/// Starts workers.
#[derive(Debug)]
pub(crate) struct Workers {
    pub(crate) shared: Arc<Shared>,
    pub(crate) journal: Journal,
    pub(crate) realtime: bool,
    pub(crate) sources: Sources,
}

/// One actuator's holder, and who carries out what it is asked besides levels.
#[derive(Debug)]
pub(crate) struct Hired {
    pub(crate) holder: Holder,
    pub(crate) errands: SyncSender<Errand>,
}

struct Held {
    actuator: Actuator,
    grip: Arc<Grip>,
    /// The number of the last level that was taken up.
    done: u64,
    failing: bool,
    saved: bool,
    released: bool,
    /// The level that was last written, and when.
    written: Option<(Level, Duration)>,
    rival: Rival,
    /// A look is wanted that would have come too soon after the writing.
    owes_look: bool,
    /// Where a setting was seen to stand, to be told when it changes.
    state: Option<ActuatorState>,
}

impl Workers {
    /// Gives every actuator a worker; their holders come back in the same order.
    ///
    /// # Errors
    /// Where a thread can't be started.
    pub(crate) fn start(&self, actuators: Vec<Actuator>) -> io::Result<Vec<Hired>> {
        let mut buses: BTreeMap<String, Vec<(usize, Held)>> = BTreeMap::new();
        for (index, actuator) in actuators.into_iter().enumerate() {
            let mut bus = bus_of(&actuator.id).to_owned();
            if !buses.contains_key(&bus) && buses.len() == MAX_BUSES {
                bus = buses.last_key_value().map_or(bus, |(last, _)| last.clone());
            }
            // What an earlier guard had saved is on disk already.
            let saved = actuator.saved().is_some();
            let grip = Arc::new(Grip::default());
            let held = Held::new(actuator, grip, saved);
            buses.entry(bus).or_default().push((index, held));
        }
        let mut hired = Vec::new();
        for (bus, held) in buses {
            let (errands, inbox) = sync_channel(ERRANDS);
            let grips: Vec<_> =
                held.iter().map(|(index, held)| (*index, Arc::clone(&held.grip))).collect();
            let mut bench = Bench {
                held: held.into_iter().map(|(_, held)| held).collect(),
                shared: Arc::clone(&self.shared),
                journal: self.journal.clone(),
                sources: self.sources.clone(),
                inbox,
            };
            let realtime = self.realtime;
            let handle = thread::Builder::new()
                .name(format!("hand {bus}").chars().take(15).collect())
                .stack_size(STACK_BYTES)
                .spawn(move || {
                    process::raise_priority_quietly(realtime);
                    loop {
                        thread::park_timeout(PARK);
                        bench.turn();
                    }
                })?;
            let thread = handle.thread().clone();
            hired.extend(grips.into_iter().map(|(index, grip)| {
                let holder = Holder { grip, thread: thread.clone() };
                (index, Hired { holder, errands: errands.clone() })
            }));
        }
        hired.sort_by_key(|(index, _)| *index);
        Ok(hired.into_iter().map(|(_, hired)| hired).collect())
    }
}

/// The bus of an actuator by its id: the chip, or the class where there is none.
fn bus_of(id: &str) -> &str {
    let end = if id.contains('@') { id.rfind('/') } else { id.find('/') };
    end.map_or(id, |end| &id[..end])
}

/// What one thread works with.
struct Bench {
    held: Vec<Held>,
    shared: Arc<Shared>,
    journal: Journal,
    sources: Sources,
    inbox: Receiver<Errand>,
}

impl Bench {
    /// Levels first, then the end, then errands and everybody's curiosity.
    fn turn(&mut self) {
        let clock = self.shared.clock;
        for held in &mut self.held {
            if held.owes_look && held.has_settled(clock.now()) {
                held.look(clock.now(), &self.sources, &self.journal);
            }
            let Some(asked) = held.grip.asked(held.done).filter(|_| !held.released) else {
                continue;
            };
            held.done = asked.number;
            if !held.may_write(asked.level, clock.now()) {
                continue;
            }
            let outcome = bring(&mut held.actuator, asked.level);
            if let Some(since) = asked.since {
                self.shared.meters.reaction.record(clock.now().saturating_sub(since));
            }
            held.written = Some((asked.level, clock.now()));
            held.rival.wrote();
            held.follow(asked.level, outcome, &self.journal);
        }
        let leaving = |held: &&mut Held| held.grip.wants_release() && !held.released;
        for held in self.held.iter_mut().filter(leaving) {
            held.released = true;
            held.release(&self.journal);
        }
        while let Ok(errand) = self.inbox.try_recv() {
            let outcome = self.run(&errand);
            // The guard ends: nobody waits for the outcome any more.
            let _ = self.sources.tell(Change::Done { request: errand.request, outcome });
        }
        for held in &mut self.held {
            if held.grip.take_look() {
                held.owes_look = !held.has_settled(clock.now());
                if !held.owes_look {
                    held.look(clock.now(), &self.sources, &self.journal);
                }
            }
        }
    }

    fn run(&mut self, errand: &Errand) -> Result<ActuatorState, DeedError> {
        if self.shared.clock.now() > errand.deadline {
            return Err(DeedError::new(DeedFault::NotTried, "its time was over before its turn"));
        }
        let Some(held) = self.held.iter_mut().find(|held| held.actuator.id == errand.actuator)
        else {
            return Err(DeedError::new(DeedFault::Unsupported, "the actuator is gone"));
        };
        let done = match &errand.deed {
            Deed::Observe => Ok(()),
            Deed::SetLit(lit) => held.actuator.drive(if *lit { 1.0 } else { 0.0 }),
            Deed::SetWord(word) => held.actuator.choose(word),
            Deed::Reset(_) | Deed::SetLevel(_) | Deed::ClearLevel | Deed::BootOnce(_) => {
                let message = format!("{} takes no such errand", errand.actuator);
                return Err(DeedError::new(DeedFault::Unsupported, message));
            }
        };
        if !held.saved
            && let Some(original) = catalog::original(&held.actuator)
        {
            held.saved = true;
            self.journal.put(Entry::Original(original));
        }
        done.map_err(|error| DeedError::new(DeedFault::Failed, log::chain(&error)))?;
        held.tell_state(&self.sources);
        held.state
            .clone()
            .ok_or_else(|| DeedError::new(DeedFault::NotConfirmed, "it can't be read back"))
    }
}

impl Held {
    fn new(actuator: Actuator, grip: Arc<Grip>, saved: bool) -> Self {
        Self {
            actuator,
            grip,
            done: 0,
            failing: false,
            saved,
            released: false,
            written: None,
            rival: Rival::default(),
            owes_look: false,
            state: None,
        }
    }

    /// Read in the moment of its writing, a level says only that the file took it.
    fn has_settled(&self, now: Duration) -> bool {
        self.written.is_none_or(|(_, written)| now.saturating_sub(written) >= SETTLES)
    }

    fn may_write(&self, level: Level, now: Duration) -> bool {
        let same = self.written.is_some_and(|(last, _)| last == level);
        self.rival.lets_write(same, self.written.map(|(_, at)| at), now)
    }

    fn look(&mut self, now: Duration, sources: &Sources, journal: &Journal) {
        self.owes_look = false;
        let seen = observe(&mut self.actuator);
        if let (Some((level, _)), Ok(seen)) = (self.written, seen)
            && self.rival.looked(stands(&self.actuator, level, seen), now)
        {
            let id = &self.actuator.id;
            let line = format!(
                "somebody else drives {id}: it was taken over three times within a minute; end \
                 the other program (fancontrol, thermald, a vendor's daemon). Until nobody has \
                 taken it over for five minutes, a level is written again every 30 s only"
            );
            journal.put(Entry::Log(LogLevel::Error, line));
        }
        self.grip.saw(seen);
        self.tell_state(sources);
    }

    /// Tells where a setting stands, where that is new.
    fn tell_state(&mut self, sources: &Sources) {
        let state = match self.actuator.kind {
            ActuatorKind::Profile => match self.actuator.chosen() {
                Ok(word) => ActuatorState::Word(word.to_owned()),
                Err(reason) => ActuatorState::Unknown(reason),
            },
            ActuatorKind::Indicator => match self.actuator.observe() {
                Ok(level) => ActuatorState::Lit(level > 0.5),
                Err(reason) => ActuatorState::Unknown(reason),
            },
            ActuatorKind::Fan | ActuatorKind::PowerCap | ActuatorKind::FrequencyCap => return,
        };
        if self.state.as_ref() != Some(&state) {
            self.state = Some(state.clone());
            let actuator = self.actuator.id.clone();
            // The guard ends: nobody shows it any more.
            let _ = sources.tell(Change::State { actuator, state });
        }
    }

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
        let (outcome, level, line) =
            match self.actuator.release_turning(|| thread::sleep(SPIN_LOOK)) {
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
                    let line =
                        format!("{id} could not be given back, not even at full speed: {cause}");
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

/// Whether it shows the level that was written.
fn stands(actuator: &Actuator, level: Level, seen: Observed) -> bool {
    match (level, seen) {
        (Level::Duty(wanted), Observed::Duty(seen)) => actuator.agrees(wanted.get(), seen.get()),
        (Level::Cap(wanted), Observed::Cap(seen)) => actuator.agrees(wanted.get(), seen.get()),
        (Level::Frequency(wanted), Observed::Frequency(seen)) => {
            actuator.agrees(wanted.get(), seen.get())
        }
        (Level::Duty(_), Observed::Automatic(_)) => false,
        // What is its own may do as it likes.
        _ => true,
    }
}

/// What the actuator says of itself.
///
/// # Errors
/// The reason why it says nothing.
fn observe(actuator: &mut Actuator) -> Result<Observed, NoData> {
    match actuator.kind {
        ActuatorKind::Fan => {}
        ActuatorKind::PowerCap => return actuator.observe().map(|w| Observed::Cap(Watts(w))),
        ActuatorKind::FrequencyCap => {
            return actuator.observe().map(|hertz| Observed::Frequency(Hertz(hertz)));
        }
        ActuatorKind::Profile | ActuatorKind::Indicator => {
            return actuator.observe().map(|_| Observed::Present);
        }
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
