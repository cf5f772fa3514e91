//! The last ten minutes of every series at the samples' full rate, kept whatever the agent has
//! taken, and frozen into a file when a limit trips.
//!
//! A value takes four bytes here, so that the history of a common machine is a few hundred KiB.
//! The loop only tries the lock: a tick that finds the history being copied is left out.

use flyball_guard_messages::Sample;
use flyball_units::NoData;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Ten minutes at one tick a second.
const TICKS: usize = 600;
/// The bits of a quiet NaN; what stands below them is the reason for its absence.
const ABSENT: u32 = 0x7fc0_0000;

#[derive(Debug, Default)]
pub(crate) struct Evidence(Mutex<History>);

/// A ring of rows, one a tick.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    series: usize,
    /// Row after row; grows to [`TICKS`] rows and stays.
    cells: Vec<f32>,
    times_ms: Vec<u64>,
    /// The row that is written next.
    next: usize,
}

impl Evidence {
    pub(crate) fn for_series(series: usize) -> Self {
        let evidence = Self::default();
        evidence.lock().grow_to(series);
        evidence
    }

    /// Keeps a tick, unless the history is being copied. Allocates nothing.
    pub(crate) fn keep(&self, at_ms: u64, samples: &[Sample]) {
        if let Ok(mut history) = self.0.try_lock() {
            history.push(at_ms, samples);
        }
    }

    /// Makes room for more series; what was kept stays.
    pub(crate) fn grow_to(&self, series: usize) {
        self.lock().grow_to(series);
    }

    pub(crate) fn copy(&self) -> History {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, History> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl History {
    fn grow_to(&mut self, series: usize) {
        let mut grown = Self {
            series,
            cells: Vec::with_capacity(TICKS * series),
            times_ms: Vec::with_capacity(TICKS),
            next: 0,
        };
        for (at_ms, row) in self.rows() {
            grown.times_ms.push(at_ms);
            grown.cells.extend_from_slice(row);
            grown.cells.resize(grown.times_ms.len() * series, cell(Err(NoData::NoHistory)));
        }
        grown.next = grown.times_ms.len() % TICKS;
        *self = grown;
    }

    fn push(&mut self, at_ms: u64, samples: &[Sample]) {
        let row = self.next;
        self.next = (row + 1) % TICKS;
        let start = row * self.series;
        if row == self.times_ms.len() {
            self.times_ms.push(at_ms);
            self.cells.resize(start + self.series, 0.0);
        }
        self.times_ms[row] = at_ms;
        let cells = &mut self.cells[start..start + self.series];
        cells.fill(cell(Err(NoData::NoHistory)));
        for sample in samples {
            if let Some(place) = cells.get_mut(usize::from(sample.series)) {
                *place = cell(sample.value);
            }
        }
    }

    /// The ticks in the order in which they came.
    fn rows(&self) -> impl Iterator<Item = (u64, &[f32])> {
        let count = self.times_ms.len();
        let oldest = if count == TICKS { self.next } else { 0 };
        (0..count).map(move |offset| {
            let row = (oldest + offset) % TICKS;
            (self.times_ms[row], &self.cells[row * self.series..(row + 1) * self.series])
        })
    }

    /// The ticks, oldest first, each with its values.
    pub(crate) fn ticks(&self) -> impl Iterator<Item = (u64, Vec<Result<f32, NoData>>)> {
        self.rows().map(|(at_ms, row)| (at_ms, row.iter().copied().map(value).collect()))
    }
}

fn cell(value: Result<f64, NoData>) -> f32 {
    match value {
        #[expect(clippy::cast_possible_truncation, reason = "seven digits prove enough")]
        Ok(value) if !value.is_nan() => value as f32,
        Ok(_) => f32::from_bits(ABSENT | u32::from(NoData::Unparsable.code())),
        Err(reason) => f32::from_bits(ABSENT | u32::from(reason.code())),
    }
}

fn value(cell: f32) -> Result<f32, NoData> {
    if !cell.is_nan() {
        return Ok(cell);
    }
    let code = u8::try_from(cell.to_bits() & 0xff).unwrap_or(u8::MAX);
    Err(NoData::from_code(code).unwrap_or(NoData::Fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(series: u16, value: Result<f64, NoData>) -> Sample {
        Sample { series, value }
    }

    #[test]
    fn the_newest_ten_minutes_stay_in_order_with_their_reasons() {
        let evidence = Evidence::for_series(2);
        for second in 0..700_u32 {
            let absent = Err(NoData::ALL[second as usize % NoData::ALL.len()]);
            let samples = [sample(0, Ok(f64::from(second))), sample(1, absent)];
            evidence.keep(u64::from(second) * 1000, &samples);
        }
        let ticks: Vec<_> = evidence.copy().ticks().collect();
        assert_eq!((ticks.len(), ticks[0].0), (TICKS, 100_000));
        for (second, (at_ms, values)) in (100_u32..).zip(&ticks) {
            assert_eq!(*at_ms, u64::from(second) * 1000);
            assert_eq!(values[0], Ok(second as f32));
            assert_eq!(values[1], Err(NoData::ALL[second as usize % NoData::ALL.len()]));
        }
    }

    #[test]
    fn series_that_come_later_have_no_history_before() {
        let evidence = Evidence::for_series(1);
        (0..605).for_each(|second| evidence.keep(second, &[sample(0, Ok(1.0))]));
        evidence.grow_to(2);
        evidence.keep(605, &[sample(0, Ok(2.0)), sample(1, Ok(3.0))]);
        let ticks: Vec<_> = evidence.copy().ticks().collect();
        assert_eq!((ticks.len(), ticks[0].0), (TICKS, 6));
        assert_eq!(ticks[0].1, [Ok(1.0), Err(NoData::NoHistory)]);
        assert_eq!(ticks[TICKS - 1], (605, vec![Ok(2.0), Ok(3.0)]));
    }
}
