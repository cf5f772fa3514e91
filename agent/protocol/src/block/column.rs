//! One series' cells as bytes: who is there, then the values that are.

mod decimal;

use super::wire::{Bytes, put_varint};
use super::{BlockError, Cell};
use decimal::Decimals;
use flyball_units::NoData;

/// How the presence of cells is written.
mod presence {
    /// Every cell is a value.
    pub(super) const ALL: u8 = 0;
    /// Runs: how many cells, then their state.
    pub(super) const RUNS: u8 = 1;
}

/// The state of a run's cells; `NODATA` and above carry the reason's code.
mod state {
    pub(super) const VALUE: u8 = 0;
    pub(super) const ABSENT: u8 = 1;
    pub(super) const NODATA: u8 = 2;
}

/// How values are written.
mod values {
    /// Bits, eight bytes each.
    pub(super) const RAW: u8 = 0;
    /// Bits, once for all.
    pub(super) const CONSTANT: u8 = 1;
    /// Decimal exponent, then differences of the scaled integers, zigzag.
    pub(super) const DECIMAL: u8 = 2;
}

pub(super) fn put(out: &mut Vec<u8>, cells: &[Cell]) {
    let values: Vec<f64> = cells
        .iter()
        .filter_map(|cell| match cell {
            Cell::Value(value) => Some(*value),
            Cell::Absent | Cell::NoData(_) => None,
        })
        .collect();
    if values.len() == cells.len() {
        out.push(presence::ALL);
    } else {
        out.push(presence::RUNS);
        put_runs(out, cells);
    }
    put_values(out, &values);
}

/// The cells of one column; `ticks` is bounded by the header.
pub(super) fn take(bytes: &[u8], ticks: usize) -> Result<Vec<Cell>, BlockError> {
    let mut bytes = Bytes::new(bytes);
    let mut cells = match bytes.byte("presence")? {
        presence::ALL => vec![Cell::Value(0.0); ticks],
        presence::RUNS => take_runs(&mut bytes, ticks)?,
        _ => return Err(BlockError::Invalid("presence")),
    };
    let present = cells.iter().filter(|cell| matches!(cell, Cell::Value(_))).count();
    let mut values = take_values(&mut bytes, present)?.into_iter();
    for cell in &mut cells {
        if let Cell::Value(value) = cell {
            *value = values.next().ok_or(BlockError::Truncated("values"))?;
        }
    }
    if bytes.len() == 0 { Ok(cells) } else { Err(BlockError::Invalid("column's end")) }
}

fn put_runs(out: &mut Vec<u8>, cells: &[Cell]) {
    for run in cells.chunk_by(|a, b| state_of(*a) == state_of(*b)) {
        put_varint(out, run.len() as u64);
        out.push(state_of(run[0]));
    }
}

fn take_runs(bytes: &mut Bytes<'_>, ticks: usize) -> Result<Vec<Cell>, BlockError> {
    let mut cells = Vec::with_capacity(ticks);
    while cells.len() < ticks {
        let run = bytes.count("presence", ticks - cells.len())?;
        if run == 0 {
            return Err(BlockError::Invalid("presence"));
        }
        let cell = match bytes.byte("presence")? {
            state::VALUE => Cell::Value(0.0),
            state::ABSENT => Cell::Absent,
            code => NoData::from_code(code - state::NODATA)
                .map(Cell::NoData)
                .ok_or(BlockError::Invalid("reason"))?,
        };
        cells.extend(std::iter::repeat_n(cell, run));
    }
    Ok(cells)
}

const fn state_of(cell: Cell) -> u8 {
    match cell {
        Cell::Value(_) => state::VALUE,
        Cell::Absent => state::ABSENT,
        Cell::NoData(reason) => state::NODATA + reason.code(),
    }
}

fn put_values(out: &mut Vec<u8>, values: &[f64]) {
    let constant = values.windows(2).all(|pair| pair[0].to_bits() == pair[1].to_bits());
    if let (true, Some(first)) = (constant, values.first()) {
        out.push(values::CONSTANT);
        out.extend_from_slice(&first.to_bits().to_le_bytes());
    } else if let Some(decimals) = Decimals::of(values) {
        out.push(values::DECIMAL);
        decimals.put(out);
    } else {
        out.push(values::RAW);
        for value in values {
            out.extend_from_slice(&value.to_bits().to_le_bytes());
        }
    }
}

fn take_values(bytes: &mut Bytes<'_>, count: usize) -> Result<Vec<f64>, BlockError> {
    match bytes.byte("values")? {
        values::RAW => (0..count).map(|_| bytes.f64("values")).collect(),
        values::CONSTANT => Ok(vec![bytes.f64("values")?; count]),
        values::DECIMAL => decimal::take(bytes, count),
        _ => Err(BlockError::Invalid("value form")),
    }
}
