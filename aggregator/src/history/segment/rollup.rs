//! Statistics over aligned minutes and hours, as columns of their own.
//!
//! Decimals are written as integers, the rest as floats.

mod wholes;

use super::numbers::{self, Extent};
use super::values::{self, Decimals, from_decimal};
use super::{MAX_ROLLUPS, SegmentError};
use flyball_protocol::wire::{Bytes, put_varint};
use wholes::Wholes;

pub const MINUTE_MS: u64 = 60_000;
pub const HOUR_MS: u64 = 3_600_000;

/// Statistics over the finite values of one aligned minute or hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rollup {
    pub start_ms: u64,
    pub count: u32,
    pub min: f64,
    pub max: f64,
    /// Exact where the values are decimals: their integers are added up, and rounded once.
    pub sum: f64,
    pub first: f64,
    pub last: f64,
}

impl Rollup {
    const fn of(start_ms: u64, value: f64) -> Self {
        Self { start_ms, count: 1, min: value, max: value, sum: value, first: value, last: value }
    }

    /// Takes in what comes after it.
    pub fn extend(&mut self, later: &Self) {
        self.count = self.count.saturating_add(later.count);
        self.min = self.min.min(later.min);
        self.max = self.max.max(later.max);
        self.sum += later.sum;
        self.last = later.last;
    }
}

/// A rollup and, where its values are decimals, the sum of their integers.
struct Summed {
    rollup: Rollup,
    whole: Option<i128>,
}

/// How a part's columns are written.
mod form {
    pub(super) const DECIMAL: u8 = 0;
    pub(super) const FLOATS: u8 = 1;
}

/// Rollups of `step_ms` over ticks and values in their order, as bytes.
pub(super) fn put(
    out: &mut Vec<u8>,
    step_ms: u64,
    samples: &[(u64, f64)],
    decimals: Option<&Decimals>,
) -> Result<(), SegmentError> {
    let summed = roll(step_ms, samples, decimals);
    let rollups: Vec<Rollup> = summed.iter().map(|summed| summed.rollup).collect();
    let sums = decimals.and_then(|_| summed.iter().map(|summed| summed.whole).collect());
    let sums: Option<Vec<i128>> = sums;
    let sums = sums.and_then(|sums| {
        sums.into_iter().map(|sum| i64::try_from(sum).ok()).collect::<Option<Vec<i64>>>()
    });
    put_starts(out, step_ms, &rollups)?;
    if rollups.is_empty() {
        return Ok(());
    }
    match decimals.zip(sums).and_then(|(decimals, sums)| {
        Some((decimals.exponent, Wholes::of(&rollups, decimals.exponent, sums)?))
    }) {
        Some((exponent, wholes)) => {
            out.push(form::DECIMAL);
            out.push(exponent);
            wholes.put(out, &rollups)
        }
        None => put_floats(out, &rollups),
    }
}

pub(super) fn take(bytes: &[u8], step_ms: u64) -> Result<Vec<Rollup>, SegmentError> {
    const WHAT: &str = "rollups";
    let mut bytes = Bytes::new(bytes);
    let starts = take_starts(&mut bytes, step_ms)?;
    let count = starts.len();
    let counts = numbers::take(&mut bytes, Extent::all(count))?;
    let counts = counts
        .into_iter()
        .map(|count| u32::try_from(count).map_err(|_| SegmentError::Invalid(WHAT)))
        .collect::<Result<Vec<u32>, _>>()?;
    let [first, last, min, max, sum] = if count == 0 {
        Default::default()
    } else {
        match bytes.byte(WHAT)? {
            form::DECIMAL => Wholes::take(&mut bytes, &counts)?,
            form::FLOATS => take_floats(&mut bytes, count)?,
            _ => return Err(SegmentError::Invalid(WHAT)),
        }
    };
    bytes.end("rollups' end")?;
    let rollup = |index: usize| Rollup {
        start_ms: starts[index],
        count: counts[index],
        min: min[index],
        max: max[index],
        sum: sum[index],
        first: first[index],
        last: last[index],
    };
    Ok((0..count).map(rollup).collect())
}

