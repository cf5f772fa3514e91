//! The loop: readings into the engine, actions to the actuators, and only then words about it.
//!
//! It runs at its own pace on its own thread and is woken by new readings. It waits for nobody
//! but, after a trip, 100 ms for the disk. In the steady state it allocates nothing.

mod commands;
mod sampling;
mod telling;

use crate::desk::{Answer, Question};
use crate::hands::{Driven, Hands};
use crate::journal::{Entry, Journal};
use crate::latches::Latch;
use crate::log::{self, Level};
use crate::plan::Names;
use crate::ring::Outbox;
use crate::shared::Shared;
use crate::slots::Slots;
use crate::watchdog::Watchdog;
use crate::words::Now;
use crate::{originals, process};
use commands::Pending;
use flyball_guard_messages::{EventKind, Severity};
use flyball_safety::{Action, ActuatorId, Engine, LimitId, SensorId};
use sampling::Sampling;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender};
use std::thread;
use std::time::Duration;

/// Cycles until everything that the loop touches has been touched.
const WARM_UP: u64 = 8;
/// Actions of one cycle at most: every actuator twice over.
const ACTIONS_PER_ACTUATOR: usize = 2;
/// A cycle this many periods late is told.
const LATE_PERIODS: u32 = 3;
const LATE_TOLD_EVERY: Duration = Duration::from_secs(60);
/// How long a trip waits to be on disk.
const LATCH_WAIT: Duration = Duration::from_millis(100);

/// Everything that the loop owns.
pub(crate) struct Cycle {
    pub(crate) engine: Engine,
    pub(crate) names: Names,
    pub(crate) hands: Hands,
    pub(crate) slots: Arc<Slots>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) journal: Journal,
    pub(crate) questions: Receiver<Question>,
    pub(crate) answers: SyncSender<Answer>,
    pub(crate) watchdog: Watchdog,
    pub(crate) stop: Arc<AtomicBool>,
    /// Of each slot the number of the reading that the engine has seen.
    seen: Vec<u64>,
    watched: Vec<(usize, SensorId)>,
    outbox: Outbox,
    sampling: Sampling,
    pending: Vec<Pending>,
    latches: Vec<Latch>,
    latches_number: u64,
    latches_fault: Option<String>,
    policy_faults: Vec<String>,
    late_told: Option<Duration>,
    shutdown_told: Option<LimitId>,
    /// A wake-up was taken while waiting for the disk: look again at once.
    awake: bool,
}

/// What [`Cycle::new`] is made of.
pub(crate) struct Parts {
    pub(crate) engine: Engine,
    pub(crate) names: Names,
    pub(crate) hands: Hands,
    pub(crate) slots: Arc<Slots>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) journal: Journal,
    pub(crate) questions: Receiver<Question>,
    pub(crate) answers: SyncSender<Answer>,
    pub(crate) watchdog: Watchdog,
    pub(crate) stop: Arc<AtomicBool>,
    pub(crate) latches: Vec<Latch>,
    /// Why the trips of the last run are not known.
    pub(crate) latches_fault: Option<String>,
    /// Of each series how old a value may be to be sampled.
    pub(crate) bounds: Vec<Duration>,
    /// Why the policy file is not in force.
    pub(crate) policy_faults: Vec<String>,
}

