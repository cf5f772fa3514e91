//! What was taken, so that nothing is taken twice and nothing is missing without a name.

use super::input::{Input, RecordId, What};
use super::ticks::Ticks;
use flyball_protocol::entry::{Gap, GapScope};
use flyball_protocol::guard::EventKind;
use flyball_protocol::series::Reader;
use flyball_units::NoData;
use serde::{Deserialize, Serialize};
use std::time::Duration;
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
                    let (reader, book) = match input.record {
                        Some(_) => (Reader::Guard, &mut self.guard),
                        None => (Reader::Agent, &mut self.agent),
                    };
                    let gaps = book.step(reader, *at_ms, event.reading);
                    return Entered::New { gaps, first: false };
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

    /// The clock was set by so many seconds, if that is known: the time between the last tick and
    /// the new time did not pass, but for what the reader stood still before. From there on it
    /// does, whoever is stopped before the next tick comes.
    fn step(&mut self, reader: Reader, at_ms: u64, by_s: Option<f64>) -> Vec<Gap> {
        let tick_ms = at_ms - at_ms % TICK_MS;
        let Some(last_ms) = self.last_ms else {
            self.last_ms = Some(tick_ms);
            return Vec::new();
        };
        let by_s = by_s.unwrap_or(0.0);
        if by_s < 0.0 && last_ms < tick_ms {
            // Set back and still behind the last tick: all of that time did pass.
            return Vec::new();
        }
        self.last_ms = Some(tick_ms);
        if by_s <= 0.0 {
            return Vec::new();
        }
        // What the clock said when it was set forward.
        let then_ms = at_ms.saturating_sub(Duration::from_secs_f64(by_s).as_millis() as u64);
        let missing = self.ticks.missing_between(last_ms, then_ms + TICK_MS);
        named(reader, self.cause, &self.note, missing)
    }

    fn enter(&mut self, reader: Reader, tick_ms: u64) -> Entered {
        let before_ms = self.last_ms.replace(tick_ms);
        if !self.ticks.insert(tick_ms) {
            return Entered::TickTaken;
        }
        let reason = std::mem::replace(&mut self.cause, NoData::Overrun);
        let note = std::mem::take(&mut self.note);
        let missing = before_ms.map(|before_ms| self.ticks.missing_between(before_ms, tick_ms));
        let gaps = named(reader, reason, &note, missing.into_iter().flatten());
        Entered::New { gaps, first: reason == NoData::NotRunning }
    }
}

fn named(
    reader: Reader,
    reason: NoData,
    note: &str,
    spans: impl Iterator<Item = (u64, u64)>,
) -> Vec<Gap> {
    let gap = |(from_ms, to_ms)| Gap {
        from_ms,
        to_ms,
        scope: GapScope::Reader(reader),
        reason,
        note: note.to_owned(),
    };
    spans.map(gap).collect()
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

    /// The gaps that are named with it.
    fn step_by(ledger: &mut Ledger, second: u64, by_s: Option<f64>) -> Vec<Gap> {
        let event = GuardEvent {
            kind: EventKind::ClockStepped,
            severity: Severity::Info,
            subject: "clock".into(),
            message: String::new(),
            reading: by_s,
            threshold: None,
            unit: None,
        };
        match ledger.enter(&Input::own(What::Event { at_ms: second * 1000 + 345, event })) {
            Entered::New { gaps, .. } => gaps,
            other => panic!("{second}: {other:?}"),
        }
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
    }

    #[test]
    fn who_stood_still_before_the_clock_was_set_forward_is_missing_until_then() {
        let mut ledger = Ledger::default();
        tick(&mut ledger, 100);
        // It was 103.345 when the clock was set to 120.345.
        let gaps = step_by(&mut ledger, 120, Some(17.0));
        let [gap] = gaps.as_slice() else { panic!("{gaps:?}") };
        assert_eq!((gap.from_ms, gap.to_ms, gap.reason), (101_000, 103_000, NoData::Overrun));
        assert_eq!(missing(&mut ledger, 121), [], "the time between did not pass");
        assert_eq!(step_by(&mut ledger, 140, Some(18.6)), [], "nobody stood still");
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
