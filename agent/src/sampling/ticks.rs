//! Which ticks a reader has sampled, and which of a span it has not.

use super::TICK_MS;
use flyball_protocol::sync::{Ranges, Seq};
use serde::{Deserialize, Serialize};

/// Pieces that are kept. A new one begins with every gap; after so many the oldest close.
const MAX_PIECES: usize = 64;

/// A set of whole seconds, kept as ranges: a clock that is set back meets its own past in it and
/// a clock that was wrong and is put right does not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ticks {
    /// Seconds of Unix time, in the ranges that numbers of entries have.
    taken: Ranges,
    /// Everything below counts as taken.
    floor: u64,
}

impl Ticks {
    /// Takes a tick. False where it was taken before.
    pub(super) fn insert(&mut self, tick_ms: u64) -> bool {
        let second = tick_ms / TICK_MS;
        if second < self.floor || !self.taken.insert(Seq(second)) {
            return false;
        }
        if self.taken.pieces() > MAX_PIECES {
            let second_piece = self.taken.iter().nth(1).map_or(Seq(0), |(from, _)| from);
            self.floor = second_piece.0;
            self.taken.trim_below(second_piece);
        }
        true
    }

    /// The ticks between two that were never taken, as spans, inclusive on both sides. Nothing
    /// where time did not go forward.
    pub(super) fn missing_between(
        &self,
        before_ms: u64,
        after_ms: u64,
    ) -> impl Iterator<Item = (u64, u64)> + use<> {
        let from = (before_ms / TICK_MS + 1).max(self.floor);
        let mut between = Ranges::new();
        if let Some(to) = (after_ms / TICK_MS).checked_sub(1) {
            between.insert_range(Seq(from), Seq(to));
        }
        let missing: Vec<_> = self.taken.missing_from(&between).iter().collect();
        missing.into_iter().map(|(from, to)| (from.0 * TICK_MS, to.0 * TICK_MS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_is_taken_once_even_when_the_clock_is_set_back() {
        let mut ticks = Ticks::default();
        assert!(ticks.insert(100_000));
        assert!(ticks.insert(101_000));
        assert!(!ticks.insert(100_000));
        assert!(ticks.insert(50_000), "a second that was never sampled is new");
    }

    #[test]
    fn what_is_missing_leaves_out_what_was_taken_and_time_that_did_not_pass() {
        let mut ticks = Ticks::default();
        let missing = |ticks: &Ticks, from, to| ticks.missing_between(from, to).collect::<Vec<_>>();
        for tick_ms in [10_000, 13_000, 14_000, 16_000] {
            ticks.insert(tick_ms);
        }
        assert_eq!(missing(&ticks, 10_000, 16_000), [(11_000, 12_000), (15_000, 15_000)]);
        assert_eq!(missing(&ticks, 13_000, 14_000), []);
        assert_eq!(missing(&ticks, 16_000, 10_000), []);
        assert_eq!(missing(&ticks, 16_000, 16_000), []);
        assert_eq!(missing(&ticks, 0, 0), []);
    }

    #[test]
    fn the_pieces_are_bounded_and_what_was_taken_stays_taken() {
        let mut ticks = Ticks::default();
        for tick in 0..1000 {
            assert!(ticks.insert(tick * 2 * TICK_MS));
        }
        assert!(ticks.taken.pieces() <= MAX_PIECES);
        assert!((0..1000).all(|tick| !ticks.insert(tick * 2 * TICK_MS)));
    }
}
