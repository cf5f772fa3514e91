//! Which ticks of one series have been taken: two epochs may hold the same ones, and each counts
//! once. What comes first stands.

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
pub(super) struct Taken(Vec<Span>);

impl Taken {
    pub(super) fn forget_before(&mut self, at_ms: u64) {
        self.0.retain(|span| span.last_ms >= at_ms);
    }

    /// Could any tick of `first_ms..=last_ms` have been taken?
    pub(super) fn touches(&self, first_ms: u64, last_ms: u64) -> bool {
        self.0.iter().any(|span| span.first_ms <= last_ms && first_ms <= span.last_ms)
    }

    /// Takes ticks that touch nothing.
    pub(super) fn add(&mut self, first_ms: u64, last_ms: u64, step_ms: u32) {
        self.0.push(Span { first_ms, last_ms, step_ms: u64::from(step_ms).max(1) });
    }

    /// Takes one tick; false where it was taken before.
    pub(super) fn insert(&mut self, at_ms: u64, step_ms: u32) -> bool {
        if self.0.iter().any(|span| span.holds(at_ms)) {
            return false;
        }
        let step_ms = u64::from(step_ms).max(1);
        match self.0.last_mut() {
            Some(last) if last.step_ms == step_ms && last.last_ms + step_ms == at_ms => {
                last.last_ms = at_ms;
            }
            Some(_) | None => self.add_tick(at_ms, step_ms),
        }
        true
    }

    fn add_tick(&mut self, at_ms: u64, step_ms: u64) {
        self.0.push(Span { first_ms: at_ms, last_ms: at_ms, step_ms });
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
        assert_eq!(taken.0.len(), 1);
        taken.forget_before(999_001);
        assert_eq!(taken.0.len(), 0);
    }
}
