//! The footer: which series a segment has, where their bytes lie, and what they come to.

use super::times::Times;
use super::{MAX_PARTS, MAX_SEGMENT_BYTES, SegmentError, VERSION};
use crate::fleet::DeviceId;
use crate::telemetry::SeriesId;
use flyball_protocol::block::Stats;
use flyball_protocol::wire::{Bytes, put_f64, put_varint};
use std::ops::Range;
use uuid::Uuid;

pub(super) const MAGIC: [u8; 4] = *b"FBSG";
/// The mark and the version at the begin.
pub(super) const HEAD_BYTES: usize = 5;
/// Length and checksum of the index, version, mark.
pub const TRAILER_BYTES: usize = 13;
/// A part takes at least its series, three lengths, its times and a form.
const MIN_PART_BYTES: usize = 7;

/// Where a section of a part lies, and the checksum of its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) at: Range<usize>,
    pub(super) check: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) series: SeriesId,
    pub(super) first_ms: u64,
    pub(super) last_ms: u64,
    pub(super) stats: Option<Stats>,
    /// Which times its samples have; none where they are gone.
    pub(super) times: Option<usize>,
    pub(super) samples: Section,
    pub(super) minutes: Section,
    pub(super) hours: Section,
}

/// Where the sections of a segment begin, as its row remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    pub minutes_at: usize,
    pub hours_at: usize,
    pub index_at: usize,
    pub bytes: usize,
    /// The checksum of the index, which holds those of everything else.
    pub check: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Index {
    pub(super) device: DeviceId,
    pub(super) from_ms: u64,
    pub(super) to_ms: u64,
    pub(super) times: Vec<Times>,
    /// Sorted by series.
    pub(super) entries: Vec<Entry>,
    pub(super) layout: Layout,
}

/// One part as the writer knows it: the lengths of its sections with their checksums.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) series: SeriesId,
    pub(super) first_ms: u64,
    pub(super) last_ms: u64,
    pub(super) stats: Option<Stats>,
    pub(super) times: Option<usize>,
    pub(super) sections: [(usize, u32); 3],
}

impl Index {
    /// The bytes of index and trailer, and the index's checksum.
    pub(super) fn encode(
        device: DeviceId,
        span: &Range<u64>,
        times: &[Vec<u8>],
        parts: &[Written],
    ) -> Result<(Vec<u8>, u32), SegmentError> {
        let mut out = Vec::new();
        out.extend_from_slice(device.0.as_bytes());
        put_varint(&mut out, span.start);
        put_varint(&mut out, span.end);
        put_varint(&mut out, times.len() as u64);
        for times in times {
            out.extend_from_slice(times);
        }
        put_varint(&mut out, parts.len() as u64);
        let mut next = 0;
        for part in parts {
            let number = part.series.0.cast_unsigned();
            put_varint(&mut out, number - next);
            next = number + 1;
            put_part(&mut out, part);
        }
        let length = u32::try_from(out.len()).map_err(|_| SegmentError::Invalid("index"))?;
        let check = crc32fast::hash(&out);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&check.to_le_bytes());
        out.push(VERSION);
        out.extend_from_slice(&MAGIC);
        Ok((out, check))
    }

    /// Reads the index out of the last bytes of a segment of `whole` bytes.
    pub(super) fn read(tail: &[u8], whole: usize) -> Result<Self, SegmentError> {
        let index_at = begin(tail, whole)?;
        let skipped = whole - tail.len();
        let at = index_at.checked_sub(skipped).ok_or(SegmentError::Truncated("index"))?;
        let (bytes, trailer) = tail[at..].split_at(whole - index_at - TRAILER_BYTES);
        let check = Bytes::new(&trailer[4..]).u32("checksum")?;
        if crc32fast::hash(bytes) != check {
            return Err(SegmentError::Checksum("index"));
        }
        let mut bytes = Bytes::new(bytes);
        let device = DeviceId(Uuid::from_bytes(bytes.array("device")?));
        let (from_ms, to_ms) = (bytes.varint("span")?, bytes.varint("span")?);
        if from_ms >= to_ms || to_ms > u64::MAX / 2 {
            return Err(SegmentError::Invalid("span"));
        }
        let times = take_all(&mut bytes, Times::take)?;
        let mut next = 0;
        let mut entries = take_all(&mut bytes, |bytes| take_part(bytes, &mut next, &times))?;
        bytes.end("index's end")?;
        let layout = place(&mut entries, index_at, whole, check)?;
        Ok(Self { device, from_ms, to_ms, times, entries, layout })
    }
}

