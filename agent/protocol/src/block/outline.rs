//! What stands in front of the columns: the interval, and per group its ticks, its series and
//! where its strips end.
//!
//! Columns stand in strips of about [`STRIP_CELLS`] cells: what has no length of its own costs
//! none, and one series of many is reached past the few others of its strip.

use super::bits::BitWriter;
use super::column::{self, MIN_BITS, Recent, Scratch, Strip};
use super::{
    Block, BlockError, Cell, Group, MAX_BLOCK_BYTES, MAX_CELLS, MAX_COLUMNS, MAX_INTERVAL_MS,
    MAX_TICKS, Ticks, VERSION,
};
use crate::series::SeriesRef;
use crate::wire::{Bytes, put_varint};

const MAGIC: [u8; 4] = *b"FBLK";
const CHECK_BYTES: usize = 4;
/// A group takes at least its four numbers, a run of series and a strip's length.
const MIN_GROUP_BYTES: usize = 7;

/// Fewer, and the forms that a strip has to name anew would cost more than they save.
const STRIP_CELLS: usize = 240;

/// A block of which no column has been looked at. Its checksum is verified.
#[derive(Clone, Debug)]
pub struct Outline {
    pub start_ms: u64,
    pub length_ms: u32,
    pub(super) groups: Vec<GroupOutline>,
}

#[derive(Clone, Debug)]
pub(super) struct GroupOutline {
    pub(super) first_ms: u64,
    pub(super) step_ms: u32,
    pub(super) ticks: usize,
    columns: usize,
    runs: Vec<Run>,
    /// Where each strip ends, and before them where the first begins.
    bounds: Vec<usize>,
}

/// Series with consecutive numbers.
#[derive(Clone, Copy, Debug)]
struct Run {
    first: u32,
    count: usize,
    /// Columns before it.
    before: usize,
}

/// So many columns stand in one strip.
fn strip_columns(ticks: usize) -> usize {
    (STRIP_CELLS / ticks.max(1)).max(1)
}

impl Outline {
    /// # Errors
    /// Where the bytes are no whole, undamaged block within the bounds.
    pub fn read(bytes: &[u8]) -> Result<Self, BlockError> {
        let body = body_of(bytes)?;
        let mut header = Bytes::new(&body[MAGIC.len() + 1..]);
        let start_ms = header.varint("interval")?;
        let length_ms = header.count("milliseconds", MAX_INTERVAL_MS as usize)? as u32;
        if length_ms == 0 || start_ms > u64::MAX / 2 {
            return Err(BlockError::Invalid("interval"));
        }
        let count = header.count("groups", header.len() / MIN_GROUP_BYTES)?;
        let mut groups = Vec::with_capacity(count);
        let (mut cells, mut columns) = (0, 0);
        for _ in 0..count {
            let group = take_group(&mut header, start_ms, length_ms)?;
            columns += group.columns;
            cells += group.ticks * group.columns;
            hold("columns", columns, MAX_COLUMNS)?;
            hold("cells", cells, MAX_CELLS)?;
            groups.push(group);
        }
        let mut at = body.len() - header.len();
        for group in &mut groups {
            group.place(&mut at);
        }
        if at != body.len() {
            return Err(BlockError::Invalid("columns' length"));
        }
        Ok(Self { start_ms, length_ms, groups })
    }

    /// The first and the last tick that any group has.
    #[must_use]
    pub fn span_ms(&self) -> Option<(u64, u64)> {
        let first = self.groups.iter().map(|group| group.first_ms).min()?;
        let last = self.groups.iter().map(GroupOutline::last_ms).max()?;
        Some((first, last))
    }

    /// Decodes as [`Block::decode`] does and hands every column to `each` instead of keeping it.
    /// `bytes` are those that this outline was read from. What was handed over before an error
    /// is worth nothing.
    ///
    /// # Errors
    /// Where a column is not written as this version writes columns, or says other statistics
    /// than its values have.
    pub fn for_each_column(
        &self,
        bytes: &[u8],
        mut each: impl FnMut(Ticks, SeriesRef, &[Cell]),
    ) -> Result<(), BlockError> {
        let (mut scratch, mut cells) = (Scratch::default(), Vec::new());
        for group in &self.groups {
            let ticks = group.ticks();
            group.decode(bytes, &mut scratch, &mut cells, |series, cells| {
                each(ticks, series, cells);
            })?;
        }
        Ok(())
    }

