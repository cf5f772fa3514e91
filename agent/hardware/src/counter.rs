//! Events of a counter within the last minute: what matters of corrected memory errors is how
//! fast they come, not how many there ever were.

use flyball_units::NoData;
use std::time::Duration;

/// One mark each, six of them behind the newest: the count covers 50 to 60 seconds.
const MARK_EVERY: Duration = Duration::from_secs(10);
const MARKS: usize = 6;

#[derive(Debug)]
pub(crate) struct Recent {
    /// The counter at the marks, oldest first.
    marks: [i64; MARKS],
    /// When the newest mark was made; `None` before the first reading.
    marked: Option<Duration>,
}

impl Recent {
    pub(crate) const fn new() -> Self {
        Self { marks: [0; MARKS], marked: None }
    }

    /// The events of the last minute, or since the first reading where that is less. The first
    /// reading has nothing to compare to, and a counter that was reset begins anew.
    pub(crate) fn events(&mut self, count: i64, now: Duration) -> Result<f64, NoData> {
        let Some(marked) = self.marked.filter(|_| count >= self.marks[MARKS - 1]) else {
            self.marks = [count; MARKS];
            self.marked = Some(now);
            return Err(NoData::NoHistory);
        };
        let recent = count - self.marks[0];
        let due = now.saturating_sub(marked).as_secs() / MARK_EVERY.as_secs();
        for _ in 0..due.min(MARKS as u64) {
            self.marks.rotate_left(1);
            self.marks[MARKS - 1] = count;
            self.marked = Some(now);
        }
        Ok(crate::sensor::float(recent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_long_ago_are_not_recent() {
        let mut recent = Recent::new();
        let at = Duration::from_secs;
        assert_eq!(recent.events(7_000, at(0)), Err(NoData::NoHistory));
        assert_eq!(recent.events(7_003, at(1)), Ok(3.0));
        assert_eq!(recent.events(7_003, at(30)), Ok(3.0));
        for second in 31..120 {
            recent.events(7_003, at(second)).unwrap();
        }
        assert_eq!(recent.events(7_003, at(120)), Ok(0.0));
        assert_eq!(recent.events(7_004, at(121)), Ok(1.0));
    }

    #[test]
    fn a_counter_that_was_reset_begins_anew() {
        let mut recent = Recent::new();
        assert_eq!(recent.events(7_000, Duration::ZERO), Err(NoData::NoHistory));
        assert_eq!(recent.events(2, Duration::from_secs(1)), Err(NoData::NoHistory));
        assert_eq!(recent.events(4, Duration::from_secs(2)), Ok(2.0));
    }
}
