//! What a column says of its values.

use super::{Cell, column};

/// Statistics over the finite values of one column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stats {
    pub count: u32,
    pub min: f64,
    pub max: f64,
    /// Of decimals the exact sum, rounded once and divided by their power of ten; of others
    /// added up from the first to the last.
    pub sum: f64,
    pub first: f64,
    pub last: f64,
}

impl Stats {
    /// `None` where no value is finite.
    #[must_use]
    pub fn of(cells: &[Cell]) -> Option<Self> {
        column::stats_of(cells)
    }

    /// Of the finite ones, added up in their order.
    pub(super) fn of_floats(values: impl Iterator<Item = f64>) -> Option<Self> {
        values.filter(|value| value.is_finite()).fold(None, |stats, value| {
            Some(stats.map_or_else(|| Self::one(value), |stats: Self| stats.with(value)))
        })
    }

    const fn one(value: f64) -> Self {
        Self { count: 1, min: value, max: value, sum: value, first: value, last: value }
    }

    fn with(self, value: f64) -> Self {
        Self {
            count: self.count + 1,
            min: self.min.min(value),
            max: self.max.max(value),
            sum: self.sum + value,
            first: self.first,
            last: value,
        }
    }
}
