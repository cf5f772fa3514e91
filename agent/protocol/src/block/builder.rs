//! Samples in, in any order; a block of groups and columns out.

use super::{Block, BlockError, Cell, Column, Group, MAX_CELLS, MAX_INTERVAL_MS, MAX_TICKS};
use crate::series::SeriesRef;
use flyball_units::NoData;
use std::collections::BTreeMap;

/// One series' readings by tick.
type Ticks = BTreeMap<u64, Cell>;

/// Collects the samples of one interval.
#[derive(Clone, Debug)]
pub struct BlockBuilder {
    start_ms: u64,
    length_ms: u32,
    series: BTreeMap<SeriesRef, Ticks>,
    samples: usize,
}

impl BlockBuilder {
    /// A builder for the interval of `length_ms` from `start_ms`.
    #[must_use]
    pub const fn new(start_ms: u64, length_ms: u32) -> Self {
        Self { start_ms, length_ms, series: BTreeMap::new(), samples: 0 }
    }

    /// Takes one reading. False where this series has one at this tick already: the first stays.
    ///
    /// # Errors
    /// Where the tick is outside of the interval.
    pub fn push(
        &mut self,
        series: SeriesRef,
        tick_ms: u64,
        reading: Result<f64, NoData>,
    ) -> Result<bool, BlockError> {
        let &mut Self { start_ms, length_ms, .. } = self;
        if tick_ms.checked_sub(start_ms).is_none_or(|offset| offset >= u64::from(length_ms)) {
            return Err(BlockError::OutsideInterval { tick_ms, start_ms, length_ms });
        }
        let ticks = self.series.entry(series).or_default();
        if ticks.contains_key(&tick_ms) {
            return Ok(false);
        }
        ticks.insert(tick_ms, reading.into());
        self.samples += 1;
        Ok(true)
    }

    /// How many readings it holds.
    #[must_use]
    pub const fn samples(&self) -> usize {
        self.samples
    }

    /// The series that have readings.
    pub fn series(&self) -> impl Iterator<Item = SeriesRef> + '_ {
        self.series.keys().copied()
    }

    /// The block. Series whose ticks lie on the same grid share a group.
    ///
    /// # Errors
    /// Where the interval or the grid of its ticks is over the format's bounds.
    pub fn build(self) -> Result<Block, BlockError> {
        if self.length_ms > MAX_INTERVAL_MS {
            let (size, max) = (u64::from(self.length_ms), u64::from(MAX_INTERVAL_MS));
            return Err(BlockError::TooLarge { what: "milliseconds", size, max });
        }
        let mut grids: BTreeMap<(u32, u64), Vec<(SeriesRef, Ticks)>> = BTreeMap::new();
        for (series, ticks) in self.series {
            let step_ms = step_of(&ticks, self.length_ms);
            let phase_ms = ticks.keys().next().map_or(0, |first| first % u64::from(step_ms));
            grids.entry((step_ms, phase_ms)).or_default().push((series, ticks));
        }
        let mut cells = 0;
        let mut groups = Vec::with_capacity(grids.len());
        for ((step_ms, _), series) in grids {
            let group = group_of(step_ms, series)?;
            cells += group.ticks * group.columns.len();
            groups.push(group);
        }
        if cells > MAX_CELLS {
            let (size, max) = (cells as u64, MAX_CELLS as u64);
            return Err(BlockError::TooLarge { what: "cells", size, max });
        }
        Ok(Block { start_ms: self.start_ms, length_ms: self.length_ms, groups })
    }
}

/// The widest grid that all ticks lie on; a single tick lies on that of the interval.
fn step_of(ticks: &Ticks, length_ms: u32) -> u32 {
    let differences = ticks.keys().zip(ticks.keys().skip(1)).map(|(a, b)| b - a);
    let step = differences.fold(0, gcd);
    u32::try_from(step).ok().filter(|&step| step > 0).unwrap_or(length_ms.max(1))
}

const fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

fn group_of(step_ms: u32, series: Vec<(SeriesRef, Ticks)>) -> Result<Group, BlockError> {
    let step = u64::from(step_ms);
    let first_ms = series.iter().filter_map(|(_, ticks)| ticks.keys().next()).min().copied();
    let last_ms = series.iter().filter_map(|(_, ticks)| ticks.keys().next_back()).max().copied();
    let (first_ms, last_ms) = first_ms.zip(last_ms).unwrap_or_default();
    let count = (last_ms - first_ms) / step + 1;
    let ticks = match usize::try_from(count) {
        Ok(ticks) if ticks <= MAX_TICKS => ticks,
        _ => {
            return Err(BlockError::TooLarge { what: "ticks", size: count, max: MAX_TICKS as u64 });
        }
    };
    let grid = || (first_ms..=last_ms).step_by(step_ms as usize);
    let columns = series
        .into_iter()
        .map(|(series, ticks)| Column {
            series,
            cells: grid().map(|tick| ticks.get(&tick).copied().unwrap_or(Cell::Absent)).collect(),
        })
        .collect();
    Ok(Group { first_ms, step_ms, ticks, columns })
}
