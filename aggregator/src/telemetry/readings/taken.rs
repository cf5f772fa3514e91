//! Which ticks of one series have been taken: two epochs may hold the same ones, and each counts
//! once. What comes first stands.

use std::collections::BTreeSet;

/// Ticks at a step, first to last inclusive.
#[derive(Clone, Copy, Debug)]
struct Span {
    first_ms: u64,
    last_ms: u64,
    step_ms: u64,
}

impl Span {
    const fn holds(&self, at_ms: u64) -> bool {
        self.first_ms <= at_ms
            && at_ms <= self.last_ms
            && (at_ms - self.first_ms).is_multiple_of(self.step_ms)
    }
}

/// The ticks that a coming block may still repeat. Blocks come by their first ticks, so what
/// lies before the one at hand is forgotten, and few spans stand at any time.
#[derive(Debug, Default)]
pub(super) struct Taken {
    spans: Vec<Span>,
    /// Ticks that no other follows at the series' step.
    single: BTreeSet<u64>,
    /// Behind the last of all: mostly a tick comes after it, and nothing is looked through.
    end_ms: u64,
}

impl Taken {
    pub(super) fn forget_before(&mut self, at_ms: u64) {
        self.spans.retain(|span| span.last_ms >= at_ms);
        if self.single.first().is_some_and(|first_ms| *first_ms < at_ms) {
            self.single = self.single.split_off(&at_ms);
        }
    }

    /// Could any tick of `first_ms..=last_ms` have been taken?
    pub(super) fn touches(&self, first_ms: u64, last_ms: u64) -> bool {
        first_ms < self.end_ms
            && (self.single.range(first_ms..=last_ms).next().is_some()
                || self
                    .spans
                    .iter()
                    .any(|span| span.first_ms <= last_ms && first_ms <= span.last_ms))
    }

    /// Takes ticks that touch nothing.
    pub(super) fn add(&mut self, first_ms: u64, last_ms: u64, step_ms: u32) {
        self.spans.push(Span { first_ms, last_ms, step_ms: u64::from(step_ms).max(1) });
        self.end_ms = self.end_ms.max(last_ms + 1);
    }

    /// Takes one tick; false where it was taken before.
    pub(super) fn insert(&mut self, at_ms: u64, step_ms: u32) -> bool {
        if at_ms < self.end_ms && self.holds(at_ms) {
            return false;
        }
        self.end_ms = self.end_ms.max(at_ms + 1);
        let step_ms = u64::from(step_ms).max(1);
        let before_ms = at_ms.checked_sub(step_ms);
        match self.spans.last_mut() {
            Some(last) if last.step_ms == step_ms && Some(last.last_ms) == before_ms => {
                last.last_ms = at_ms;
            }
            Some(_) | None => match before_ms.filter(|before_ms| self.single.remove(before_ms)) {
                Some(first_ms) => self.spans.push(Span { first_ms, last_ms: at_ms, step_ms }),
                None => drop(self.single.insert(at_ms)),
            },
        }
        true
    }

    fn holds(&self, at_ms: u64) -> bool {
        self.single.contains(&at_ms) || self.spans.iter().any(|span| span.holds(at_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_is_taken_once_whoever_holds_it() {
        let mut taken = Taken::default();
        taken.add(1000, 5000, 2000);
        assert!(!taken.insert(3000, 1000));
        assert!(taken.insert(4000, 1000));
        assert!(!taken.insert(4000, 1000));
        assert!(taken.touches(5000, 9000));
        assert!(!taken.touches(6000, 9000));
    }

    #[test]
    fn ticks_in_a_row_are_one_span_until_they_are_forgotten() {
        let mut taken = Taken::default();
        for second in 0..1000 {
            assert!(taken.insert(second * 1000, 1000));
        }
        assert_eq!((taken.spans.len(), taken.single.len()), (1, 0));
        taken.forget_before(999_001);
        assert_eq!(taken.spans.len(), 0);
    }

    #[test]
    fn ticks_that_are_not_at_their_step_are_known_each_for_itself() {
        let mut taken = Taken::default();
        for second in (0..3000).step_by(30) {
            assert!(taken.insert(second * 1000, 1000));
        }
        assert_eq!((taken.spans.len(), taken.single.len()), (0, 100));
        for second in 0..3000 {
            assert_eq!(taken.insert(second * 1000, 1000), second % 30 != 0, "{second}");
        }
        assert!((0..3000).all(|second| !taken.insert(second * 1000, 1000)));
        assert!(taken.touches(2_999_000, 9_000_000) && !taken.touches(2_999_001, 9_000_000));
        taken.forget_before(2_999_001);
        assert!(taken.spans.is_empty() && taken.single.is_empty());
    }
}
