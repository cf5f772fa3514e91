//! The guard's own record of what it saw and did: an append-only file of JSON lines, each with
//! the hash of the one before, written by a thread of its own.
//!
//! It survives the loss of agent and aggregator, and it never holds the loop: its queue is
//! bounded, and what finds it full is counted. The same thread writes the small durable files
//! and the log lines of the loop.

mod file;
mod frozen;
mod reading;

use crate::fleet::{self, FleetLayer};
use crate::latches::{self, Latch};
use crate::locks::{self, HeldLock};
use crate::log;
use crate::originals::{self, Original};
use crate::owed::{self, Owed};
use crate::self_tests::{self, Tested};
use crate::shared::Shared as LoopShared;
use file::JournalFile;
use flyball_command::Outcome;
use flyball_guard_messages::{GuardEvent, Severity};
pub(crate) use reading::{show, verify};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, Thread};
use uuid::Uuid;

/// More than a bad minute makes.
const QUEUE: usize = 512;
const STACK_BYTES: usize = 256 * 1024;

/// What the thread is asked to keep.
#[derive(Debug)]
pub(crate) enum Entry {
    Event {
        at_ms: u64,
        event: GuardEvent,
    },
    Outcome(Outcome),
    /// A line of the loop for a person.
    Log(log::Level, String),
    /// Replace what must survive a restart. `number` is told back when it is on disk.
    Keep {
        number: u64,
        kept: Kept,
    },
    /// A limit has tripped: the last ten minutes go into a file of their own.
    Freeze {
        at_ms: u64,
        limit: String,
        from: Arc<LoopShared>,
    },
    /// What stood in one actuator before it was taken.
    Original(Original),
}

/// What a restart must find again.
#[derive(Debug)]
pub(crate) enum Kept {
    /// The trips that stand.
    Latches(Vec<Latch>),
    Locks(Vec<HeldLock>),
    Fleet(FleetLayer),
    SelfTest(Tested),
    Owed(Owed),
}

impl Kept {
    fn save(&self, state: &Path) -> io::Result<()> {
        match self {
            Self::Latches(latches) => latches::save(state, latches),
            Self::Locks(locks) => locks::save(state, locks),
            Self::Fleet(fleet) => fleet::save(state, fleet),
            Self::SelfTest(tested) => self_tests::save(state, tested),
            Self::Owed(owed) => owed::save(state, owed),
        }
    }
}

/// The loop's end of the queue.
#[derive(Clone, Debug)]
pub(crate) struct Journal {
    queue: SyncSender<Entry>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    dropped: AtomicU64,
    /// The number of what was kept last.
    kept: AtomicU64,
}

impl Journal {
    /// Opens the journal in `state` and starts its thread, which wakes `waiter` when latches
    /// are on disk.
    ///
    /// # Errors
    /// Where no thread can be started. A file that can't be opened is said and tried again
    /// with each entry: a full disk must not keep the guard from guarding.
    pub(crate) fn start(
        state: PathBuf,
        boot: Uuid,
        originals: Vec<Original>,
        waiter: Thread,
    ) -> io::Result<Self> {
        let (queue, entries) = sync_channel(QUEUE);
        let shared = Arc::new(Shared::default());
        let keeper = Keeper {
            file: JournalFile::new(&state),
            state,
            boot,
            originals,
            waiter,
            shared: Arc::clone(&shared),
            reported: 0,
        };
        thread::Builder::new()
            .name("journal".into())
            .stack_size(STACK_BYTES)
            .spawn(move || keeper.run(&entries))?;
        Ok(Self { queue, shared })
    }

    /// Hands an entry over, or counts it where the queue is full.
    pub(crate) fn put(&self, entry: Entry) {
        if self.queue.try_send(entry).is_err() {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// True once what was kept under that number is on disk.
    pub(crate) fn has_kept(&self, number: u64) -> bool {
        self.shared.kept.load(Ordering::Acquire) >= number
    }
}

/// The thread's side.
struct Keeper {
    file: JournalFile,
    state: PathBuf,
    boot: Uuid,
    originals: Vec<Original>,
    waiter: Thread,
    shared: Arc<Shared>,
    reported: u64,
}

impl Keeper {
    fn run(mut self, entries: &Receiver<Entry>) {
        while let Ok(entry) = entries.recv() {
            self.report_drops();
            self.keep(entry);
        }
    }

    fn keep(&mut self, entry: Entry) {
        match entry {
            Entry::Event { at_ms, event } => {
                let line =
                    format!("{} kind={:?} subject={}", event.message, event.kind, event.subject);
                match event.severity {
                    Severity::Info => log::info(line),
                    Severity::Warning => log::warn(line),
                    Severity::Critical => log::error(line),
                }
                self.file.append(at_ms, "event", &event);
            }
            Entry::Outcome(outcome) => {
                self.file.append(outcome.at_ms, "outcome", &outcome);
            }
            Entry::Log(log::Level::Info, line) => log::info(line),
            Entry::Log(log::Level::Warn, line) => log::warn(line),
            Entry::Log(log::Level::Error, line) => log::error(line),
            Entry::Keep { number, kept } => match kept.save(&self.state) {
                Ok(()) => {
                    self.shared.kept.store(number, Ordering::Release);
                    self.waiter.unpark();
                }
                Err(error) => {
                    log::error(format_args!("what a restart must find is not on disk: {error}"));
                }
            },
            Entry::Freeze { at_ms, limit, from } => self.freeze(at_ms, &limit, &from),
            Entry::Original(original) => {
                self.originals.retain(|known| known.actuator != original.actuator);
                self.originals.push(original);
                if let Err(error) = originals::save(&self.state, self.boot, &self.originals) {
                    log::error(format_args!("the actuators' own levels are not on disk: {error}"));
                }
            }
        }
    }

    fn freeze(&mut self, at_ms: u64, limit: &str, from: &LoopShared) {
        let history = from.evidence.copy();
        let series = from.series().clone();
        match frozen::freeze(&self.state, at_ms, limit, &series, &history) {
            Ok(frozen) => self.file.append(at_ms, "evidence", &frozen),
            Err(error) => log::error(format_args!(
                "the evidence of a trip is not on disk limit={limit} cause={error}"
            )),
        }
    }

    fn report_drops(&mut self) {
        let dropped = self.shared.dropped.load(Ordering::Relaxed);
        if dropped > self.reported {
            log::warn(format_args!(
                "the journal's queue was full, entries are missing count={}",
                dropped - self.reported
            ));
            self.reported = dropped;
        }
    }
}