    /// Every series that has a column.
    pub fn series(&self) -> impl Iterator<Item = SeriesRef> + '_ {
        self.groups.iter().flat_map(GroupOutline::series)
    }
}

impl GroupOutline {
    const fn last_ms(&self) -> u64 {
        self.first_ms + self.step_ms as u64 * (self.ticks as u64 - 1)
    }

    pub(super) fn series(&self) -> impl Iterator<Item = SeriesRef> + '_ {
        let numbers = |run: &Run| (run.first..).take(run.count);
        self.runs.iter().flat_map(numbers).map(SeriesRef)
    }

    pub(super) const fn columns(&self) -> usize {
        self.columns
    }

    /// Which column, from 0, is that of `series`?
    pub(super) fn find(&self, SeriesRef(series): SeriesRef) -> Option<usize> {
        let behind = self.runs.partition_point(|run| run.first <= series);
        let run = self.runs.get(behind.checked_sub(1)?)?;
        let index = (series - run.first) as usize;
        (index < run.count).then_some(run.before + index)
    }

    pub(super) const fn ticks(&self) -> Ticks {
        Ticks { first_ms: self.first_ms, step_ms: self.step_ms, count: self.ticks }
    }

    /// Decodes every column in the room of `cells`, and leaves no bit unread.
    pub(super) fn decode(
        &self,
        block: &[u8],
        scratch: &mut Scratch,
        cells: &mut Vec<Cell>,
        mut each: impl FnMut(SeriesRef, &[Cell]),
    ) -> Result<(), BlockError> {
        let mut series = self.series();
        for strip in self.strips(block) {
            let (_, mut strip) = strip?;
            while strip.left() > 0
                && let Some(series) = series.next()
            {
                strip.take_cells(scratch, cells)?;
                each(series, cells);
            }
            strip.end()?;
        }
        Ok(())
    }

    /// The strips in their order, each with its first column.
    pub(super) fn strips<'a>(
        &self,
        block: &'a [u8],
    ) -> impl Iterator<Item = Result<(usize, Strip<'a>), BlockError>> {
        let width = strip_columns(self.ticks);
        (0..self.columns).step_by(width).map(move |first| Ok((first, self.strip(block, first)?)))
    }

    /// The strip that holds a column, and which column it begins with.
    pub(super) fn strip_of<'a>(
        &self,
        block: &'a [u8],
        column: usize,
    ) -> Result<(usize, Strip<'a>), BlockError> {
        let first = column - column % strip_columns(self.ticks);
        Ok((first, self.strip(block, first)?))
    }

    fn strip<'a>(&self, block: &'a [u8], first: usize) -> Result<Strip<'a>, BlockError> {
        let width = strip_columns(self.ticks);
        let bounds = self.bounds.get(first / width..).and_then(|bounds| bounds.first_chunk::<2>());
        let &[from, to] = bounds.ok_or(BlockError::Truncated("strip"))?;
        Strip::new(block, (from, to), self.ticks, width.min(self.columns - first))
    }

    /// Turns lengths into bounds.
    fn place(&mut self, at: &mut usize) {
        for bound in &mut self.bounds {
            *at += *bound;
            *bound = *at;
        }
    }
}

/// All but the checksum, which is right.
fn body_of(bytes: &[u8]) -> Result<&[u8], BlockError> {
    hold("bytes", bytes.len(), MAX_BLOCK_BYTES)?;
    let mut rest = Bytes::new(bytes);
    if rest.take(MAGIC.len(), "mark")? != MAGIC {
        return Err(BlockError::Magic);
    }
    match rest.byte("version")? {
        VERSION => {}
        version => return Err(BlockError::Version(version)),
    }
    let (body, check) = bytes
        .split_last_chunk::<CHECK_BYTES>()
        .filter(|(body, _)| body.len() > MAGIC.len())
        .ok_or(BlockError::Truncated("checksum"))?;
    if check_of(body) == *check { Ok(body) } else { Err(BlockError::Checksum) }
}