fn roll(step_ms: u64, samples: &[(u64, f64)], decimals: Option<&Decimals>) -> Vec<Summed> {
    let mut rolled: Vec<Summed> = Vec::new();
    let mut exceptions =
        decimals.map_or(&[][..], |decimals| &decimals.exceptions).iter().peekable();
    for (index, &(at_ms, value)) in samples.iter().enumerate() {
        let strange = exceptions.next_if(|(at, _)| *at == index).is_some();
        if !value.is_finite() {
            continue;
        }
        let whole = decimals.filter(|_| !strange).map(|all| i128::from(all.scaled[index]));
        let start_ms = at_ms - at_ms % step_ms;
        match rolled.last_mut() {
            Some(Summed { rollup, whole: sum }) if rollup.start_ms == start_ms => {
                rollup.extend(&Rollup::of(start_ms, value));
                *sum = sum.zip(whole).map(|(sum, whole)| sum + whole);
            }
            _ => rolled.push(Summed { rollup: Rollup::of(start_ms, value), whole }),
        }
    }
    for Summed { rollup, whole } in &mut rolled {
        let whole = whole.and_then(|sum| i64::try_from(sum).ok());
        let exact = whole.zip(decimals).map(|(sum, all)| from_decimal(sum, all.exponent));
        if let Some(Ok(exact)) = exact {
            rollup.sum = exact;
        }
    }
    rolled
}

/// Where rollups begin, in runs without a gap, and how many values each has.
fn put_starts(out: &mut Vec<u8>, step_ms: u64, rollups: &[Rollup]) -> Result<(), SegmentError> {
    let runs: Vec<_> =
        rollups.chunk_by(|a, b| a.start_ms.checked_add(step_ms) == Some(b.start_ms)).collect();
    put_varint(out, runs.len() as u64);
    let mut next = 0;
    for run in runs {
        let number = run[0].start_ms / step_ms;
        put_varint(out, number - next);
        put_varint(out, run.len() as u64);
        next = number + run.len() as u64;
    }
    let counts: Vec<i64> = rollups.iter().map(|rollup| i64::from(rollup.count)).collect();
    numbers::put(out, &counts)
}

fn take_starts(bytes: &mut Bytes<'_>, step_ms: u64) -> Result<Vec<u64>, SegmentError> {
    const WHAT: &str = "rollups' times";
    let runs = bytes.count(WHAT, MAX_ROLLUPS)?;
    let mut starts = Vec::new();
    let mut next = 0_u64;
    for _ in 0..runs {
        let number = next.saturating_add(bytes.varint(WHAT)?);
        let length = bytes.count(WHAT, MAX_ROLLUPS - starts.len())? as u64;
        next = number.saturating_add(length);
        if length == 0 || next > u64::MAX / 2 / step_ms {
            return Err(SegmentError::Invalid(WHAT));
        }
        starts.extend((number..next).map(|number| number * step_ms));
    }
    Ok(starts)
}

fn put_floats(out: &mut Vec<u8>, rollups: &[Rollup]) -> Result<(), SegmentError> {
    out.push(form::FLOATS);
    let columns: [fn(&Rollup) -> f64; 5] = [
        |rollup| rollup.first,
        |rollup| rollup.last,
        |rollup| rollup.min,
        |rollup| rollup.max,
        |rollup| rollup.sum,
    ];
    for column in columns {
        let column: Vec<f64> = rollups.iter().map(column).collect();
        values::put(out, &column, Decimals::of(&column).as_ref())?;
    }
    Ok(())
}

fn take_floats(bytes: &mut Bytes<'_>, count: usize) -> Result<[Vec<f64>; 5], SegmentError> {
    let mut columns: [Vec<f64>; 5] = Default::default();
    for column in &mut columns {
        *column = values::take(bytes, Extent::all(count))?;
    }
    Ok(columns)
}
