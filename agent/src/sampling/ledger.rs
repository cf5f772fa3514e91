//! What was taken, so that nothing is taken twice and nothing is missing without a name.

use super::input::{Input, RecordId, What};
use super::ticks::Ticks;
use flyball_protocol::entry::{Gap, GapScope};
use flyball_protocol::guard::EventKind;
use flyball_protocol::series::Reader;
use flyball_units::NoData;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Ticks are whole seconds.
const TICK_MS: u64 = 1_000;

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
        /// What is missing before it: one span, but for seconds in it that were sampled before
        /// the clock was set back.
        gaps: Vec<Gap>,
        /// A reader that was away is back.
        first: bool,
    },
}

/// One reader's ticks, and why the next of them may be late.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Book {
    ticks: Ticks,
    /// The tick that came last, taken or not. It is not the greatest of them: one tick of a
    /// clock that ran ahead for a moment says nothing about the ticks to come.
    last_ms: Option<u64>,
    cause: NoData,
    note: String,
}

impl Default for Ledger {
    fn default() -> Self {
        Self { record: None, guard: Book::new(), agent: Book::new() }
    }
}

/// An input that is new and no tick.
const NOTHING: Entered = Entered::New { gaps: Vec::new(), first: false };

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
                NOTHING
            }
            What::Started => {
                self.agent.blame(NoData::NotRunning, "the agent was not running".to_owned());
                NOTHING
            }
            What::Event { at_ms, event } => {
                if event.kind == EventKind::ClockStepped {
                    // Each reader tells of the clock for itself.
                    let book =
                        if input.record.is_some() { &mut self.guard } else { &mut self.agent };
                    book.step(*at_ms, event.reading.is_some_and(|by_s| by_s < 0.0));
                }
                NOTHING
            }
            What::Outcome(_) => NOTHING,
        }
    }

    /// The guard's run and the last record of it.
    pub(super) fn attach_point(&self) -> (Option<Uuid>, u64) {
        self.record.map_or((None, 0), |record| (Some(record.run), record.number))
    }

    /// The tick that came last of a reader; time may have been set back since an earlier one.
    pub(super) const fn last_tick_ms(&self, reader: Reader) -> Option<u64> {
        match reader {
            Reader::Guard => self.guard.last_ms,
            Reader::Agent => self.agent.last_ms,
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
        Self {
            ticks: Ticks::default(),
            last_ms: None,
            cause: NoData::NotRunning,
            note: String::new(),
        }
    }

    fn blame(&mut self, cause: NoData, note: String) {
        self.cause = cause;
        self.note = note;
    }

    /// The clock was set: the time between the last tick and the new time did not pass. From
    /// there on it does, whoever is stopped before the next tick comes. Set back and still behind
    /// the last tick, all of that time did pass: the reader stood still over the step.
    fn step(&mut self, at_ms: u64, set_back: bool) {
        let at_ms = at_ms - at_ms % TICK_MS;
        let stood_still = set_back && self.last_ms.is_some_and(|last_ms| last_ms < at_ms);
        if !stood_still {
            self.last_ms = Some(at_ms);
        }
    }

    fn enter(&mut self, reader: Reader, tick_ms: u64) -> Entered {
        let before_ms = self.last_ms.replace(tick_ms);
        if !self.ticks.insert(tick_ms) {
            return Entered::TickTaken;
        }
        let reason = std::mem::replace(&mut self.cause, NoData::Overrun);
        let note = std::mem::take(&mut self.note);
        let missing = before_ms.map(|before_ms| self.ticks.missing_between(before_ms, tick_ms));
        let gap = |(from_ms, to_ms)| Gap {
            from_ms,
            to_ms,
            scope: GapScope::Reader(reader),
            reason,
            note: note.clone(),
        };
        let gaps = missing.into_iter().flatten().map(gap).collect();
        Entered::New { gaps, first: reason == NoData::NotRunning }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flyball_protocol::guard::{GuardEvent, Severity};

    fn tick(ledger: &mut Ledger, second: u64) -> Entered {
        let (reader, readings) = (Reader::Agent, Vec::new());
        ledger.enter(&Input::own(What::Samples { reader, tick_ms: second * 1000, readings }))
    }

    /// The spans that are missing before a tick that is new, in seconds.
    fn missing(ledger: &mut Ledger, second: u64) -> Vec<(u64, u64)> {
        match tick(ledger, second) {
            Entered::New { gaps, .. } => {
                gaps.iter().map(|gap| (gap.from_ms / 1000, gap.to_ms / 1000)).collect()
            }
            other => panic!("{second}: {other:?}"),
        }
    }

    fn step(ledger: &mut Ledger, second: u64) {
        step_by(ledger, second, None);
    }

    fn step_by(ledger: &mut Ledger, second: u64, by_s: Option<f64>) {
        let event = GuardEvent {
            kind: EventKind::ClockStepped,
            severity: Severity::Info,
            subject: "clock".into(),
            message: String::new(),
            reading: by_s,
            threshold: None,
            unit: None,
        };
        ledger.enter(&Input::own(What::Event { at_ms: second * 1000 + 345, event }));
    }

    #[test]
    fn gaps_are_named_again_after_one_tick_in_the_future() {
        let mut ledger = Ledger::default();
        assert_eq!(missing(&mut ledger, 100), []);
        step(&mut ledger, 8_999);
        assert_eq!(missing(&mut ledger, 9_000), [], "the time between did not pass");
        step(&mut ledger, 102);
        assert_eq!(missing(&mut ledger, 102), []);
        assert_eq!(ledger.last_tick_ms(Reader::Agent), Some(102_000));
        assert_eq!(missing(&mut ledger, 105), [(103, 104)]);
        assert_eq!(missing(&mut ledger, 106), []);
    }

    #[test]
    fn who_stops_after_a_step_and_before_the_next_tick_is_missing_from_the_step_on() {
        let mut ledger = Ledger::default();
        tick(&mut ledger, 100);
        step(&mut ledger, 9_000);
        ledger.enter(&Input::own(What::Started));
        assert_eq!(missing(&mut ledger, 9_006), [(9_001, 9_005)]);
        step(&mut ledger, 200);
        step(&mut ledger, 300);
        assert_eq!(missing(&mut ledger, 302), [(301, 301)]);
    }

    #[test]
    fn who_stood_still_while_the_clock_was_set_back_is_missing_all_that_time() {
        let mut ledger = Ledger::default();
        tick(&mut ledger, 100);
        step_by(&mut ledger, 104, Some(-2.0));
        assert_eq!(missing(&mut ledger, 105), [(101, 104)]);
        // Set back behind the last tick, seconds come again and nothing is missing.
        step_by(&mut ledger, 102, Some(-3.0));
        assert_eq!(tick(&mut ledger, 105), Entered::TickTaken);
        assert_eq!(missing(&mut ledger, 106), []);
        // Set forward, the time between did not pass.
        step_by(&mut ledger, 120, Some(14.0));
        assert_eq!(missing(&mut ledger, 121), []);
    }

    #[test]
    fn seconds_that_come_again_are_refused_and_are_no_gap() {
        let mut ledger = Ledger::default();
        for second in 100..110 {
            tick(&mut ledger, second);
        }
        // Back by ten without a word about it, as it is where the agent was not running.
        for second in 100..110 {
            assert_eq!(tick(&mut ledger, second), Entered::TickTaken);
        }
        assert_eq!(missing(&mut ledger, 110), []);
        assert_eq!(missing(&mut ledger, 95), []);
        assert_eq!(missing(&mut ledger, 113), [(96, 99), (111, 112)]);
    }
}