/// Where the index begins in a segment of `whole` bytes, which ends in `tail`.
pub(super) fn begin(tail: &[u8], whole: usize) -> Result<usize, SegmentError> {
    if whole > MAX_SEGMENT_BYTES {
        let (size, max) = (whole as u64, MAX_SEGMENT_BYTES as u64);
        return Err(SegmentError::TooLarge { what: "bytes", size, max });
    }
    let trailer = tail.last_chunk::<TRAILER_BYTES>().ok_or(SegmentError::Truncated("trailer"))?;
    let mut trailer = Bytes::new(trailer);
    let length = trailer.u32("index")? as usize;
    trailer.u32("checksum")?;
    let version = trailer.byte("version")?;
    if trailer.array("mark")? != MAGIC {
        return Err(SegmentError::Magic);
    }
    if version != VERSION {
        return Err(SegmentError::Version(version));
    }
    if tail.len() > whole {
        return Err(SegmentError::Invalid("length"));
    }
    (whole - TRAILER_BYTES)
        .checked_sub(length)
        .filter(|&at| at >= HEAD_BYTES)
        .ok_or(SegmentError::Truncated("index"))
}

fn take_all<T>(
    bytes: &mut Bytes<'_>,
    mut take: impl FnMut(&mut Bytes<'_>) -> Result<T, SegmentError>,
) -> Result<Vec<T>, SegmentError> {
    let count = bytes.count("parts", MAX_PARTS.min(bytes.len() / MIN_PART_BYTES + 1))?;
    let mut all = Vec::new();
    for _ in 0..count {
        all.push(take(bytes)?);
    }
    Ok(all)
}

fn put_part(out: &mut Vec<u8>, part: &Written) {
    match part.times {
        Some(times) => put_varint(out, times as u64 + 1),
        None => {
            put_varint(out, 0);
            put_varint(out, part.first_ms);
            put_varint(out, part.last_ms - part.first_ms);
        }
    }
    for (length, check) in part.sections {
        put_varint(out, length as u64);
        if length > 0 {
            out.extend_from_slice(&check.to_le_bytes());
        }
    }
    put_varint(out, part.stats.map_or(0, |stats| u64::from(stats.count)));
    if let Some(stats) = part.stats {
        for value in [stats.min, stats.max, stats.sum, stats.first, stats.last] {
            put_f64(out, value);
        }
    }
}

/// A part whose sections are lengths yet: their ranges begin at nothing.
fn take_part(
    bytes: &mut Bytes<'_>,
    next: &mut u64,
    times: &[Times],
) -> Result<Entry, SegmentError> {
    const WHAT: &str = "part";
    let number = next.saturating_add(bytes.varint(WHAT)?);
    let series = i64::try_from(number).map_err(|_| SegmentError::Invalid("series"))?;
    *next = number + 1;
    let place = bytes.count("times", times.len())?.checked_sub(1);
    let (first_ms, last_ms) = match place.map(|place| &times[place]) {
        Some(times) => (times.first_ms(), times.last_ms()),
        None => {
            let first_ms = bytes.varint(WHAT)?;
            let last_ms = first_ms.checked_add(bytes.varint(WHAT)?);
            (first_ms, last_ms.ok_or(SegmentError::Invalid(WHAT))?)
        }
    };
    let samples = take_section(bytes)?;
    let minutes = take_section(bytes)?;
    let hours = take_section(bytes)?;
    let stats = take_stats(bytes)?;
    let series = SeriesId(series);
    Ok(Entry { series, first_ms, last_ms, stats, times: place, samples, minutes, hours })
}

fn take_section(bytes: &mut Bytes<'_>) -> Result<Section, SegmentError> {
    let length = bytes.count("section", MAX_SEGMENT_BYTES)?;
    let check = if length > 0 { bytes.u32("checksum")? } else { 0 };
    Ok(Section { at: 0..length, check })
}

fn take_stats(bytes: &mut Bytes<'_>) -> Result<Option<Stats>, SegmentError> {
    const WHAT: &str = "statistics";
    let count = bytes.varint(WHAT)?;
    let count = u32::try_from(count).map_err(|_| SegmentError::Invalid(WHAT))?;
    if count == 0 {
        return Ok(None);
    }
    Ok(Some(Stats {
        count,
        min: bytes.f64(WHAT)?,
        max: bytes.f64(WHAT)?,
        sum: bytes.f64(WHAT)?,
        first: bytes.f64(WHAT)?,
        last: bytes.f64(WHAT)?,
    }))
}

/// Gives every section its place: first all samples, then all minutes, then all hours.
fn place(
    entries: &mut [Entry],
    index_at: usize,
    whole: usize,
    check: u32,
) -> Result<Layout, SegmentError> {
    let mut at = HEAD_BYTES;
    let mut begins = [0; 3];
    let sections: [fn(&mut Entry) -> &mut Section; 3] =
        [|it| &mut it.samples, |it| &mut it.minutes, |it| &mut it.hours];
    for (section, begin) in sections.into_iter().zip(&mut begins) {
        *begin = at;
        for entry in entries.iter_mut() {
            let range = &mut section(entry).at;
            *range = at..at + range.len();
            at = range.end;
            if at > index_at {
                return Err(SegmentError::Truncated("sections"));
            }
        }
    }
    if at != index_at {
        return Err(SegmentError::Invalid("sections' length"));
    }
    let [_, minutes_at, hours_at] = begins;
    Ok(Layout { minutes_at, hours_at, index_at, bytes: whole, check })
}
