//! The samples of one series: runs of values and of reasons, then the values.

use super::numbers::Extent;
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

/// A cell for each of the ticks that are wanted.
pub(super) fn take(bytes: &[u8], extent: Extent) -> Result<Vec<Cell>, SegmentError> {
    const WHAT: &str = "states";
    let Extent { whole, wanted } = extent;
    let mut bytes = Bytes::new(bytes);
    let runs = bytes.count(WHAT, MAX_SAMPLES)?;
    let mut cells = Vec::with_capacity(wanted);
    let (mut seen, mut values_seen) = (0, 0);
    for _ in 0..runs {
        let length = bytes.count(WHAT, whole - seen)?;
        let cell = match bytes.byte(WHAT)? {
            state::VALUE => Cell::Value(0.0),
            code => NoData::from_code(code - state::REASON)
                .map(Cell::NoData)
                .ok_or(SegmentError::Invalid(WHAT))?,
        };
        seen += length;
        if matches!(cell, Cell::Value(_)) {
            values_seen += length;
        }
        cells.extend(std::iter::repeat_n(cell, length.min(wanted - cells.len())));
    }
    if runs == 0 {
        cells.resize(wanted, Cell::Value(0.0));
        (seen, values_seen) = (whole, whole);
    }
    if seen != whole {
        return Err(SegmentError::Invalid(WHAT));
    }
    let present = cells.iter().filter(|cell| matches!(cell, Cell::Value(_))).count();
    let present = Extent { whole: values_seen, wanted: present };
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
