//! A block's columns with their statistics, before their cells are asked for.

use super::column::{Place, Scratch, Strip};
use super::outline::{GroupOutline, Outline};
use super::stats::Stats;
use super::{BlockError, Cell, VERSION};
use crate::series::SeriesRef;

/// A block's header. The block's checksum is verified, its cells are given by [`Header::cells`].
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    pub version: u8,
    pub start_ms: u64,
    pub length_ms: u32,
    pub groups: Vec<GroupHeader>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct GroupHeader {
    pub first_ms: u64,
    pub step_ms: u32,
    pub ticks: usize,
    /// Sorted by series.
    pub columns: Vec<ColumnHeader>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ColumnHeader {
    pub series: SeriesRef,
    /// `None` where no value is finite. Long columns of decimals say theirs in front; those of
    /// others have been computed from their values.
    pub stats: Option<Stats>,
    place: Place,
}

impl Header {
    /// All columns. Where only some series are wanted, [`Header::seek`] costs less; where none
    /// is, [`Outline`] does.
    ///
    /// # Errors
    /// Where the bytes are no whole, undamaged block within the bounds.
    pub fn read(bytes: &[u8]) -> Result<Self, BlockError> {
        Self::of(bytes, |group, scratch| {
            let mut columns = Vec::with_capacity(group.columns());
            let mut series = group.series();
            for strip in group.strips(bytes) {
                let (_, mut strip) = strip?;
                while strip.left() > 0
                    && let Some(series) = series.next()
                {
                    columns.push(take_column(&mut strip, series, scratch)?);
                }
            }
            Ok(columns)
        })
    }

    /// Only the columns of `wanted`, which is sorted; groups that have none of them stay, with
    /// no column. Strips without any are not looked at.
    ///
    /// # Errors
    /// Where the bytes are no whole, undamaged block within the bounds.
    pub fn seek(bytes: &[u8], wanted: &[SeriesRef]) -> Result<Self, BlockError> {
        Self::of(bytes, |group, scratch| {
            let mut columns = Vec::new();
            let mut open: Option<(usize, Strip<'_>)> = None;
            let found = wanted.iter().filter_map(|&series| Some((series, group.find(series)?)));
            for (series, index) in found {
                let (mut at, mut strip) = match open.take() {
                    Some((at, strip)) if index >= at && index - at < strip.left() => (at, strip),
                    Some(_) | None => group.strip_of(bytes, index)?,
                };
                while at < index {
                    strip.skip(scratch)?;
                    at += 1;
                }
                columns.push(take_column(&mut strip, series, scratch)?);
                open = Some((at + 1, strip));
            }
            Ok(columns)
        })
    }

    fn of(
        bytes: &[u8],
        mut columns: impl FnMut(&GroupOutline, &mut Scratch) -> Result<Vec<ColumnHeader>, BlockError>,
    ) -> Result<Self, BlockError> {
        let outline = Outline::read(bytes)?;
        let mut scratch = Scratch::default();
        let groups = outline
            .groups
            .iter()
            .map(|group| {
                let &GroupOutline { first_ms, step_ms, ticks, .. } = group;
                Ok(GroupHeader { first_ms, step_ms, ticks, columns: columns(group, &mut scratch)? })
            })
            .collect::<Result<_, BlockError>>()?;
        let Outline { start_ms, length_ms, .. } = outline;
        Ok(Self { version: VERSION, start_ms, length_ms, groups })
    }

    /// One column's cells, a cell for each of its group's ticks. `bytes` are those that this
    /// header was read from.
    ///
    /// # Errors
    /// Where the column is not written as this version writes columns, or says other statistics
    /// than its values have.
    pub fn cells(
        &self,
        bytes: &[u8],
        group: &GroupHeader,
        column: &ColumnHeader,
    ) -> Result<Vec<Cell>, BlockError> {
        Strip::at(bytes, column.place, group.ticks)?.cells(&mut Scratch::default())
    }

    /// Every column with its group.
    pub fn columns(&self) -> impl Iterator<Item = (&GroupHeader, &ColumnHeader)> {
        self.groups.iter().flat_map(|group| group.columns.iter().map(move |column| (group, column)))
    }

    /// The first and the last tick that any group has.
    #[must_use]
    pub fn span_ms(&self) -> Option<(u64, u64)> {
        let first = self.groups.iter().map(|group| group.first_ms).min()?;
        let last = self.groups.iter().map(GroupHeader::last_ms).max()?;
        Some((first, last))
    }
}

impl GroupHeader {
    #[must_use]
    pub const fn last_ms(&self) -> u64 {
        self.first_ms + self.step_ms as u64 * (self.ticks as u64 - 1)
    }

    /// The Unix milliseconds of every tick.
    pub fn ticks_ms(&self) -> impl Iterator<Item = u64> + use<> {
        let (first_ms, step_ms) = (self.first_ms, u64::from(self.step_ms));
        (0..self.ticks as u64).map(move |index| first_ms + index * step_ms)
    }
}

fn take_column(
    strip: &mut Strip<'_>,
    series: SeriesRef,
    scratch: &mut Scratch,
) -> Result<ColumnHeader, BlockError> {
    let place = strip.place();
    Ok(ColumnHeader { series, stats: strip.stats(scratch)?, place })
}
