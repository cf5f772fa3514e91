//! What is left of blocks when room is short: of every series one reading in ten seconds, of
//! those one in a minute, of those one in ten minutes, and then nothing.
//!
//! Blocks come as they stand in the spool, the oldest first, and what is left of them is appended
//! behind the newest: so everything is thinned once before anything is thinned twice. How far a
//! block was thinned is told by its length; those that are sealed here are a minute long at most.

use flyball_protocol::block::{Block, BlockBuilder, BlockError, Cell, Group, MAX_BLOCK_BYTES};
use flyball_protocol::entry::EntryBody;
use flyball_units::NoData;
use std::collections::BTreeMap;

/// One reading of each series is left in a stretch of so long, in blocks of so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Level {
    stretch_ms: u64,
    length_ms: u32,
}

const LEVELS: [Level; 3] = [
    Level { stretch_ms: 10_000, length_ms: 600_000 },
    Level { stretch_ms: 60_000, length_ms: 1_800_000 },
    Level { stretch_ms: 600_000, length_ms: 3_600_000 },
];

/// Blocks that are being put together, by their level and their begin.
#[derive(Debug, Default)]
pub(super) struct Thinning {
    open: BTreeMap<(Level, u64), BlockBuilder>,
}

impl Thinning {
    /// Takes over what is to be left of `block`; false where that is nothing.
    pub(super) fn take(&mut self, block: &Block) -> bool {
        let Some(level) = LEVELS.into_iter().find(|level| level.length_ms > block.length_ms) else {
            return false;
        };
        let length_ms = u64::from(level.length_ms);
        for group in &block.groups {
            for column in &group.columns {
                for (at_ms, reading) in left(group, &column.cells, level.stretch_ms) {
                    let start_ms = at_ms - at_ms % length_ms;
                    let builder = self
                        .open
                        .entry((level, start_ms))
                        .or_insert_with(|| BlockBuilder::new(start_ms, level.length_ms));
                    // The tick lies in the interval by its choice.
                    let _ = builder.push(column.series, at_ms, reading);
                }
            }
        }
        true
    }

    /// What is left of all that was taken.
    ///
    /// # Errors
    /// Where it fits no block.
    pub(super) fn finish(self) -> Result<Vec<EntryBody>, BlockError> {
        let mut bodies = Vec::new();
        for builder in self.open.into_values() {
            let blocks = builder.build()?.encode_within(MAX_BLOCK_BYTES);
            bodies.extend(blocks.into_iter().map(EntryBody::Block));
        }
        Ok(bodies)
    }
}

/// Of each stretch the first value, or the first reason where it has none.
fn left(group: &Group, cells: &[Cell], stretch_ms: u64) -> Vec<(u64, Result<f64, NoData>)> {
    let mut left: Vec<(u64, Result<f64, NoData>)> = Vec::new();
    for (at_ms, cell) in group.ticks_ms().zip(cells) {
        let reading = match cell {
            Cell::Absent => continue,
            Cell::NoData(reason) => Err(*reason),
            Cell::Value(value) => Ok(*value),
        };
        match left.last_mut() {
            Some(last) if last.0 / stretch_ms == at_ms / stretch_ms => {
                if last.1.is_err() && reading.is_ok() {
                    *last = (at_ms, reading);
                }
            }
            Some(_) | None => left.push((at_ms, reading)),
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use flyball_protocol::series::SeriesRef;

    const START_MS: u64 = 1_789_999_200_000;

    /// An hour of two series, one a second and one a minute, in blocks of ten seconds.
    fn hour() -> Vec<Block> {
        let block = |start_ms: u64| {
            let mut builder = BlockBuilder::new(start_ms, 10_000);
            for at_ms in (start_ms..start_ms + 10_000).step_by(1000) {
                let second = at_ms / 1000;
                // The first three seconds of every minute have nothing.
                let reading = if second % 60 < 3 { Err(NoData::Busy) } else { Ok(second as f64) };
                builder.push(SeriesRef(0), at_ms, reading).unwrap();
                if second % 60 == 7 {
                    builder.push(SeriesRef(1), at_ms, Ok(-1.0)).unwrap();
                }
            }
            builder.build().unwrap()
        };
        (START_MS..START_MS + 3_600_000).step_by(10_000).map(block).collect()
    }

    fn thinned(blocks: &[Block]) -> Vec<Block> {
        let mut thinning = Thinning::default();
        assert!(blocks.iter().all(|block| thinning.take(block)));
        let bodies = thinning.finish().unwrap();
        let decode = |body: &EntryBody| match body {
            EntryBody::Block(bytes) => Block::decode(bytes).unwrap(),
            other => panic!("{other:?}"),
        };
        bodies.iter().map(decode).collect()
    }

    fn ticks(blocks: &[Block], series: u32) -> Vec<u64> {
        let mut ticks = Vec::new();
        for group in blocks.iter().flat_map(|block| &block.groups) {
            for column in group.columns.iter().filter(|column| column.series.0 == series) {
                let there = group.ticks_ms().zip(&column.cells);
                ticks.extend(there.filter(|(_, cell)| **cell != Cell::Absent).map(|(at, _)| at));
            }
        }
        ticks
    }

    #[test]
    fn one_value_of_each_stretch_is_left_level_by_level_and_then_nothing() {
        let once = thinned(&hour());
        assert_eq!(once.len(), 6);
        assert_eq!(ticks(&once, 0).len(), 360);
        assert_eq!(ticks(&once, 1).len(), 60, "what is slow stays whole");
        // Where a stretch begins with a reason, its first value is left.
        assert_eq!(ticks(&once, 0)[..2], [START_MS + 3_000, START_MS + 10_000]);
        let twice = thinned(&once);
        assert_eq!((twice.len(), ticks(&twice, 0).len(), ticks(&twice, 1).len()), (2, 60, 60));
        let thrice = thinned(&twice);
        assert_eq!((ticks(&thrice, 0).len(), ticks(&thrice, 1).len()), (6, 6));
        assert!(!Thinning::default().take(&thrice[0]));
    }

    #[test]
    fn every_level_is_far_smaller_than_the_one_before() {
        let bytes = |blocks: &[Block]| blocks.iter().map(|block| block.encode().len()).sum();
        let levels = [hour(), thinned(&hour()), thinned(&thinned(&hour()))];
        let sizes: Vec<usize> = levels.iter().map(|blocks| bytes(blocks)).collect();
        assert!(sizes[1] * 4 < sizes[0] && sizes[2] * 2 < sizes[1], "{sizes:?}");
    }
}
