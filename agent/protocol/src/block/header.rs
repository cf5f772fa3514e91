//! What stands in front of the columns: the interval, the groups, each column's statistics.

use super::stats::{self, Stats};
use super::wire::{Bytes, put_varint};
use super::{
    Block, BlockError, Cell, MAX_BLOCK_BYTES, MAX_CELLS, MAX_INTERVAL_MS, MAX_TICKS, VERSION,
    column,
};
use crate::series::SeriesRef;
use std::ops::Range;

const MAGIC: [u8; 4] = *b"FBLK";
const CHECK_BYTES: usize = 4;
/// A column of the header takes at least a series, a length and a form.
const MIN_COLUMN_BYTES: usize = 3;
/// A group takes at least its four numbers.
const MIN_GROUP_BYTES: usize = 4;

/// A block's header. The block's checksum is verified, its columns are not decoded.
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
    /// `None` where no value is finite.
    pub stats: Option<Stats>,
    /// Where its cells stand in the block.
    cells: Range<usize>,
}

impl Header {
    /// # Errors
    /// Where the bytes are no whole, undamaged block within the bounds.
    pub fn read(bytes: &[u8]) -> Result<Self, BlockError> {
        let (header, columns_at, columns_end) = frame(bytes)?;
        let mut header = Bytes::new(header);
        let start_ms = header.u64("interval")?;
        let length_ms = header.u32("interval")?;
        if length_ms == 0 || length_ms > MAX_INTERVAL_MS || start_ms > u64::MAX / 2 {
            return Err(BlockError::Invalid("interval"));
        }
        let count = header.count("groups", header.len() / MIN_GROUP_BYTES)?;
        let mut groups = Vec::with_capacity(count);
        let mut cells = 0;
        let mut at = columns_at;
        for _ in 0..count {
            let group = take_group(&mut header, start_ms, length_ms, &mut at)?;
            cells += group.ticks.saturating_mul(group.columns.len());
            if cells > MAX_CELLS {
                let (size, max) = (cells as u64, MAX_CELLS as u64);
                return Err(BlockError::TooLarge { what: "cells", size, max });
            }
            groups.push(group);
        }
        if header.len() != 0 || at != columns_end {
            return Err(BlockError::Invalid("header's length"));
        }
        Ok(Self { version: VERSION, start_ms, length_ms, groups })
    }

    /// One column's cells, a cell for each of its group's ticks. `bytes` are those that this
    /// header was read from.
    ///
    /// # Errors
    /// Where the column is not written as this version writes columns.
    pub fn cells(
        &self,
        bytes: &[u8],
        group: &GroupHeader,
        column: &ColumnHeader,
    ) -> Result<Vec<Cell>, BlockError> {
        let bytes = bytes.get(column.cells.clone()).ok_or(BlockError::Truncated("column"))?;
        column::take(bytes, group.ticks)
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

/// The header's bytes, and where the columns begin and end.
fn frame(bytes: &[u8]) -> Result<(&[u8], usize, usize), BlockError> {
    if bytes.len() > MAX_BLOCK_BYTES {
        let (size, max) = (bytes.len() as u64, MAX_BLOCK_BYTES as u64);
        return Err(BlockError::TooLarge { what: "bytes", size, max });
    }
    let mut rest = Bytes::new(bytes);
    if rest.take(MAGIC.len(), "mark")? != MAGIC {
        return Err(BlockError::Magic);
    }
    match rest.byte("version")? {
        VERSION => {}
        version => return Err(BlockError::Version(version)),
    }
    let (body, check) =
        bytes.split_last_chunk::<CHECK_BYTES>().ok_or(BlockError::Truncated("checksum"))?;
    if check_of(body) != *check {
        return Err(BlockError::Checksum);
    }
    let length = rest.u32("header")? as usize;
    let header = rest.take(length, "header")?;
    let columns_at = bytes.len() - rest.len();
    if columns_at > body.len() {
        return Err(BlockError::Truncated("header"));
    }
    Ok((header, columns_at, body.len()))
}

fn take_group(
    header: &mut Bytes<'_>,
    start_ms: u64,
    length_ms: u32,
    at: &mut usize,
) -> Result<GroupHeader, BlockError> {
    let offset_ms = header.varint("first tick")?;
    let step_ms = header.count("step", MAX_INTERVAL_MS as usize)?;
    let ticks = header.count("ticks", MAX_TICKS)?;
    let reach = (ticks as u64).saturating_sub(1) * step_ms as u64;
    if step_ms == 0 || ticks == 0 || offset_ms.saturating_add(reach) >= u64::from(length_ms) {
        return Err(BlockError::Invalid("ticks"));
    }
    let count = header.count("columns", header.len() / MIN_COLUMN_BYTES)?;
    let mut columns = Vec::with_capacity(count);
    let mut next = 0;
    for _ in 0..count {
        let column = take_column(header, &mut next, at)?;
        columns.push(column);
    }
    #[expect(clippy::cast_possible_truncation, reason = "held to MAX_INTERVAL_MS above")]
    let step_ms = step_ms as u32;
    Ok(GroupHeader { first_ms: start_ms + offset_ms, step_ms, ticks, columns })
}

fn take_column(
    header: &mut Bytes<'_>,
    next: &mut u64,
    at: &mut usize,
) -> Result<ColumnHeader, BlockError> {
    let number = next.saturating_add(header.varint("series")?);
    let series = u32::try_from(number).map_err(|_| BlockError::Invalid("series"))?;
    *next = number + 1;
    let length = header.count("column's length", MAX_BLOCK_BYTES)?;
    let cells = *at..*at + length;
    *at = cells.end;
    Ok(ColumnHeader { series: SeriesRef(series), stats: stats::take(header)?, cells })
}

pub(super) fn encode(block: &Block) -> Vec<u8> {
    let mut columns = Vec::new();
    let mut header = Vec::new();
    header.extend_from_slice(&block.start_ms.to_le_bytes());
    header.extend_from_slice(&block.length_ms.to_le_bytes());
    put_varint(&mut header, block.groups.len() as u64);
    for group in &block.groups {
        put_varint(&mut header, group.first_ms - block.start_ms);
        put_varint(&mut header, u64::from(group.step_ms));
        put_varint(&mut header, group.ticks as u64);
        put_varint(&mut header, group.columns.len() as u64);
        let mut next = 0;
        for column in &group.columns {
            let begin = columns.len();
            column::put(&mut columns, &column.cells);
            let number = u64::from(column.series.0);
            put_varint(&mut header, number - next);
            next = number + 1;
            put_varint(&mut header, (columns.len() - begin) as u64);
            stats::put(&mut header, Stats::of(&column.cells));
        }
    }
    let mut bytes = Vec::with_capacity(header.len() + columns.len() + 16);
    bytes.extend_from_slice(&MAGIC);
    bytes.push(VERSION);
    #[expect(clippy::cast_possible_truncation, reason = "cells are bounded by MAX_CELLS")]
    let header_bytes = (header.len() as u32).to_le_bytes();
    bytes.extend_from_slice(&header_bytes);
    bytes.extend_from_slice(&header);
    bytes.extend_from_slice(&columns);
    let check = check_of(&bytes);
    bytes.extend_from_slice(&check);
    bytes
}

/// The CRC-32 of `body`, turned by one bit: the CRC-32 of bytes that end in their own plain one
/// is the same for all bytes of that length, so an entry's checksum could tell no two blocks
/// apart (and with its bytes merely swapped, sixteen of its bits would still cancel out).
fn check_of(body: &[u8]) -> [u8; CHECK_BYTES] {
    crc32fast::hash(body).rotate_left(1).to_le_bytes()
}