fn hold(what: &'static str, size: usize, max: usize) -> Result<(), BlockError> {
    if size <= max {
        return Ok(());
    }
    Err(BlockError::TooLarge { what, size: size as u64, max: max as u64 })
}

fn take_group(
    header: &mut Bytes<'_>,
    start_ms: u64,
    length_ms: u32,
) -> Result<GroupOutline, BlockError> {
    let offset_ms = header.varint("first tick")?;
    let step_ms = header.count("step", MAX_INTERVAL_MS as usize)?;
    let ticks = header.count("ticks", MAX_TICKS)?;
    let reach = (ticks as u64).saturating_sub(1) * step_ms as u64;
    if step_ms == 0 || ticks == 0 || offset_ms.saturating_add(reach) >= u64::from(length_ms) {
        return Err(BlockError::Invalid("ticks"));
    }
    let columns = header.count("columns", MAX_COLUMNS)?;
    if columns == 0 {
        return Err(BlockError::Invalid("columns"));
    }
    let runs = take_runs(header, columns)?;
    let width = strip_columns(ticks);
    let strips = columns.div_ceil(width);
    hold("strips", strips, header.len())?;
    let mut bounds = Vec::with_capacity(strips + 1);
    bounds.push(0);
    for first in (0..columns).step_by(width) {
        let bytes = header.count("strip", MAX_BLOCK_BYTES)?;
        if bytes * 8 < width.min(columns - first) * MIN_BITS {
            return Err(BlockError::Invalid("strip's length"));
        }
        bounds.push(bytes);
    }
    let first_ms = start_ms + offset_ms;
    Ok(GroupOutline { first_ms, step_ms: step_ms as u32, ticks, columns, runs, bounds })
}

fn take_runs(header: &mut Bytes<'_>, columns: usize) -> Result<Vec<Run>, BlockError> {
    let mut runs = Vec::new();
    let (mut before, mut next) = (0, 0_u64);
    while before < columns {
        let first = next.saturating_add(header.varint("series")?);
        let count = header.count("series", columns - before - 1)? + 1;
        next = first.saturating_add(count as u64);
        if next > 1 << 32 {
            return Err(BlockError::Invalid("series"));
        }
        runs.push(Run { first: first as u32, count, before });
        before += count;
    }
    Ok(runs)
}

pub(super) fn encode(block: &Block) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1024);
    bytes.extend_from_slice(&MAGIC);
    bytes.push(VERSION);
    put_varint(&mut bytes, block.start_ms);
    put_varint(&mut bytes, u64::from(block.length_ms));
    put_varint(&mut bytes, block.groups.len() as u64);
    let mut columns = BitWriter::default();
    let mut scratch = Scratch::default();
    for group in &block.groups {
        put_varint(&mut bytes, group.first_ms - block.start_ms);
        put_varint(&mut bytes, u64::from(group.step_ms));
        put_varint(&mut bytes, group.ticks as u64);
        put_varint(&mut bytes, group.columns.len() as u64);
        put_runs(&mut bytes, group);
        for strip in group.columns.chunks(strip_columns(group.ticks)) {
            let begin = columns.align();
            let mut recent = Recent::default();
            for column in strip {
                column::put(&mut columns, &mut recent, &column.cells, &mut scratch);
            }
            put_varint(&mut bytes, (columns.align() - begin) as u64);
        }
    }
    bytes.extend_from_slice(columns.bytes());
    let check = check_of(&bytes);
    bytes.extend_from_slice(&check);
    bytes
}

fn put_runs(bytes: &mut Vec<u8>, group: &Group) {
    let mut next = 0;
    for run in group.columns.chunk_by(|a, b| a.series.0.checked_add(1) == Some(b.series.0)) {
        let first = u64::from(run[0].series.0);
        put_varint(bytes, first - next);
        put_varint(bytes, run.len() as u64 - 1);
        next = first + run.len() as u64;
    }
}

/// The CRC-32 of `body`, turned by one bit: the CRC-32 of bytes that end in their own plain one
/// is the same for all bytes of that length, so an entry's checksum could tell no two blocks
/// apart (and with its bytes merely swapped, sixteen of its bits would still cancel out).
fn check_of(body: &[u8]) -> [u8; CHECK_BYTES] {
    crc32fast::hash(body).rotate_left(1).to_le_bytes()
}
