//! The samples of one series: runs of values and of reasons, then the values.

use super::values::{self, Decimals};
use super::{MAX_SAMPLES, SegmentError};
use flyball_protocol::block::Cell;
use flyball_protocol::wire::{Bytes, put_varint};
use flyball_units::NoData;

/// The state of a run; `REASON` and above carry the reason's code.
mod state {
    pub(super) const VALUE: u8 = 0;
    pub(super) const REASON: u8 = 1;
}

/// `cells` hold no absent one.
pub(super) fn put(
    out: &mut Vec<u8>,
    cells: &[Cell],
    values: &[f64],
    decimals: Option<&Decimals>,
) -> Result<(), SegmentError> {
    if values.len() == cells.len() {
        put_varint(out, 0);
    } else {
        let runs: Vec<_> = cells.chunk_by(|a, b| state_of(*a) == state_of(*b)).collect();
        put_varint(out, runs.len() as u64);
        for run in runs {
            put_varint(out, run.len() as u64);
            out.push(state_of(run[0]));
        }
    }
    values::put(out, values, decimals)
}

/// One cell for each of the `count` ticks.
pub(super) fn take(bytes: &[u8], count: usize) -> Result<Vec<Cell>, SegmentError> {
    const WHAT: &str = "states";
    let mut bytes = Bytes::new(bytes);
    let runs = bytes.count(WHAT, MAX_SAMPLES)?;
    let mut cells = Vec::with_capacity(count);
    for _ in 0..runs {
        let length = bytes.count(WHAT, count - cells.len())?;
        let cell = match bytes.byte(WHAT)? {
            state::VALUE => Cell::Value(0.0),
            code => NoData::from_code(code - state::REASON)
                .map(Cell::NoData)
                .ok_or(SegmentError::Invalid(WHAT))?,
        };
        cells.extend(std::iter::repeat_n(cell, length));
    }
    if runs == 0 {
        cells.resize(count, Cell::Value(0.0));
    }
    if cells.len() != count {
        return Err(SegmentError::Invalid(WHAT));
    }
    let present = cells.iter().filter(|cell| matches!(cell, Cell::Value(_))).count();
    let mut values = values::take(&mut bytes, present)?.into_iter();
    for cell in &mut cells {
        if let Cell::Value(value) = cell {
            *value = values.next().ok_or(SegmentError::Truncated(WHAT))?;
        }
    }
    bytes.end("samples' end")?;
    Ok(cells)
}

const fn state_of(cell: Cell) -> u8 {
    match cell {
        Cell::Value(_) | Cell::Absent => state::VALUE,
        Cell::NoData(reason) => state::REASON + reason.code(),
    }
}
