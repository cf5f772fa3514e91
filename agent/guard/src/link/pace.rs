//! How many commands are taken up: a burst, and a few a second. What is beyond is refused before
//! it is looked at, because a signature and a sync cost more than a proposal is worth.

use std::time::Duration;

const BURST: u32 = 64;
const PER_SECOND: u32 = 16;

#[derive(Debug)]
pub(super) struct Pace {
    left: u32,
    filled: Duration,
}

impl Pace {
    pub(super) const fn new() -> Self {
        Self { left: BURST, filled: Duration::ZERO }
    }

    /// Whether one more may come now.
    pub(super) fn take(&mut self, now: Duration) -> bool {
        let step = Duration::from_secs(1) / PER_SECOND;
        let gained = now.saturating_sub(self.filled).as_nanos() / step.as_nanos();
        if gained > 0 {
            let gained = u32::try_from(gained).unwrap_or(BURST);
            self.left = self.left.saturating_add(gained).min(BURST);
            self.filled = now;
        }
        let taken = self.left > 0;
        self.left = self.left.saturating_sub(1);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_a_few_a_second() {
        let mut pace = Pace::new();
        let passed = |pace: &mut Pace, from_ms: u64, to_ms: u64| {
            let each = (from_ms..to_ms).map(Duration::from_millis);
            each.filter(|now| pace.take(*now)).count()
        };
        let first = passed(&mut pace, 1_000, 2_000);
        assert!((BURST as usize..=(BURST + PER_SECOND + 1) as usize).contains(&first), "{first}");
        let second = passed(&mut pace, 2_000, 3_000);
        assert!((15..=17).contains(&second), "{second}");
    }
}
