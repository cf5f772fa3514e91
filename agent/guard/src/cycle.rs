//! The loop: readings into the engine, actions to the actuators, and only then words about it.
//!
//! It runs at its own pace on its own thread and is woken by new readings. It waits for nobody
//! but, after a trip, 100 ms for the disk. In the steady state it allocates nothing.

mod changes;
mod commands;
mod complaints;
mod errands;
mod missed;
mod pending;
mod reload;
mod returning;
mod sampling;
mod self_testing;
mod telling;

use crate::catalog::Catalog;
use crate::claimants::Claimants;
use crate::desk::{Answer, ClientId, Question};
use crate::fleet::FleetLayer;
use crate::grip::HandBack;
use crate::hands::Hands;
use crate::host::{Host, Job};
use crate::journal::{Entry, Journal};
use crate::latches::Latch;
use crate::locks::HeldLock;
use crate::log::Level as LogLevel;
use crate::owed::Owed;
use crate::plan::Names;
use crate::policy::Policy;
use crate::poller::Watched;
use crate::process;
use crate::ring::Outbox;
use crate::self_tests::SelfTests;
use crate::shared::Shared;
use crate::slots::Slots;
use crate::sources::Change;
use crate::watchdog::Watchdog;
use crate::words::{self, Now};
use commands::ArmedOperation;
use complaints::Complaints;
use errands::OnItsWay;
use flyball_command::OperationId;
use flyball_guard_messages::{Equipment, EventKind, GuardEvent, Severity};
use flyball_safety::{Action, ActuatorId, Engine, HostLevel, Level, LimitId, SensorId};
use flyball_units::{ResetType, Unit};
use pending::Pending;
use returning::Returning;
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
/// How long a hand-back may take before the guard ends without it.
const HAND_BACK_WITHIN: Duration = Duration::from_secs(3);
const HAND_BACK_LOOK: Duration = Duration::from_millis(5);
/// How long a trip waits to be on disk.
const LATCH_WAIT: Duration = Duration::from_millis(100);

/// Everything that the loop owns.
pub(crate) struct Cycle {
    pub(crate) engine: Engine,
    pub(crate) policy: Policy,
    pub(crate) catalog: Catalog,
    pub(crate) names: Names,
    pub(crate) hands: Hands,
    pub(crate) slots: Arc<Slots>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) journal: Journal,
    pub(crate) changes: Receiver<Change>,
    pub(crate) questions: Receiver<Question>,
    pub(crate) answers: SyncSender<Answer>,
    pub(crate) watchdog: Watchdog,
    pub(crate) stop: Arc<AtomicBool>,
    /// Which series their pollers have to read at the loop's pace.
    pub(crate) polled: Arc<Watched>,
    pub(crate) seed: u64,
    pub(crate) host: Host,
    /// Who runs the host's commands.
    pub(crate) jobs: Option<SyncSender<Job>>,
    /// The places of the machine's own power and services.
    pub(crate) own: Vec<usize>,
    pub(crate) locks: Vec<HeldLock>,
    pub(crate) fleet: FleetLayer,
    self_tests: SelfTests,
    claimants: Claimants,
    /// Operations of people at the machine, who wait for them.
    orders: Vec<(OperationId, ClientId)>,
    /// Of each slot the number of the reading that the engine has seen.
    seen: Vec<u64>,
    watched: Vec<(usize, SensorId)>,
    outbox: Outbox,
    sampling: Sampling,
    equipment: Vec<Equipment>,
    /// Operations that wait to be seen to come about.
    pending: Vec<Pending>,
    armed: Vec<ArmedOperation>,
    next_ticket: u64,
    errands: Vec<OnItsWay>,
    requests: u64,
    /// What was asserted of the machine's own power, and when last.
    asserted: Vec<(ActuatorId, ResetType, Duration)>,
    complaints: Complaints,
    returning: Returning,
    latches: Vec<Latch>,
    /// Counts what was handed to the disk.
    kept: u64,
    latches_fault: Option<String>,
    policy_faults: Vec<String>,
    /// What of the policy has nothing on this machine to hold on to.
    remarks: Vec<String>,
    late_told: Option<Duration>,
    shutdown_told: Option<LimitId>,
    /// A wake-up was taken while waiting for the disk: look again at once.
    awake: bool,
}

