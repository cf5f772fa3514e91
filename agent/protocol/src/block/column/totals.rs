//! Statistics over a column's integers: exact, and small enough to stand in front of them.

use super::scale::Scale;
use crate::block::{Cell, Stats};

/// Of a column's integers, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) least: i64,
    pub(super) greatest: i64,
    pub(super) sum: i128,
}

impl Totals {
    /// Of integers that are all the same.
    pub(super) fn of_constant(integer: i64, count: usize) -> Self {
        Self {
            first: integer,
            last: integer,
            least: integer,
            greatest: integer,
            sum: i128::from(integer).wrapping_mul(count as i128),
        }
    }

    /// `None` where there is none.
    pub(super) fn of(integers: &[i64]) -> Option<Self> {
        let (&first, &last) = integers.first().zip(integers.last())?;
        let (mut least, mut greatest, mut sum) = (first, first, 0);
        for &integer in integers {
            least = least.min(integer);
            greatest = greatest.max(integer);
            sum += i128::from(integer);
        }
        Some(Self { first, last, least, greatest, sum })
    }

    pub(super) fn stats(self, scale: Scale, count: usize) -> Stats {
        Stats {
            count: count as u32,
            min: scale.value(self.least),
            max: scale.value(self.greatest),
            sum: scale.sum(self.sum),
            first: scale.value(self.first),
            last: scale.value(self.last),
        }
    }
}

/// The statistics of a column, given its integers.
pub(super) fn stats(scale: Scale, integers: &[i64]) -> Option<Stats> {
    if scale.is_bits() {
        return Stats::of_floats(integers.iter().map(|&integer| scale.value(integer)));
    }
    Totals::of(integers).map(|totals| totals.stats(scale, integers.len()))
}

/// The statistics of cells, as the column that they become has them.
pub(in crate::block) fn stats_of(cells: &[Cell]) -> Option<Stats> {
    let values: Vec<f64> = cells
        .iter()
        .filter_map(|cell| match cell {
            Cell::Value(value) => Some(*value),
            Cell::Absent | Cell::NoData(_) => None,
        })
        .collect();
    let mut integers = Vec::with_capacity(values.len());
    let scale = Scale::of(&values, &mut integers);
    stats(scale, &integers)
}
