//! Which ticks a reader has sampled.

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

    /// The latest tick that was ever taken.
    pub(super) fn last_ms(&self) -> Option<u64> {
        self.taken.last().map(|second| second.0 * TICK_MS)
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
        assert_eq!(ticks.last_ms(), Some(101_000));
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
