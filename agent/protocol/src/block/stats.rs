//! What a column says of its values without being decoded.

use super::BlockError;
use super::wire::{Bytes, put_f64, put_varint};
use super::{Cell, MAX_TICKS};

/// Statistics over the finite values of one column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stats {
    pub count: u32,
    pub min: f64,
    pub max: f64,
    /// Added up from the first to the last.
    pub sum: f64,
    pub first: f64,
    pub last: f64,
}

/// How statistics are written.
mod form {
    /// No finite value.
    pub(super) const NONE: u8 = 0;
    /// Count, then min, max, sum, first, last.
    pub(super) const FULL: u8 = 1;
    /// Count and the one value that all of them have.
    pub(super) const CONSTANT: u8 = 2;
}

impl Stats {
    /// `None` where no value is finite.
    #[must_use]
    pub fn of(cells: &[Cell]) -> Option<Self> {
        let finite = cells.iter().filter_map(|cell| match cell {
            Cell::Value(value) if value.is_finite() => Some(*value),
            Cell::Value(_) | Cell::NoData(_) | Cell::Absent => None,
        });
        finite.fold(None, |stats, value| {
            Some(stats.map_or_else(|| Self::constant(value, 1), |stats: Self| stats.with(value)))
        })
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

    fn constant(value: f64, count: u32) -> Self {
        let one = Self { count: 1, min: value, max: value, sum: value, first: value, last: value };
        (1..count).fold(one, |stats, _| stats.with(value))
    }

    fn bits(self) -> [u64; 5] {
        [self.min, self.max, self.sum, self.first, self.last].map(f64::to_bits)
    }
}

pub(super) fn put(out: &mut Vec<u8>, stats: Option<Stats>) {
    let Some(stats) = stats else {
        out.push(form::NONE);
        return;
    };
    if stats.bits() == Stats::constant(stats.first, stats.count).bits() {
        out.push(form::CONSTANT);
        put_varint(out, u64::from(stats.count));
        put_f64(out, stats.first);
        return;
    }
    out.push(form::FULL);
    put_varint(out, u64::from(stats.count));
    for value in [stats.min, stats.max, stats.sum, stats.first, stats.last] {
        put_f64(out, value);
    }
}

pub(super) fn take(bytes: &mut Bytes<'_>) -> Result<Option<Stats>, BlockError> {
    const WHAT: &str = "statistics";
    let form = bytes.byte(WHAT)?;
    if form == form::NONE {
        return Ok(None);
    }
    let count = match u32::try_from(bytes.count(WHAT, MAX_TICKS)?) {
        Ok(count) if count > 0 => count,
        _ => return Err(BlockError::Invalid(WHAT)),
    };
    match form {
        form::CONSTANT => Ok(Some(Stats::constant(bytes.f64(WHAT)?, count))),
        form::FULL => Ok(Some(Stats {
            count,
            min: bytes.f64(WHAT)?,
            max: bytes.f64(WHAT)?,
            sum: bytes.f64(WHAT)?,
            first: bytes.f64(WHAT)?,
            last: bytes.f64(WHAT)?,
        })),
        _ => Err(BlockError::Invalid(WHAT)),
    }
}