impl Cycle {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { engine, names, hands, slots, shared, .. } = parts;
        let series = shared.facts.series.len();
        let watched = names.watched.iter().enumerate();
        Self {
            seen: vec![0; series],
            watched: watched.filter_map(|(slot, id)| Some((slot, (*id)?))).collect(),
            outbox: Outbox::for_series(series),
            sampling: Sampling::new(parts.bounds),
            pending: Vec::new(),
            latches: parts.latches,
            latches_number: 0,
            latches_fault: parts.latches_fault,
            policy_faults: parts.policy_faults,
            late_told: None,
            shutdown_told: None,
            awake: false,
            engine,
            names,
            hands,
            slots,
            shared,
            journal: parts.journal,
            questions: parts.questions,
            answers: parts.answers,
            watchdog: parts.watchdog,
            stop: parts.stop,
        }
    }

    /// Runs until the stop flag is set, then gives the fans back.
    pub(crate) fn run(mut self) {
        process::raise_priority();
        self.greet();
        let mut cycles: u64 = 0;
        while !self.stop.load(Ordering::Relaxed) {
            self.step();
            cycles += 1;
            self.shared.meters.cycles.store(cycles, Ordering::Relaxed);
            if cycles == WARM_UP {
                process::lock_memory();
            }
            self.park();
        }
        self.leave();
    }

    fn now(&self) -> Now {
        Now { mono: self.shared.clock.now(), wall_ms: self.shared.clock.wall_ms() }
    }

    fn park(&mut self) {
        if std::mem::take(&mut self.awake) {
            return;
        }
        let now = self.now();
        let due = self.engine.poll_timeout().since(now.moment());
        thread::park_timeout(due.min(self.sampling.wait(now)));
    }

    /// One turn. What the hardware needs comes first, what people and peers want after it.
    fn step(&mut self) {
        let began = self.now();
        let newest = self.take_readings(began);
        let acted = self.act(began);
        if let (Some(at), true) = (newest, acted) {
            self.shared.meters.reaction.record(self.shared.clock.now().saturating_sub(at));
        }
        let due = self.engine.poll_timeout();
        let whole = began.moment() >= due;
        if whole {
            let late = began.moment().since(due);
            self.shared.meters.late.record(late);
            self.notice_lateness(late, began);
            self.turn_over();
        }
        self.take_questions();
        self.tell();
        self.sample();
        if self.outbox.flush(&self.shared.ring) {
            self.shared.bell.ring();
        }
        if whole {
            self.watchdog.feed(self.shared.clock.now());
        }
        let ended = self.shared.clock.now();
        self.shared.meters.cycle.record(ended.saturating_sub(began.mono));
    }

    /// Hands every new reading to the engine; gives back when the newest of them was taken.
    fn take_readings(&mut self, now: Now) -> Option<Duration> {
        let mut newest = None;
        for (slot, sensor) in &self.watched {
            let Some(reading) = self.slots.get(*slot) else {
                continue;
            };
            let seen = &mut self.seen[*slot];
            if *seen != reading.number {
                *seen = reading.number;
                self.engine.handle_reading(*sensor, reading.value, now.moment());
                newest = newest.max(Some(reading.at));
            }
        }
        newest
    }

    /// Drives what the engine asks for. True where a level was new.
    fn act(&mut self, now: Now) -> bool {
        let mut acted = false;
        let most = self.hands.len() * ACTIONS_PER_ACTUATOR + 1;
        for _ in 0..most {
            match self.engine.poll_action() {
                Some(Action::Drive { actuator, level }) => {
                    let driven = self.hands.drive(actuator, level);
                    acted |= matches!(driven, Driven::New { .. });
                    self.tell_driven(actuator, level, driven, now);
                }
                Some(Action::RequestShutdown { limit }) => self.tell_shutdown(limit, now),
                None => break,
            }
        }
        acted
    }

    /// The part of a whole cycle. What is read back has stood since the cycle before: a level
    /// that is read in the moment of its writing says only that the file took it.
    fn turn_over(&mut self) {
        let count = u16::try_from(self.hands.len()).unwrap_or(u16::MAX);
        for id in (0..count).map(ActuatorId::new) {
            let observed = self.hands.read_back(id);
            let now = self.now();
            self.engine.handle_readback(id, observed, now.moment());
        }
        self.settle_pending();
        let now = self.now();
        self.engine.handle_timeout(now.moment());
        self.act(now);
    }

    fn sample(&mut self) {
        let now = self.now();
        if let Some(stepped_ms) = self.sampling.step(now, &self.slots, &mut self.outbox) {
            let message = format!("the wall clock stepped by {} s", stepped_ms as f64 / 1e3);
            self.record_plain(EventKind::ClockStepped, Severity::Warning, "clock", message, now);
        }
    }

    fn notice_lateness(&mut self, late: Duration, now: Now) {
        let period = self.engine.config().plan().timing.cycle;
        let told = self.late_told.is_some_and(|told| now.mono < told + LATE_TOLD_EVERY);
        if late >= period * LATE_PERIODS && !told {
            self.late_told = Some(now.mono);
            let message = format!("a cycle began {} ms late", late.as_millis());
            self.record_plain(EventKind::CycleLate, Severity::Warning, "guard", message, now);
        }
    }

    /// Saves what stood in the actuators before they were taken.
    fn keep_originals(&self) {
        self.journal.put(Entry::Originals(originals::of(self.hands.actuators())));
    }

    fn leave(mut self) {
        self.watchdog.stopping();
        let now = self.now();
        let message = "the guard stops: fans go back to the firmware, power caps stay".to_owned();
        self.record_plain(EventKind::GuardStopping, Severity::Info, "guard", message, now);
        self.outbox.flush(&self.shared.ring);
        self.shared.bell.ring();
        for (id, outcome) in self.hands.release_fans() {
            let (level, line) = match outcome {
                Ok(released) => (Level::Info, format!("{id} is given back: {released:?}")),
                Err(error) => {
                    let cause = log::chain(&error);
                    (
                        Level::Error,
                        format!("{id} could not be given back, not even at full speed: {cause}"),
                    )
                }
            };
            self.journal.put(Entry::Log(level, line));
        }
        // The journal's thread and the link's have this long for their last words.
        thread::sleep(LATCH_WAIT);
    }
}
