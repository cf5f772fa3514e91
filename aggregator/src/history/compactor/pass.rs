//! What a pass of the compactor has come to.

use std::fmt;

/// What a pass did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pass {
    pub segments: u64,
    pub merged: u64,
    pub blocks: u64,
    pub set_aside: u64,
    pub thinned: u64,
    pub expired: u64,
    pub collected: u64,
    /// Windows that another replica held or changed, or that failed.
    pub left: u64,
}

impl Pass {
    /// Is there perhaps more to do?
    #[must_use]
    pub const fn has_done_something(&self) -> bool {
        self.segments + self.merged + self.thinned + self.expired + self.collected > 0
    }

    pub const fn add(&mut self, other: &Self) {
        self.segments += other.segments;
        self.merged += other.merged;
        self.blocks += other.blocks;
        self.set_aside += other.set_aside;
        self.thinned += other.thinned;
        self.expired += other.expired;
        self.collected += other.collected;
        self.left += other.left;
    }
}

impl fmt::Display for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { segments, merged, blocks, set_aside, thinned, expired, collected, left } = self;
        write!(
            f,
            "segments={segments} merged={merged} blocks={blocks} set_aside={set_aside} \
             thinned={thinned} expired={expired} collected={collected} left={left}"
        )
    }
}
