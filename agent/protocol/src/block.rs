//! The block: one agent, one interval, all series that had samples.
//!
//! Immutable, versioned, checksummed, and self-describing but for the dictionary of series.
//! Timestamps stand once per group of series that share their ticks. Each series has statistics:
//! a long column carries them in front, so that coarse questions need not decode it; a short one
//! is decoded for them in a fraction of a microsecond, and carrying them would make it far larger.
//! Decoding gives back the very bits that were read, and allocates nothing that the header's
//! bounds have not allowed.
//!
//! ```text
//! block   = magic "FBLK" · version u8 · start_ms · length_ms · groups · group* · strip* · crc32 u32 turned left by 1
//! group   = first_ms - start_ms · step_ms · ticks · columns · run* · bytes of a strip *
//! run     = series (difference to the one behind the run before) · consecutive series - 1
//! strip   = column* · zeros up to a whole byte
//! column  = presence · values
//! ```
//!
//! The fixed integer is little-endian, others outside of strips are LEB128; a strip is bits. New
//! forms get new numbers; a change of the layout is a new version.

mod bits;
mod builder;
mod column;
mod header;
mod outline;
mod stats;

pub use builder::BlockBuilder;
pub use header::{ColumnHeader, GroupHeader, Header};
pub use outline::Outline;
pub use stats::Stats;

use crate::entry::MAX_ENTRY_BYTES;
use crate::series::{MAX_SERIES, SeriesRef};
use crate::wire::WireError;
use column::Scratch;
use flyball_units::NoData;

/// The version that this build writes, and the only one so far.
pub const VERSION: u8 = 1;

/// The largest block: what an entry and the spool's own header leave of their bound.
pub const MAX_BLOCK_BYTES: usize = MAX_ENTRY_BYTES - 64;

/// The longest interval.
pub const MAX_INTERVAL_MS: u32 = 3_600_000;

/// The most ticks that a group may have.
pub const MAX_TICKS: usize = 3_600;

/// The most cells that a block may have: what a decoder may be made to allocate.
pub const MAX_CELLS: usize = 256 * 1024;

/// The most columns that a block may have: an epoch has no more series.
pub const MAX_COLUMNS: usize = MAX_SERIES;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    #[error("the bytes are no block: they do not begin with its mark")]
    Magic,
    #[error("the block is of version {0}, this build reads {VERSION}")]
    Version(u8),
    #[error("the block ends in the middle of {0}")]
    Truncated(&'static str),
    #[error("the block's checksum does not match")]
    Checksum,
    #[error("the block has {size} {what}, at most {max} are allowed")]
    TooLarge { what: &'static str, size: u64, max: u64 },
    #[error("the block's {0} is out of its range")]
    Invalid(&'static str),
    #[error("a column of the block says other statistics than its values have")]
    Statistics,
    #[error("a tick at {tick_ms} ms is outside the interval of {length_ms} ms from {start_ms} ms")]
    OutsideInterval { tick_ms: u64, start_ms: u64, length_ms: u32 },
}

impl From<WireError> for BlockError {
    fn from(error: WireError) -> Self {
        match error {
            WireError::Truncated(what) => Self::Truncated(what),
            WireError::Invalid(what) => Self::Invalid(what),
            WireError::TooLarge { what, size, max } => Self::TooLarge { what, size, max },
        }
    }
}

/// What one series has at one tick.
#[derive(Clone, Copy, Debug)]
pub enum Cell {
    /// The series is not sampled at this tick, or a gap entry says why it was not.
    Absent,
    /// It was read and there was nothing to have.
    NoData(NoData),
    Value(f64),
}

impl PartialEq for Cell {
    /// By bits: a NaN equals the same NaN, and 0.0 does not equal -0.0.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Absent, Self::Absent) => true,
            (Self::NoData(a), Self::NoData(b)) => a == b,
            (Self::Value(a), Self::Value(b)) => a.to_bits() == b.to_bits(),
            (Self::Absent | Self::NoData(_) | Self::Value(_), _) => false,
        }
    }
}

