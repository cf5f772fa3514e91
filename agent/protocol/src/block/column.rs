//! One series' cells as bits: who is there, then the values that are.

mod form;
mod presence;
mod rest;
mod scale;
mod totals;
mod values;

pub(super) use form::Recent;
pub(super) use totals::stats_of;

use super::bits::{BitReader, BitWriter};
use super::stats::Stats;
use super::{BlockError, Cell};

/// No column takes fewer bits: what its cells are, its form, and a number.
pub(super) const MIN_BITS: usize = 8;

/// What is kept from column to column, so that none allocates anew.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    values: Vec<f64>,
    integers: Vec<i64>,
    rest: Vec<u64>,
    runs: Vec<(usize, Cell)>,
}

pub(super) fn put(out: &mut BitWriter, recent: &mut Recent, cells: &[Cell], scratch: &mut Scratch) {
    scratch.values.clear();
    scratch.values.extend(cells.iter().filter_map(|cell| match cell {
        Cell::Value(value) => Some(*value),
        Cell::Absent | Cell::NoData(_) => None,
    }));
    presence::put(out, cells, scratch.values.len());
    if !scratch.values.is_empty() {
        values::put(out, recent, scratch);
    }
}

/// Columns of one group that stand behind each other and share their recent forms.
#[derive(Clone, Debug)]
pub(super) struct Strip<'a> {
    bits: BitReader<'a>,
    recent: Recent,
    ticks: usize,
    /// Columns that have not been taken.
    left: usize,
}

/// Where in a block a column begins, and what forms stand before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    at: usize,
    end: usize,
    recent: Recent,
}

impl<'a> Strip<'a> {
    /// The strip in bytes `from..to` of a block.
    pub(super) fn new(
        block: &'a [u8],
        (from, to): (usize, usize),
        ticks: usize,
        columns: usize,
    ) -> Result<Self, BlockError> {
        let place = Place { at: from * 8, end: to * 8, recent: Recent::default() };
        Ok(Self { left: columns, ..Self::at(block, place, ticks)? })
    }

    /// The one column at `place`.
    pub(super) fn at(block: &'a [u8], place: Place, ticks: usize) -> Result<Self, BlockError> {
        let Place { at, end, recent } = place;
        let bits = BitReader::new(block, at, end).ok_or(BlockError::Truncated("column"))?;
        Ok(Self { bits, recent, ticks, left: 1 })
    }

    pub(super) const fn place(&self) -> Place {
        Place { at: self.bits.at(), end: self.bits.end(), recent: self.recent }
    }

    /// Columns that have not been taken.
    pub(super) const fn left(&self) -> usize {
        self.left
    }

    /// Puts the next column's cells into `cells`. Statistics that it says of itself are held to
    /// them.
    pub(super) fn take_cells(
        &mut self,
        scratch: &mut Scratch,
        cells: &mut Vec<Cell>,
    ) -> Result<(), BlockError> {
        self.left = self.left.saturating_sub(1);
        let present = presence::take(&mut self.bits, self.ticks, &mut scratch.runs)?;
        if present == 0 {
            presence::fill(cells, &scratch.runs, std::iter::empty());
            return Ok(());
        }
        let scale = values::take(&mut self.bits, &mut self.recent, present, scratch)?;
        let values = scratch.integers.iter().map(|&integer| Cell::Value(scale.value(integer)));
        presence::fill(cells, &scratch.runs, values);
        Ok(())
    }

    /// The next column's cells, in room of their own.
    pub(super) fn cells(&mut self, scratch: &mut Scratch) -> Result<Vec<Cell>, BlockError> {
        let mut cells = Vec::with_capacity(self.ticks);
        self.take_cells(scratch, &mut cells)?;
        Ok(cells)
    }

    /// The next column's statistics: those that it says of itself, or what its values give.
    pub(super) fn stats(&mut self, scratch: &mut Scratch) -> Result<Option<Stats>, BlockError> {
        self.left = self.left.saturating_sub(1);
        match presence::take(&mut self.bits, self.ticks, &mut scratch.runs)? {
            0 => Ok(None),
            present => {
                let last = self.left == 0;
                values::take_stats(&mut self.bits, &mut self.recent, present, last, scratch)
            }
        }
    }

    pub(super) fn skip(&mut self, scratch: &mut Scratch) -> Result<(), BlockError> {
        self.left = self.left.saturating_sub(1);
        match presence::take(&mut self.bits, self.ticks, &mut scratch.runs)? {
            0 => Ok(()),
            present => values::skip(&mut self.bits, &mut self.recent, present),
        }
    }

    /// Holds what is left to less than a byte of zeros.
    pub(super) fn end(mut self) -> Result<(), BlockError> {
        match self.bits.take_padding() {
            Some(0) => Ok(()),
            Some(_) | None => Err(BlockError::Invalid("columns' end")),
        }
    }
}
