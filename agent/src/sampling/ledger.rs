//! What was taken, so that nothing is taken twice and nothing is missing without a name.

use super::TICK_MS;
use super::input::{Input, RecordId, What};
use super::ticks::Ticks;
use flyball_protocol::entry::{Gap, GapScope};
use flyball_protocol::series::Reader;
use flyball_units::NoData;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The readers' books. A value of the inputs alone: replaying them gives the same books.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Ledger {
    /// The guard's last record.
    record: Option<RecordId>,
    guard: Book,
    agent: Book,
}

/// What an input is to the books.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Entered {
    /// It was taken before: the guard repeats what it has no confirmation for.
    Repeated,
    /// Its tick was: the clock was set back, or two guards met in one second.
    TickTaken,
    New {
        /// What is missing before it.
        gap: Option<Gap>,
        /// A reader that was away is back.
        first: bool,
    },
}

/// One reader's ticks, and why the next of them may be late.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Book {
    ticks: Ticks,
    cause: NoData,
    note: String,
}

impl Default for Ledger {
    fn default() -> Self {
        Self { record: None, guard: Book::new(), agent: Book::new() }
    }
}

impl Ledger {
    pub(super) fn enter(&mut self, input: &Input) -> Entered {
        if let Some(record) = input.record {
            if self.is_repeated(record) {
                return Entered::Repeated;
            }
            self.enter_record(record);
        }
        match &input.what {
            What::Samples { reader, tick_ms, .. } => match reader {
                Reader::Guard => self.guard.enter(Reader::Guard, *tick_ms),
                Reader::Agent => self.agent.enter(Reader::Agent, *tick_ms),
            },
            What::Lost { records, .. } => {
                let note = format!("the guard's ring was full: {records} records are lost");
                self.guard.blame(NoData::Overflow, note);
                Entered::New { gap: None, first: false }
            }
            What::Started => {
                self.agent.blame(NoData::NotRunning, "the agent was not running".to_owned());
                Entered::New { gap: None, first: false }
            }
            What::Event { .. } | What::Outcome(_) => Entered::New { gap: None, first: false },
        }
    }

    /// The guard's run and the last record of it.
    pub(super) fn attach_point(&self) -> (Option<Uuid>, u64) {
        self.record.map_or((None, 0), |record| (Some(record.run), record.number))
    }

    pub(super) fn last_tick_ms(&self, reader: Reader) -> Option<u64> {
        match reader {
            Reader::Guard => self.guard.ticks.last_ms(),
            Reader::Agent => self.agent.ticks.last_ms(),
        }
    }

    fn is_repeated(&self, record: RecordId) -> bool {
        self.record.is_some_and(|last| last.run == record.run && record.number <= last.number)
    }

    fn enter_record(&mut self, record: RecordId) {
        match self.record {
            Some(last) if last.run != record.run => {
                self.guard.blame(NoData::NotRunning, "the guard was not running".to_owned());
            }
            Some(last) if record.number > last.number + 1 => {
                let note =
                    format!("records {} to {} never came", last.number + 1, record.number - 1);
                self.guard.blame(NoData::Overflow, note);
            }
            Some(_) => {}
            None => self.guard.blame(NoData::NotRunning, String::new()),
        }
        self.record = Some(record);
    }
}

impl Book {
    fn new() -> Self {
        Self { ticks: Ticks::default(), cause: NoData::NotRunning, note: String::new() }
    }

    fn blame(&mut self, cause: NoData, note: String) {
        self.cause = cause;
        self.note = note;
    }

    fn enter(&mut self, reader: Reader, tick_ms: u64) -> Entered {
        let last_ms = self.ticks.last_ms();
        if !self.ticks.insert(tick_ms) {
            return Entered::TickTaken;
        }
        let reason = std::mem::replace(&mut self.cause, NoData::Overrun);
        let note = std::mem::take(&mut self.note);
        let from_ms = last_ms.map(|last_ms| last_ms + TICK_MS);
        let gap = from_ms.filter(|&from_ms| from_ms < tick_ms).map(|from_ms| Gap {
            from_ms,
            to_ms: tick_ms - TICK_MS,
            scope: GapScope::Reader(reader),
            reason,
            note,
        });
        Entered::New { gap, first: reason == NoData::NotRunning }
    }
}