impl From<Result<f64, NoData>> for Cell {
    fn from(reading: Result<f64, NoData>) -> Self {
        reading.map_or_else(Self::NoData, Self::Value)
    }
}

/// One series' cells over the ticks of its group.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub series: SeriesRef,
    pub cells: Vec<Cell>,
}

/// Series that share their ticks: `first_ms`, then every `step_ms`.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    pub first_ms: u64,
    pub step_ms: u32,
    /// As many as every column has cells.
    pub ticks: usize,
    /// Sorted by series.
    pub columns: Vec<Column>,
}

impl Group {
    /// The Unix milliseconds of every tick.
    pub fn ticks_ms(&self) -> impl Iterator<Item = u64> + use<> {
        let (first_ms, step_ms) = (self.first_ms, u64::from(self.step_ms));
        (0..self.ticks as u64).map(move |index| first_ms + index * step_ms)
    }
}

/// The ticks that a group's columns share: `first_ms`, then every `step_ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticks {
    pub first_ms: u64,
    pub step_ms: u32,
    pub count: usize,
}

impl Ticks {
    /// The Unix milliseconds of the tick at `index`.
    #[must_use]
    pub const fn at_ms(&self, index: usize) -> u64 {
        self.first_ms + self.step_ms as u64 * index as u64
    }
}

/// A block, decoded. [`BlockBuilder`] makes one from samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Unix milliseconds of the interval's begin.
    pub start_ms: u64,
    pub length_ms: u32,
    pub groups: Vec<Group>,
}

impl Block {
    /// The bytes of a block as [`BlockBuilder`] makes them: columns sorted, ticks in the interval.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        outline::encode(self)
    }

    /// As many blocks as it takes for none to be larger than `max_bytes`, split between series.
    /// Only a block of one series can come out larger.
    #[must_use]
    pub fn encode_within(self, max_bytes: usize) -> Vec<Vec<u8>> {
        let bytes = self.encode();
        let columns: usize = self.groups.iter().map(|group| group.columns.len()).sum();
        if bytes.len() <= max_bytes || columns < 2 {
            return vec![bytes];
        }
        let (front, back) = self.split_at(columns / 2);
        let mut blocks = front.encode_within(max_bytes);
        blocks.extend(back.encode_within(max_bytes));
        blocks
    }

    /// Decodes every column, and with it verifies the block: no bit is left unread, and the
    /// statistics that columns say of themselves are those of their values.
    ///
    /// # Errors
    /// Where the bytes are no whole, undamaged block within the bounds.
    pub fn decode(bytes: &[u8]) -> Result<Self, BlockError> {
        let outline = Outline::read(bytes)?;
        let mut scratch = Scratch::default();
        let mut cells = Vec::new();
        let mut groups = Vec::with_capacity(outline.groups.len());
        for group in &outline.groups {
            let mut columns = Vec::with_capacity(group.columns());
            group.decode(bytes, &mut scratch, &mut cells, |series, cells| {
                columns.push(Column { series, cells: cells.to_vec() });
            })?;
            let Ticks { first_ms, step_ms, count } = group.ticks();
            groups.push(Group { first_ms, step_ms, ticks: count, columns });
        }
        Ok(Self { start_ms: outline.start_ms, length_ms: outline.length_ms, groups })
    }

    /// The first `columns` columns and the others.
    fn split_at(mut self, columns: usize) -> (Self, Self) {
        let mut back = Self { groups: Vec::new(), ..self };
        let mut room = columns;
        let mut front = Vec::new();
        for mut group in self.groups.drain(..) {
            let tail = group.columns.split_off(room.min(group.columns.len()));
            room -= group.columns.len();
            if !tail.is_empty() {
                back.groups.push(Group { columns: tail, ..group });
            }
            if !group.columns.is_empty() {
                front.push(group);
            }
        }
        (Self { groups: front, ..self }, back)
    }
}