/// What [`Cycle::new`] is made of.
pub(crate) struct Parts {
    pub(crate) engine: Engine,
    pub(crate) policy: Policy,
    pub(crate) catalog: Catalog,
    pub(crate) names: Names,
    pub(crate) hands: Hands,
    pub(crate) slots: Arc<Slots>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) journal: Journal,
    pub(crate) changes: Receiver<Change>,
    pub(crate) questions: Receiver<Question>,
    pub(crate) answers: SyncSender<Answer>,
    pub(crate) watchdog: Watchdog,
    pub(crate) stop: Arc<AtomicBool>,
    /// Which series their pollers have to read at the loop's pace.
    pub(crate) polled: Arc<Watched>,
    pub(crate) seed: u64,
    pub(crate) host: Host,
    /// Who runs the host's commands.
    pub(crate) jobs: Option<SyncSender<Job>>,
    /// The places of the machine's own power and services.
    pub(crate) own: Vec<usize>,
    pub(crate) locks: Vec<HeldLock>,
    pub(crate) fleet: FleetLayer,
    pub(crate) self_tests: SelfTests,
    pub(crate) latches: Vec<Latch>,
    pub(crate) owed: Owed,
    /// Why the trips of the last run are not known.
    pub(crate) latches_fault: Option<String>,
    /// Of each series how old a value may be to be sampled.
    pub(crate) bounds: Vec<Duration>,
    /// Why the policy file is not in force.
    pub(crate) policy_faults: Vec<String>,
    /// What of the policy has nothing on this machine to hold on to.
    pub(crate) remarks: Vec<String>,
}

