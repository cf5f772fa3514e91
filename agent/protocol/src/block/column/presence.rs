//! Which cells of a column have a value, and why the others have none.

use crate::block::bits::{BitReader, BitWriter};
use crate::block::{BlockError, Cell};
use flyball_units::NoData;

/// The state of a run's cells; `NODATA` and above carry the reason's code.
mod state {
    pub(super) const BITS: u32 = 6;
    pub(super) const VALUE: u64 = 0;
    pub(super) const ABSENT: u64 = 1;
    pub(super) const NODATA: u64 = 2;
}

/// One bit where all `cells` are values, and runs of one state where not.
pub(super) fn put(out: &mut BitWriter, cells: &[Cell], values: usize) {
    let whole = values == cells.len();
    out.put(u64::from(!whole), 1);
    if whole {
        return;
    }
    for run in cells.chunk_by(|a, b| state_of(*a) == state_of(*b)) {
        out.put_number(run.len() as u64);
        out.put(state_of(run[0]), state::BITS);
    }
}

/// How many cells have a value. Leaves `runs` empty where all of them do; `ticks` is bounded by
/// the header.
pub(super) fn take(
    bits: &mut BitReader<'_>,
    ticks: usize,
    runs: &mut Vec<(usize, Cell)>,
) -> Result<usize, BlockError> {
    runs.clear();
    if bits.take(1)? == 0 {
        return Ok(ticks);
    }
    let (mut left, mut values) = (ticks, 0);
    while left > 0 {
        let run = usize::try_from(bits.take_number()?).unwrap_or(usize::MAX);
        if run == 0 || run > left {
            return Err(BlockError::Invalid("presence"));
        }
        let cell = match bits.take(state::BITS)? {
            state::VALUE => Cell::Value(0.0),
            state::ABSENT => Cell::Absent,
            code => u8::try_from(code - state::NODATA)
                .ok()
                .and_then(NoData::from_code)
                .map(Cell::NoData)
                .ok_or(BlockError::Invalid("reason"))?,
        };
        if matches!(cell, Cell::Value(_)) {
            values += run;
        }
        runs.push((run, cell));
        left -= run;
    }
    Ok(values)
}

/// Puts all cells of a column into `cells`: its `values` where the runs have some.
pub(super) fn fill(
    cells: &mut Vec<Cell>,
    runs: &[(usize, Cell)],
    mut values: impl Iterator<Item = Cell>,
) {
    cells.clear();
    if runs.is_empty() {
        cells.extend(values);
        return;
    }
    for &(run, cell) in runs {
        match cell {
            Cell::Value(_) => cells.extend(values.by_ref().take(run)),
            Cell::Absent | Cell::NoData(_) => cells.extend(std::iter::repeat_n(cell, run)),
        }
    }
}

const fn state_of(cell: Cell) -> u64 {
    match cell {
        Cell::Value(_) => state::VALUE,
        Cell::Absent => state::ABSENT,
        Cell::NoData(reason) => state::NODATA + reason.code() as u64,
    }
}
