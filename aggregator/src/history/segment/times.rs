//! When a series has cells: runs of evenly spaced ticks, stored once for all series that share
//! them.

use super::{MAX_SAMPLES, SegmentError};
use flyball_protocol::wire::{Bytes, put_varint};

/// A run takes at least its gap, its step and its count.
const MIN_RUN_BYTES: usize = 3;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Run {
    first_ms: u64,
    step_ms: u64,
    count: u64,
}

impl Run {
    fn last_ms(&self) -> u64 {
        self.first_ms + self.step_ms * (self.count - 1)
    }
}

/// The ticks of one column, ascending; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Times {
    runs: Vec<Run>,
    count: usize,
}

impl Times {
    /// The bytes of ascending ticks.
    pub(super) fn encode(ticks: &[u64]) -> Vec<u8> {
        let mut out = Vec::new();
        let first = ticks.first().copied().unwrap_or_default();
        let unit = ticks.iter().fold(0, |unit, tick| gcd(unit, tick - first)).max(1);
        put_varint(&mut out, first);
        put_varint(&mut out, unit);
        let runs = runs_of(ticks);
        put_varint(&mut out, runs.len() as u64);
        let mut before = first;
        for run in runs {
            put_varint(&mut out, (run.first_ms - before) / unit);
            put_varint(&mut out, run.step_ms / unit);
            put_varint(&mut out, run.count);
            before = run.last_ms();
        }
        out
    }

    pub(super) fn take(bytes: &mut Bytes<'_>) -> Result<Self, SegmentError> {
        const WHAT: &str = "times";
        let first = bytes.varint(WHAT)?;
        let unit = bytes.varint(WHAT)?;
        let length = bytes.count(WHAT, bytes.len() / MIN_RUN_BYTES)?;
        let mut runs: Vec<Run> = Vec::with_capacity(length);
        let mut count = 0;
        let (mut before, out_of_range) = (first, || SegmentError::Invalid(WHAT));
        for index in 0..length {
            let gap = bytes.varint(WHAT)?.checked_mul(unit).ok_or_else(out_of_range)?;
            let step_ms = bytes.varint(WHAT)?.checked_mul(unit).ok_or_else(out_of_range)?;
            let ticks = bytes.count(WHAT, MAX_SAMPLES - count)?;
            let first_ms = before.checked_add(gap).ok_or_else(out_of_range)?;
            if ticks == 0 || (ticks > 1 && step_ms == 0) || (index > 0 && gap == 0) {
                return Err(out_of_range());
            }
            let reach = step_ms.checked_mul(ticks as u64 - 1).ok_or_else(out_of_range)?;
            before = first_ms.checked_add(reach).ok_or_else(out_of_range)?;
            count += ticks;
            runs.push(Run { first_ms, step_ms, count: ticks as u64 });
        }
        if count == 0 || before > u64::MAX / 2 {
            return Err(out_of_range());
        }
        Ok(Self { runs, count })
    }

    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// How many of them lie before `before_ms`.
    pub(super) fn count_before(&self, before_ms: u64) -> usize {
        let of = |run: &Run| match before_ms.checked_sub(run.first_ms) {
            None | Some(0) => 0,
            Some(_) if run.last_ms() < before_ms => run.count,
            // A run of one tick lies before it altogether.
            Some(span_ms) => span_ms.div_ceil(run.step_ms.max(1)).min(run.count),
        };
        // No run has more ticks than all of them, and these fit.
        self.runs.iter().map(of).sum::<u64>().try_into().unwrap_or(self.count)
    }

    pub(super) fn first_ms(&self) -> u64 {
        self.runs.first().map_or(0, |run| run.first_ms)
    }

    pub(super) fn last_ms(&self) -> u64 {
        self.runs.last().map_or(0, Run::last_ms)
    }

    pub(super) fn ticks(&self) -> impl Iterator<Item = u64> + '_ {
        self.runs
            .iter()
            .flat_map(|run| (0..run.count).map(|index| run.first_ms + index * run.step_ms))
    }
}

fn runs_of(ticks: &[u64]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for &tick in ticks {
        match runs.last_mut() {
            Some(run) if run.count == 1 => {
                run.step_ms = tick - run.first_ms;
                run.count = 2;
            }
            Some(run) if run.last_ms() + run.step_ms == tick => run.count += 1,
            Some(run) if run.count == 2 => {
                // Two ticks say little of a step: the second may begin a longer run.
                let second = run.last_ms();
                run.count = 1;
                run.step_ms = 0;
                runs.push(Run { first_ms: second, step_ms: tick - second, count: 2 });
            }
            _ => runs.push(Run { first_ms: tick, step_ms: 0, count: 1 }),
        }
    }
    runs
}

const fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
