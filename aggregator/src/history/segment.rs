//! The segment: hours of one machine's samples in one immutable object.
//!
//! Grouped by series, versioned, checksummed part by part. A question touches the index at the
//! end and the parts of its own series; a question by minutes or hours reads their statistics and
//! decodes no sample. Decoding gives back the very bits that were committed, and allocates
//! nothing that the bounds have not allowed. It is pure: bytes in, samples out.
//!
//! ```text
//! segment = magic "FBSG" · version u8 · samples* · minutes* · hours* · index · trailer
//! samples = runs of values and reasons · values, per series
//! minutes = runs of minutes with a value · count · first · last · min · max · sum, per series
//! index   = device · span · times* · part*
//! times   = runs of evenly spaced ticks, once for all series that share them
//! part    = series · times · length and crc32 of its three sections · statistics
//! trailer = bytes of the index u32 · crc32 of the index u32 · version u8 · magic
//! ```
//!
//! Where samples have outlived their retention the same segment stands without them.

mod cells;
mod index;
mod numbers;
mod rollup;
mod times;
mod values;
mod writer;

#[cfg(test)]
mod tests;

pub use index::{Layout, TRAILER_BYTES};
pub use rollup::{HOUR_MS, MINUTE_MS, Rollup};
pub use writer::{SegmentWriter, Tier};

use crate::fleet::DeviceId;
use crate::telemetry::SeriesId;
use bytes::Bytes;
use flyball_protocol::block::{Cell, Stats};
use flyball_protocol::wire::WireError;
use index::{Entry, HEAD_BYTES, Index, MAGIC, Section};
use numbers::Extent;
use std::ops::Range;
use std::sync::Arc;
use times::Times;