impl Cycle {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { engine, policy, catalog, names, hands, slots, shared, .. } = parts;
        let series = catalog.sensors.len();
        let watched = names.watched.iter().enumerate();
        Self {
            seen: vec![0; series],
            watched: watched.filter_map(|(slot, id)| Some((slot, (*id)?))).collect(),
            outbox: Outbox::for_series(series),
            sampling: Sampling::new(parts.bounds),
            equipment: Vec::new(),
            pending: Vec::new(),
            armed: Vec::new(),
            next_ticket: 1,
            errands: Vec::new(),
            requests: 0,
            asserted: Vec::new(),
            complaints: Complaints::default(),
            returning: Returning::new(parts.owed),
            latches: parts.latches,
            kept: 0,
            latches_fault: parts.latches_fault,
            policy_faults: parts.policy_faults,
            remarks: parts.remarks,
            late_told: None,
            shutdown_told: None,
            awake: false,
            engine,
            policy,
            catalog,
            names,
            hands,
            slots,
            shared,
            journal: parts.journal,
            changes: parts.changes,
            questions: parts.questions,
            answers: parts.answers,
            watchdog: parts.watchdog,
            stop: parts.stop,
            polled: parts.polled,
            seed: parts.seed,
            host: parts.host,
            jobs: parts.jobs,
            own: parts.own,
            locks: parts.locks,
            fleet: parts.fleet,
            self_tests: parts.self_tests,
            claimants: Claimants::default(),
            orders: Vec::new(),
        }
    }

    /// Runs until the stop flag is set, then gives the fans back.
    pub(crate) fn run(mut self) {
        process::raise_priority(self.policy.realtime);
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
        self.act(newest, began);
        let due = self.engine.poll_timeout();
        let whole = began.moment() >= due;
        if whole {
            let late = began.moment().since(due);
            self.shared.meters.late.record(late);
            self.notice_lateness(late, began);
            self.turn_over();
        }
        self.take_changes();
        self.take_questions();
        self.tell();
        self.sample();
        if self.outbox.flush(&self.shared.ring) {
            self.shared.bell.ring();
        }
        if whole {
            let line = self.watchdog.feed(self.shared.clock.now());
            if let Some(line) = line {
                self.journal.put(Entry::Log(LogLevel::Error, line));
            }
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

    /// Drives what the engine asks for. `since` is when the reading was taken that led to it.
    fn act(&mut self, since: Option<Duration>, now: Now) {
        let most = self.hands.len() * ACTIONS_PER_ACTUATOR + 1;
        for _ in 0..most {
            let action = self.engine.poll_action();
            // Fans and caps wait for nothing. What ends the machine waits for the trip's record,
            // as long as a record may take: who finds it off has to find out why.
            if let Some(
                Action::Drive { level: Level::Down | Level::Off, .. }
                | Action::Host { level: HostLevel::Stopping, .. },
            ) = action
            {
                self.tell();
            }
            match action {
                Some(Action::Drive { actuator, level }) => {
                    if !self.asserts(actuator, level, now)
                        && self.hands.drive(actuator, level, since)
                    {
                        if matches!(level, Level::Down | Level::Off) {
                            self.owe(actuator);
                        }
                        self.tell_driven(actuator, level, now);
                    }
                }
                Some(Action::Switch { actuator, verb }) => self.switch(actuator, verb, now),
                Some(Action::Host { level, limit }) => self.ask_host(level, limit, now),
                None => break,
            }
        }
    }

    /// The part of a whole cycle. What is read back was looked at since the cycle before: a level
    /// that is read in the moment of its writing says only that the file took it.
    fn turn_over(&mut self) {
        let count = u16::try_from(self.hands.len()).unwrap_or(u16::MAX);
        let now = self.now();
        for id in (0..count).map(ActuatorId::new) {
            if let Some(observed) = self.hands.take_sight(id) {
                self.engine.handle_readback(id, observed, now.moment());
            }
        }
        self.hands.look();
        self.look_at_own(now);
        self.settle_pending();
        self.keep_self_testing();
        let now = self.now();
        self.engine.handle_timeout(now.moment());
        self.act(None, now);
        self.bring_back(now);
    }

    fn sample(&mut self) {
        let now = self.now();
        if let Some(stepped_ms) =
            self.sampling.step(now, &self.slots, &self.shared.evidence, &mut self.outbox)
        {
            let seconds = stepped_ms as f64 / 1e3;
            let message = format!("the wall clock stepped by {seconds} s");
            // The agent's books go by its length and its sign.
            let (reading, unit) = (Some(seconds), Some(Unit::Second));
            let event = words::plain(EventKind::ClockStepped, Severity::Warning, "clock", message);
            self.record(GuardEvent { reading, unit, ..event }, now);
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

    fn leave(mut self) {
        self.watchdog.stopping();
        let now = self.now();
        let message = "the guard stops: fans go back to the firmware, power caps stay".to_owned();
        self.settle_own_stop(now);
        self.record_plain(EventKind::GuardStopping, Severity::Info, "guard", message, now);
        self.outbox.flush(&self.shared.ring);
        self.shared.bell.ring();
        self.hands.release();
        let until = self.shared.clock.now() + HAND_BACK_WITHIN;
        while self.hands.handed_back().any(|(_, back)| back == HandBack::Pending)
            && self.shared.clock.now() < until
        {
            thread::sleep(HAND_BACK_LOOK);
        }
        for (id, back) in self.hands.handed_back() {
            if back == HandBack::Pending {
                let name = self.names.actuator(id);
                let line = format!("{name} could not be given back: its bus does not answer");
                self.journal.put(Entry::Log(LogLevel::Error, line));
            }
        }
        self.watchdog.disarm();
        // The journal's thread and the link's have this long for their last words.
        thread::sleep(LATCH_WAIT);
    }
}
