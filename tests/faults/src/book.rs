//! When a program ran, as the one who started, stopped and ended it knows: the independent half
//! of the ledger. It asks no program.

use std::collections::BTreeSet;

/// From its start a program may take so long until its first tick is due.
const START_MS: u64 = 5_000;
/// A stopped program has lost the second that it was stopped in, and the one it goes on in.
const EDGE_MS: u64 = 1_500;

/// One program's spans of life in Unix milliseconds of its own clock, the running one open.
#[derive(Clone, Debug, Default)]
pub(crate) struct Book {
    spans: Vec<(u64, u64)>,
    since: Option<u64>,
    leaps: Vec<(u64, u64)>,
}

impl Book {
    pub(crate) fn started(&mut self, at_ms: u64) {
        self.since = Some(at_ms + START_MS);
    }

    /// It goes on after a pause.
    pub(crate) fn went_on(&mut self, at_ms: u64) {
        self.since = Some(at_ms + EDGE_MS);
    }

    pub(crate) fn ended(&mut self, at_ms: u64) {
        if let Some(from_ms) = self.since.take() {
            let to_ms = at_ms.saturating_sub(EDGE_MS);
            if from_ms < to_ms {
                self.spans.push((from_ms, to_ms));
            }
        }
    }

    /// Its clock is set from one time to another.
    pub(crate) fn leapt(&mut self, from_ms: u64, to_ms: u64) {
        // The clock is looked at once a second: nobody knows when exactly it is seen.
        if to_ms > from_ms {
            self.leaps.push((from_ms.saturating_sub(EDGE_MS), to_ms + 2 * EDGE_MS));
        }
        if self.since.is_some() {
            self.ended(from_ms);
            self.since = Some(to_ms + 2 * EDGE_MS);
        }
    }

    /// The whole seconds (in milliseconds) that it ran through, without any doubt.
    pub(crate) fn ticks(&self, to_ms: u64) -> BTreeSet<u64> {
        let open = self.since.filter(|from| *from < to_ms).map(|from| (from, to_ms));
        self.spans
            .iter()
            .copied()
            .chain(open)
            .flat_map(|(from, to)| (from.div_ceil(1000)..=to / 1000).map(|second| second * 1000))
            .collect()
    }

    /// Did its clock leap over `tick`? Such a second never was.
    pub(crate) fn leapt_over(&self, tick_ms: u64) -> bool {
        self.leaps.iter().any(|(from, to)| (*from..=*to).contains(&tick_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_seconds_that_it_certainly_ran_through_are_counted() {
        let mut book = Book::default();
        book.started(10_000);
        book.ended(18_000);
        assert_eq!(book.ticks(99_000).into_iter().collect::<Vec<_>>(), [15_000, 16_000]);
        book.started(20_000);
        assert_eq!(book.ticks(26_000).len(), 4);
    }

    #[test]
    fn a_leap_of_the_clock_is_no_time_that_it_ran_through() {
        let mut book = Book::default();
        book.went_on(10_000);
        book.leapt(20_000, 60_000);
        assert!(book.leapt_over(40_000) && !book.leapt_over(18_000));
        assert!(book.ticks(70_000).iter().all(|tick| *tick < 19_000 || *tick > 60_000));
    }
}
