//! Chance that can be had again: the whole sequence of faults follows from one seed.

/// A small generator (xorshift64).
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        // Zero is the one state that it never leaves.
        Self(seed | 1)
    }

    /// From 0 up to and without `sides`; 0 where there are none.
    pub(crate) const fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        if sides == 0 { 0 } else { self.0 % sides }
    }

    pub(crate) const fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.roll(to - from + 1)
    }

    /// True once in `of` times.
    pub(crate) const fn one_in(&mut self, of: u64) -> bool {
        self.roll(of) == 0
    }
}
