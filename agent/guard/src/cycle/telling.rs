//! Words about what the loop did: records for the ring, lines for the journal, and trips that
//! must be on disk.

use super::{Cycle, LATCH_WAIT};
use crate::hands::number_of_level;
use crate::journal::{Entry, Kept};
use crate::latches::Latch;
use crate::log::Level as LogLevel;
use crate::words::{self, Now};
use flyball_guard_messages::{EventKind, GuardEvent, Record, RecordBody, Severity};
use flyball_safety::{ActuatorId, Event, EventKind as Engine, Level, LimitId, StateKind};
use std::sync::Arc;
use std::thread;

impl Cycle {
    /// The first record of a run, the latches of the last one, and the first levels.
    pub(super) fn greet(&mut self) {
        let now = self.now();
        let facts = &self.shared.facts;
        let message = format!(
            "the guard starts: {} series, {} limits, {} actuators{}{}",
            self.catalog.sensors.len(),
            self.names.limits.len(),
            self.hands.len(),
            if facts.board.simulated { ", a simulated board" } else { "" },
            if facts.dry_run { ", DRY RUN: nothing is driven" } else { "" },
        );
        let severity = if facts.dry_run { Severity::Critical } else { Severity::Info };
        self.record_plain(EventKind::GuardStarted, severity, "guard", message, now);
        self.note();
        for fault in std::mem::take(&mut self.policy_faults) {
            let (kind, severity) = (EventKind::PolicyRejected, Severity::Critical);
            self.record_plain(kind, severity, "policy", fault, now);
        }
        if self.watchdog.has_reset() {
            let message = "the machine was reset by its watchdog before this run".to_owned();
            let (kind, severity) = (EventKind::WatchdogReset, Severity::Critical);
            self.record_plain(kind, severity, "watchdog", message, now);
        }
        let latches_fault = self.latches_fault.take();
        if latches_fault.is_some() {
            self.latches = self.latches_of_all_trips(now);
        }
        for latch in self.latches.clone() {
            match self.names.limit_id(&latch.limit) {
                Some(limit) => self.engine.handle_latch(limit, now.moment()),
                None => {
                    let line = format!("{} tripped once and is no limit any more", latch.limit);
                    self.journal.put(Entry::Log(LogLevel::Warn, line));
                }
            }
        }
        self.apply_locks(now);
        self.apply_fleet(now);
        self.act(None, now);
        if let Some(cause) = latches_fault {
            let message = format!(
                "the trips of the last run can't be read: all {} limits that can trip count as \
                 tripped until they are cleared ({cause})",
                self.latches.len()
            );
            let (kind, severity) = (EventKind::LatchesLost, Severity::Critical);
            self.record_plain(kind, severity, "guard", message, now);
            self.keep_latches();
        }
        self.watchdog.ready();
    }

    /// What has to stand where nobody knows what stood: one of these trips may be true, and
    /// only a person may clear it.
    fn latches_of_all_trips(&self, now: Now) -> Vec<Latch> {
        words::limits(&self.engine, &self.names, &self.claimants, now)
            .into_iter()
            .filter(|limit| limit.trip.is_some())
            .map(|limit| Latch {
                limit: limit.name,
                since_ms: now.wall_ms,
                reading: None,
                threshold: limit.trip,
            })
            .collect()
    }

    /// Everything that the engine has to tell.
    pub(super) fn tell(&mut self) {
        let now = self.now();
        let mut latches_changed = false;
        while let Some(event) = self.engine.poll_event() {
            latches_changed |= self.follow_latch(&event, now);
            match event.kind {
                Engine::LockExpired { lock } => {
                    self.expire_lock(lock, now);
                    continue;
                }
                Engine::SelfTestEnded { end } => {
                    self.end_self_test(end, now);
                    continue;
                }
                Engine::ArmingExpired { ticket, .. } => self.expire_armed(ticket, now),
                Engine::VerbEnded { actuator, reached, .. } => {
                    self.settle_verb(actuator, reached, now);
                }
                _ => {}
            }
            let against = match event.kind {
                Engine::VerbEnded { actuator, reached: false, .. }
                | Engine::ActuatorStuck { actuator, .. } => self.complaints.of(actuator),
                _ => None,
            };
            let mut told = words::guard_event(&event, &self.names);
            if let Some(against) = against {
                told.message = format!("{}: {against}", told.message);
            }
            self.record(told, now);
        }
        if latches_changed {
            self.wait_for_disk();
        }
    }