/// The version that this build writes, and the only one so far.
pub const VERSION: u8 = 1;
/// The largest segment.
pub const MAX_SEGMENT_BYTES: usize = 256 * 1024 * 1024;
/// The most series of one segment.
pub const MAX_PARTS: usize = 128 * 1024;
/// The most samples of one part: twelve days at one a second.
pub const MAX_SAMPLES: usize = 1024 * 1024;
/// The most minutes or hours of one part.
pub const MAX_ROLLUPS: usize = 64 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    #[error("the bytes are no segment: they do not bear its mark")]
    Magic,
    #[error("the segment is of version {0}, this build reads {VERSION}")]
    Version(u8),
    #[error("the segment ends in the middle of its {0}")]
    Truncated(&'static str),
    #[error("the checksum of the segment's {0} does not match")]
    Checksum(&'static str),
    #[error("the segment has {size} {what}, at most {max} are allowed")]
    TooLarge { what: &'static str, size: u64, max: u64 },
    #[error("the segment's {0} is out of its range")]
    Invalid(&'static str),
    #[error("these bytes of the segment have not been fetched")]
    NotFetched,
    #[error("compressing or decompressing numbers")]
    Pco(#[from] pco::errors::PcoError),
}

impl From<WireError> for SegmentError {
    fn from(error: WireError) -> Self {
        match error {
            WireError::Truncated(what) => Self::Truncated(what),
            WireError::Invalid(what) => Self::Invalid(what),
            WireError::TooLarge { what, size, max } => Self::TooLarge { what, size, max },
        }
    }
}

/// What a segment has of one series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    pub series: SeriesId,
    /// The first and the last tick with a sample or a reason.
    pub first_ms: u64,
    pub last_ms: u64,
    /// `None` where no value is finite.
    pub stats: Option<Stats>,
    /// Ticks with a sample or a reason; 0 where they have outlived their retention.
    pub samples: usize,
    /// False where the minutes have, too.
    pub has_minutes: bool,
    place: usize,
}

/// A segment whose index is read and checked; parts are checked when they are asked for.
#[derive(Clone, Debug)]
pub struct Segment {
    index: Arc<Index>,
    /// Fetched bytes by where they lie, ascending.
    pieces: Vec<(usize, Bytes)>,
}

impl Segment {
    /// # Errors
    /// Where the bytes are no whole segment or its index is damaged.
    pub fn open(bytes: impl Into<Bytes>) -> Result<Self, SegmentError> {
        let bytes = bytes.into();
        let head = bytes.get(..HEAD_BYTES).ok_or(SegmentError::Truncated("head"))?;
        if head[..MAGIC.len()] != MAGIC {
            return Err(SegmentError::Magic);
        }
        if head[MAGIC.len()] != VERSION {
            return Err(SegmentError::Version(head[MAGIC.len()]));
        }
        let index = Arc::new(Index::read(&bytes, bytes.len())?);
        Ok(Self { index, pieces: vec![(0, bytes)] })
    }

    /// A segment of `whole` bytes of which only the last are here; they hold the index.
    ///
    /// # Errors
    /// Where the index is not in them or is damaged.
    pub fn open_tail(tail: impl Into<Bytes>, whole: usize) -> Result<Self, SegmentError> {
        let tail = tail.into();
        let index = Arc::new(Index::read(&tail, whole)?);
        Ok(Self { index, pieces: vec![(whole - tail.len(), tail)] })
    }

    /// The same segment with more of its bytes, which lie at `at`.
    #[must_use]
    pub fn with_piece(mut self, at: usize, bytes: impl Into<Bytes>) -> Self {
        let place = self.pieces.partition_point(|(other, _)| *other < at);
        self.pieces.insert(place, (at, bytes.into()));
        self
    }

    /// About what it takes in memory.
    #[must_use]
    pub fn resident_bytes(&self) -> usize {
        let pieces: usize = self.pieces.iter().map(|(_, bytes)| bytes.len()).sum();
        pieces + self.index.entries.len() * size_of::<Entry>() + size_of::<Self>()
    }

    #[must_use]
    pub fn device(&self) -> DeviceId {
        self.index.device
    }

    /// What it covers: from, inclusive, to, exclusive.
    #[must_use]
    pub fn span_ms(&self) -> Range<u64> {
        self.index.from_ms..self.index.to_ms
    }

    #[must_use]
    pub fn layout(&self) -> Layout {
        self.index.layout
    }

    /// What it has of one series.
    #[must_use]
    pub fn part(&self, series: SeriesId) -> Option<Part> {
        let entries = &self.index.entries;
        let place = entries.binary_search_by_key(&series, |entry| entry.series).ok()?;
        Some(self.index.part(place, &entries[place]))
    }

    /// Everything it has, by series.
    pub fn parts(&self) -> impl Iterator<Item = Part> + '_ {
        let entries = self.index.entries.iter().enumerate();
        entries.map(|(place, entry)| self.index.part(place, entry))
    }

    /// Where a part's samples, minutes or hours lie in the segment.
    #[must_use]
    pub fn range(&self, part: &Part, tier: Tier) -> Range<usize> {
        self.index.entries.get(part.place).map_or(0..0, |entry| match tier {
            Tier::Samples => entry.samples.at.clone(),
            Tier::Minutes => entry.minutes.at.clone(),
            Tier::Hours => entry.hours.at.clone(),
        })
    }

    /// Its samples and reasons by time; none of them is absent.
    ///
    /// # Errors
    /// Where the part's bytes are damaged or not here.
    pub fn samples(&self, part: &Part) -> Result<Vec<(u64, Cell)>, SegmentError> {
        self.samples_before(part, u64::MAX)
    }

    /// The same up to `before_ms`, exclusive: what comes after it is not decoded.
    ///
    /// # Errors
    /// Where the part's bytes are damaged or not here.
    pub fn samples_before(
        &self,
        part: &Part,
        before_ms: u64,
    ) -> Result<Vec<(u64, Cell)>, SegmentError> {
        let entry = self.entry(part)?;
        let Some(times) = entry.times.and_then(|times| self.index.times.get(times)) else {
            return Ok(Vec::new());
        };
        let extent = Extent { whole: times.count(), wanted: times.count_before(before_ms) };
        let cells = cells::take(self.section(&entry.samples)?, extent)?;
        Ok(times.ticks().zip(cells).collect())
    }

    /// Its statistics by aligned minutes that have a finite value, by time.
    ///
    /// # Errors
    /// Where the part's bytes are damaged or not here.
    pub fn minutes(&self, part: &Part) -> Result<Vec<Rollup>, SegmentError> {
        let section = &self.entry(part)?.minutes;
        if section.at.is_empty() {
            Ok(Vec::new())
        } else {
            rollup::take(self.section(section)?, MINUTE_MS)
        }
    }

    /// The same by aligned hours.
    ///
    /// # Errors
    /// Where the part's bytes are damaged or not here.
    pub fn hours(&self, part: &Part) -> Result<Vec<Rollup>, SegmentError> {
        let section = &self.entry(part)?.hours;
        if section.at.is_empty() {
            Ok(Vec::new())
        } else {
            rollup::take(self.section(section)?, HOUR_MS)
        }
    }

    /// What has to be fetched before a part can be read at a tier; `None` where nothing has.
    #[must_use]
    pub fn missing(&self, part: &Part, tier: Tier) -> Option<Range<usize>> {
        let range = self.range(part, tier);
        (!range.is_empty() && self.piece(&range).is_none()).then_some(range)
    }

    fn entry(&self, part: &Part) -> Result<&Entry, SegmentError> {
        let entry = self.index.entries.get(part.place);
        entry.filter(|entry| entry.series == part.series).ok_or(SegmentError::Invalid("part"))
    }

    fn section(&self, section: &Section) -> Result<&[u8], SegmentError> {
        if section.at.is_empty() {
            return Ok(&[]);
        }
        let bytes = self.piece(&section.at).ok_or(SegmentError::NotFetched)?;
        if crc32fast::hash(bytes) == section.check {
            Ok(bytes)
        } else {
            Err(SegmentError::Checksum("part"))
        }
    }

    fn piece(&self, range: &Range<usize>) -> Option<&[u8]> {
        self.pieces.iter().find_map(|(at, bytes)| {
            let start = range.start.checked_sub(*at)?;
            bytes.get(start..start + range.len())
        })
    }
}

impl Index {
    fn part(&self, place: usize, entry: &Entry) -> Part {
        Part {
            series: entry.series,
            first_ms: entry.first_ms,
            last_ms: entry.last_ms,
            stats: entry.stats,
            samples: entry.times.and_then(|at| self.times.get(at)).map_or(0, Times::count),
            has_minutes: !entry.minutes.at.is_empty(),
            place,
        }
    }
}
