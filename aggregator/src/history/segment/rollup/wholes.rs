//! Rollups of decimals as integers.
//!
//! A column is written as it is or as its difference to one that stands before it, whichever is
//! smaller: the least of a counter is its first value, its greatest the last.

use super::Rollup;
use crate::history::segment::SegmentError;
use crate::history::segment::numbers::{self, Extent};
use crate::history::segment::values::{self, from_decimal};
use flyball_protocol::wire::Bytes;

/// What a column of integers is the difference to.
mod base {
    pub(super) const NOTHING: u8 = 0;
    pub(super) const FIRST: u8 = 1;
    /// The first value of the next one.
    pub(super) const NEXT: u8 = 2;
    /// Half of the least and the greatest, as many as there are values.
    pub(super) const MIDDLE: u8 = 3;
}

/// The columns as integers of one exponent.
pub(super) struct Wholes {
    first: Vec<i64>,
    last: Vec<i64>,
    min: Vec<i64>,
    max: Vec<i64>,
    sum: Vec<i64>,
}

impl Wholes {
    /// `None` where a value is no decimal of this exponent.
    pub(super) fn of(rollups: &[Rollup], exponent: u8, sum: Vec<i64>) -> Option<Self> {
        let exponent = usize::from(exponent);
        let whole = |column: fn(&Rollup) -> f64| {
            let column = rollups.iter().map(|rollup| values::scale(column(rollup), exponent));
            column.collect::<Option<Vec<i64>>>()
        };
        Some(Self {
            first: whole(|rollup| rollup.first)?,
            last: whole(|rollup| rollup.last)?,
            min: whole(|rollup| rollup.min)?,
            max: whole(|rollup| rollup.max)?,
            sum,
        })
    }

    pub(super) fn put(&self, out: &mut Vec<u8>, rollups: &[Rollup]) -> Result<(), SegmentError> {
        let counts: Vec<u32> = rollups.iter().map(|rollup| rollup.count).collect();
        numbers::put(out, &self.first)?;
        let bases = Bases { first: &self.first, min: &self.min, max: &self.max, counts: &counts };
        bases.put(out, &self.last, &[base::NOTHING, base::FIRST, base::NEXT], false)?;
        bases.put(out, &self.min, &[base::NOTHING, base::FIRST], false)?;
        bases.put(out, &self.max, &[base::NOTHING, base::FIRST], false)?;
        bases.put(out, &self.sum, &[base::NOTHING, base::FIRST, base::MIDDLE], true)
    }

    pub(super) fn take(
        bytes: &mut Bytes<'_>,
        counts: &[u32],
    ) -> Result<[Vec<f64>; 5], SegmentError> {
        let exponent = bytes.byte("exponent")?;
        let first = numbers::take(bytes, Extent::all(counts.len()))?;
        let bases = Bases { first: &first, min: &[], max: &[], counts };
        let last = bases.take(bytes, false)?;
        let min = bases.take(bytes, false)?;
        let max = bases.take(bytes, false)?;
        let sum = Bases { min: &min, max: &max, ..bases }.take(bytes, true)?;
        let float = |column: Vec<i64>| {
            let column = column.into_iter().map(|whole| from_decimal(whole, exponent));
            column.collect::<Result<Vec<f64>, _>>()
        };
        Ok([float(first)?, float(last)?, float(min)?, float(max)?, float(sum)?])
    }
}

/// What stands before a column.
#[derive(Clone, Copy)]
struct Bases<'a> {
    first: &'a [i64],
    min: &'a [i64],
    max: &'a [i64],
    counts: &'a [u32],
}

impl Bases<'_> {
    /// The column against the base that leaves the least.
    fn put(
        &self,
        out: &mut Vec<u8>,
        column: &[i64],
        against: &[u8],
        summed: bool,
    ) -> Result<(), SegmentError> {
        let rest = |against: u8| {
            let rest = column
                .iter()
                .enumerate()
                .map(|(index, whole)| whole.checked_sub(self.at(against, index, summed)?))
                .collect::<Option<Vec<i64>>>()?;
            Some((against, rest))
        };
        let mut best: Option<(u64, u8, Vec<i64>)> = None;
        for (against, rest) in against.iter().filter_map(|&against| rest(against)) {
            let bits = numbers::bits(&rest)?;
            if best.as_ref().is_none_or(|(least, ..)| bits < *least) {
                best = Some((bits, against, rest));
            }
        }
        let (_, against, rest) = best.ok_or(SegmentError::Invalid("rollups"))?;
        out.push(against);
        numbers::put(out, &rest)
    }

    fn take(&self, bytes: &mut Bytes<'_>, summed: bool) -> Result<Vec<i64>, SegmentError> {
        const WHAT: &str = "rollups' columns";
        let against = bytes.byte(WHAT)?;
        let rest = numbers::take(bytes, Extent::all(self.counts.len()))?;
        rest.into_iter()
            .enumerate()
            .map(|(index, rest)| rest.checked_add(self.at(against, index, summed)?))
            .collect::<Option<Vec<i64>>>()
            .ok_or(SegmentError::Invalid(WHAT))
    }

    fn at(&self, against: u8, index: usize, summed: bool) -> Option<i64> {
        let one = match against {
            base::NOTHING => return Some(0),
            base::FIRST => *self.first.get(index)?,
            base::NEXT => *self.first.get(index + 1).or_else(|| self.first.get(index))?,
            base::MIDDLE => self.min.get(index)?.checked_add(*self.max.get(index)?)?,
            _ => return None,
        };
        let times = if summed { i64::from(*self.counts.get(index)?) } else { 1 };
        let all = one.checked_mul(times)?;
        Some(if against == base::MIDDLE { all / 2 } else { all })
    }
}