    /// Keeps the list of standing trips, before anything else is written of it. True where it
    /// changed.
    fn follow_latch(&mut self, event: &Event, now: Now) -> bool {
        let Engine::LimitChanged { limit, from, to, reading, threshold } = event.kind else {
            return false;
        };
        let name = self.names.limit(limit);
        let known = self.latches.iter().position(|latch| latch.limit == name);
        match (to, known) {
            (StateKind::Tripped, None) => {
                let (limit, since_ms) = (name.to_owned(), now.wall_ms);
                let (at_ms, from) = (now.wall_ms, Arc::clone(&self.shared));
                self.latches.push(Latch { limit: limit.clone(), since_ms, reading, threshold });
                self.put_kept(Kept::Latches(self.latches.clone()));
                self.journal.put(Entry::Freeze { at_ms, limit, from });
                true
            }
            (StateKind::Tripped, Some(_)) => false,
            (_, Some(index)) if from == StateKind::Tripped => {
                self.latches.swap_remove(index);
                self.put_kept(Kept::Latches(self.latches.clone()));
                true
            }
            _ => false,
        }
    }

    pub(super) fn keep_latches(&mut self) {
        self.keep(Kept::Latches(self.latches.clone()));
    }

    /// Writes what must survive and waits a moment for the disk: the actuators have acted.
    pub(super) fn keep(&mut self, kept: Kept) {
        self.put_kept(kept);
        self.wait_for_disk();
    }

    fn put_kept(&mut self, kept: Kept) {
        self.kept += 1;
        self.journal.put(Entry::Keep { number: self.kept, kept });
    }

    fn wait_for_disk(&mut self) {
        let until = self.shared.clock.now() + LATCH_WAIT;
        loop {
            let now = self.shared.clock.now();
            if self.journal.has_kept(self.kept) || now >= until {
                break;
            }
            thread::park_timeout(until - now);
            self.awake = true;
        }
    }

    pub(super) fn forget_latch(&mut self, limit: &str) -> bool {
        let before = self.latches.len();
        self.latches.retain(|latch| latch.limit != limit);
        self.latches.len() < before
    }

    /// A level that was not asked for before. Whether it is taken shows in the read-back.
    pub(super) fn tell_driven(&mut self, id: ActuatorId, level: Level, now: Now) {
        let name = self.names.actuator(id);
        let (kind, severity) = match level {
            Level::Down | Level::Off => (EventKind::Switched, Severity::Critical),
            Level::Free => (EventKind::Switched, Severity::Info),
            Level::Automatic | Level::Duty(_) | Level::Cap(_) | Level::Frequency(_) => {
                (EventKind::ActuatorDriven, Severity::Info)
            }
        };
        let message = match level {
            Level::Free => format!("{name} is no longer held down"),
            _ => format!("{name} is brought to {}", words::level(level)),
        };
        let plain = words::plain(kind, severity, name, message);
        let unit = self.catalog.actuators.get(id.index()).map(|actuator| actuator.unit);
        self.record(GuardEvent { reading: number_of_level(level), unit, ..plain }, now);
    }

    /// Comes each cycle while a trip stands, and is told once.
    pub(super) fn tell_shutdown(&mut self, limit: LimitId, now: Now) {
        if self.shutdown_told.replace(limit) == Some(limit) {
            return;
        }
        let name = self.names.limit(limit).to_owned();
        let message = format!("{name} has tripped and the policy asks for an orderly shutdown");
        self.record_plain(EventKind::ShutdownWanted, Severity::Critical, &name, message, now);
    }

    pub(super) fn record_plain(
        &mut self,
        kind: EventKind,
        severity: Severity,
        subject: &str,
        message: String,
        now: Now,
    ) {
        self.record(words::plain(kind, severity, subject, message), now);
    }

    /// An event into the ring and into the journal.
    pub(super) fn record(&mut self, event: GuardEvent, now: Now) {
        self.journal.put(Entry::Event { at_ms: now.wall_ms, event: event.clone() });
        self.outbox.push(&Record { at_ms: now.wall_ms, body: RecordBody::Event(event) });
    }
}
