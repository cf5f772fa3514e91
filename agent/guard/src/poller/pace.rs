//! How often a bus is read: at its period, and ever less while it fails.

use std::time::Duration;

/// So many failed rounds in a row open the breaker.
const FAILURES: u32 = 3;
/// A bus is never left alone for longer: what comes back must be seen within a minute.
const LONGEST: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Pace {
    period: Duration,
    deadline: Duration,
    /// Failed rounds in a row.
    failures: u32,
    open: bool,
}

/// What a round has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Same,
    /// From now on it is read less often.
    Opened,
    /// It reads again, at its period.
    Closed,
}

impl Pace {
    pub(super) const fn new(period: Duration, deadline: Duration) -> Self {
        Self { period, deadline, failures: 0, open: false }
    }

    /// Takes up how a round went. One past its deadline opens the breaker at once: whoever
    /// waits for it must not wait for it again soon.
    pub(super) fn turn(&mut self, failed: bool, took: Duration) -> Turn {
        let late = took > self.deadline;
        if !failed && !late {
            self.failures = 0;
            return if std::mem::take(&mut self.open) { Turn::Closed } else { Turn::Same };
        }
        self.failures = if late { self.failures.max(FAILURES - 1) + 1 } else { self.failures + 1 };
        let opens = self.failures >= FAILURES && !self.open;
        self.open |= opens;
        if opens { Turn::Opened } else { Turn::Same }
    }

    pub(super) const fn is_open(&self) -> bool {
        self.open
    }

    /// What is waited beyond a period for the bus's faults.
    pub(super) fn back_off(&self) -> Duration {
        if !self.open {
            return Duration::ZERO;
        }
        let doublings = (self.failures - FAILURES + 1).min(16);
        (self.period * (1 << doublings)).min(LONGEST)
    }

    /// How long to wait after a round that took `took`. Never less than it took: a bus that
    /// needs all its time is given half of it.
    pub(super) fn wait(&self, took: Duration, wall_ms: u64) -> Duration {
        let period_ms = u64::try_from(self.period.as_millis()).unwrap_or(1000).max(1);
        let grid = Duration::from_millis(period_ms - wall_ms % period_ms);
        let slow = if took > self.period { took.min(LONGEST) } else { Duration::ZERO };
        grid.max(slow).max(self.back_off())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_millis(250);
    const QUICK: Duration = Duration::from_millis(1);

    fn pace() -> Pace {
        Pace::new(PERIOD, Duration::from_secs(2))
    }

    #[test]
    fn a_bus_that_reads_is_read_on_the_grid() {
        let mut pace = pace();
        assert_eq!(pace.turn(false, QUICK), Turn::Same);
        assert_eq!(pace.wait(QUICK, 10_001), Duration::from_millis(249));
        assert_eq!(pace.wait(QUICK, 10_250), PERIOD);
    }

    #[test]
    fn a_failing_bus_is_read_ever_less_and_comes_back_by_itself() {
        let mut pace = pace();
        let turns: Vec<Turn> = (0..4).map(|_| pace.turn(true, QUICK)).collect();
        assert_eq!(turns, [Turn::Same, Turn::Same, Turn::Opened, Turn::Same]);
        assert_eq!(pace.wait(QUICK, 0), Duration::from_secs(1));
        for _ in 0..20 {
            assert_eq!(pace.turn(true, QUICK), Turn::Same);
        }
        assert_eq!(pace.wait(QUICK, 0), LONGEST);
        assert_eq!(pace.turn(false, QUICK), Turn::Closed);
        assert_eq!(pace.wait(QUICK, 0), PERIOD);
    }

    #[test]
    fn one_round_past_its_deadline_is_enough() {
        let mut pace = pace();
        assert_eq!(pace.turn(false, Duration::from_secs(5)), Turn::Opened);
        assert_eq!(pace.wait(Duration::from_secs(5), 0), Duration::from_secs(5));
    }
}
