//! What is done about others that fail: pauses that grow, and a breaker that leaves whoever keeps
//! failing alone for a while. The cores take time and randomness as arguments; [`Circuits`] holds
//! a breaker per target for everything that leaves the process, and shows them in the metrics.

mod breaker;
mod circuits;

pub use breaker::{Breaker, Shut};
pub use circuits::{Circuits, Outside};
use std::time::Duration;

/// Pauses between attempts: each twice as long as the one before, up to a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    pub first: Duration,
    pub longest: Duration,
}

impl Backoff {
    /// The pause after `failures` attempts that failed, from the first one on: half of it to all of
    /// it by `random` (0 to 1), so that many don't come back at once.
    #[must_use]
    pub fn pause(&self, failures: u32, random: f64) -> Duration {
        let doublings = failures.saturating_sub(1).min(30);
        let whole = self.first.saturating_mul(1 << doublings).min(self.longest);
        whole / 2 + whole.mul_f64(random.clamp(0.0, 1.0) / 2.0)
    }

    /// The same in milliseconds, with the system's randomness.
    #[must_use]
    pub fn pause_ms(&self, failures: u32) -> u64 {
        u64::try_from(self.pause(failures, random()).as_millis()).unwrap_or(u64::MAX)
    }
}

/// 0 to 1; without randomness 1, the longest pause.
#[must_use]
pub fn random() -> f64 {
    f64::from(getrandom::u32().unwrap_or(u32::MAX)) / f64::from(u32::MAX)
}

/// The error and its sources in one line, as the logs of deliveries carry them.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_their_bound_and_are_spread_over_their_second_half() {
        let backoff = Backoff { first: Duration::from_secs(2), longest: Duration::from_secs(60) };
        let seconds = |failures, random| backoff.pause(failures, random).as_secs_f64();
        for (failures, whole) in [(1, 2.0), (2, 4.0), (5, 32.0), (6, 60.0), (u32::MAX, 60.0)] {
            assert_eq!(seconds(failures, 1.0), whole, "{failures}");
            assert_eq!(seconds(failures, 0.0), whole / 2.0, "{failures}");
        }
        assert_eq!(seconds(1, 0.5), 1.5);
    }
}
