//! Samples in, one series after the other; the bytes of a segment out.

use super::index::{HEAD_BYTES, Index, Layout, MAGIC, Written};
use super::rollup::{self, HOUR_MS, MINUTE_MS};
use super::times::Times;
use super::values::Decimals;
use super::{MAX_PARTS, MAX_SAMPLES, MAX_SEGMENT_BYTES, Part, Segment};
use super::{SegmentError, VERSION, cells};
use crate::fleet::DeviceId;
use crate::telemetry::SeriesId;
use flyball_protocol::block::{Cell, Stats};
use std::collections::HashMap;
use std::ops::Range;

/// Samples a minute from which on the minutes are kept beside them.
const MIN_A_MINUTE: usize = 4;

/// How much of a part a thinner segment takes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    Samples,
    Minutes,
    Hours,
}

impl Tier {
    /// As the database orders it.
    #[must_use]
    pub const fn rank(self) -> i64 {
        match self {
            Self::Samples => 0,
            Self::Minutes => 1,
            Self::Hours => 2,
        }
    }

    #[must_use]
    pub fn from_rank(rank: i64) -> Option<Self> {
        [Self::Samples, Self::Minutes, Self::Hours].into_iter().find(|tier| tier.rank() == rank)
    }
}

/// A segment in the making: the encoded parts, nothing of the samples.
#[derive(Debug)]
pub struct SegmentWriter {
    device: DeviceId,
    span: Range<u64>,
    times: Vec<Vec<u8>>,
    known_times: HashMap<Vec<u8>, usize>,
    parts: Vec<Written>,
    sections: [Vec<u8>; 3],
}

impl SegmentWriter {
    /// A segment of what `device` measured from `from_ms` to `to_ms`, exclusive.
    #[must_use]
    pub fn new(device: DeviceId, from_ms: u64, to_ms: u64) -> Self {
        Self {
            device,
            span: from_ms..to_ms,
            times: Vec::new(),
            known_times: HashMap::new(),
            parts: Vec::new(),
            sections: [Vec::new(), Vec::new(), Vec::new()],
        }
    }

    /// Takes all samples of one series and says how many they are; series come in their order. Of
    /// two cells at one tick the first stays.
    ///
    /// # Errors
    /// Where a bound is passed or a series comes out of order.
    pub fn add(
        &mut self,
        series: SeriesId,
        mut samples: Vec<(u64, Cell)>,
    ) -> Result<usize, SegmentError> {
        samples.retain(|(_, cell)| !matches!(cell, Cell::Absent));
        samples.sort_by_key(|(at_ms, _)| *at_ms);
        samples.dedup_by_key(|(at_ms, _)| *at_ms);
        let (Some((first_ms, _)), Some((last_ms, _))) = (samples.first(), samples.last()) else {
            return Ok(0);
        };
        let (first_ms, last_ms) = (*first_ms, *last_ms);
        bound("samples", samples.len(), MAX_SAMPLES)?;
        let present = Present::of(&samples);
        let (ticks, all): (Vec<u64>, Vec<Cell>) = samples.into_iter().unzip();
        let mut sections = [Vec::new(), Vec::new(), Vec::new()];
        cells::put(&mut sections[0], &all, &present.values, present.decimals.as_ref())?;
        if present.are_worth_minutes() {
            present.roll(&mut sections[1], MINUTE_MS)?;
        }
        present.roll(&mut sections[2], HOUR_MS)?;
        let times = Some(self.times_of(&ticks));
        let part = Head { series, first_ms, last_ms, stats: Stats::of(&all), times };
        self.push(part, [&sections[0], &sections[1], &sections[2]])?;
        Ok(all.len())
    }

    /// Takes over what `tier` leaves of a part of another segment, as it is written there.
    ///
    /// # Errors
    /// Where a bound is passed, a series comes out of order or the part's bytes are not there.
    pub fn copy(&mut self, from: &Segment, part: &Part, tier: Tier) -> Result<(), SegmentError> {
        let entry = from.entry(part)?;
        let samples = if tier == Tier::Samples { from.section(&entry.samples)? } else { &[] };
        let mut rolled = Vec::new();
        let minutes: &[u8] = match tier {
            Tier::Hours => &[],
            // They were not worth keeping beside their samples, which go now.
            Tier::Minutes if !part.has_minutes && part.samples > 0 => {
                Present::of(&from.samples(part)?).roll(&mut rolled, MINUTE_MS)?;
                &rolled
            }
            Tier::Minutes | Tier::Samples => from.section(&entry.minutes)?,
        };
        let hours = from.section(&entry.hours)?;
        let times = match entry.times {
            Some(times) if !samples.is_empty() => {
                let ticks: Vec<u64> = from.index.times[times].ticks().collect();
                Some(self.times_of(&ticks))
            }
            Some(_) | None => None,
        };
        let (first_ms, last_ms, stats) = (entry.first_ms, entry.last_ms, entry.stats);
        let head = Head { series: entry.series, first_ms, last_ms, stats, times };
        self.push(head, [samples, minutes, hours])
    }

    /// The first and the last tick of all series so far.
    #[must_use]
    pub fn bounds_ms(&self) -> Option<(u64, u64)> {
        let first_ms = self.parts.iter().map(|part| part.first_ms).min()?;
        let last_ms = self.parts.iter().map(|part| part.last_ms).max()?;
        Some((first_ms, last_ms))
    }

    /// The bytes, and where their sections lie.
    ///
    /// # Errors
    /// Where they are more than a segment may have.
    pub fn finish(self) -> Result<(Vec<u8>, Layout), SegmentError> {
        let (index, check) = Index::encode(self.device, &self.span, &self.times, &self.parts)?;
        let [samples, minutes, hours] = self.sections;
        let minutes_at = HEAD_BYTES + samples.len();
        let hours_at = minutes_at + minutes.len();
        let index_at = hours_at + hours.len();
        let whole = index_at + index.len();
        let layout = Layout { minutes_at, hours_at, index_at, bytes: whole, check };
        bound("bytes", layout.bytes, MAX_SEGMENT_BYTES)?;
        let mut bytes = Vec::with_capacity(layout.bytes);
        bytes.extend_from_slice(&MAGIC);
        bytes.push(VERSION);
        bytes.extend_from_slice(&samples);
        bytes.extend_from_slice(&minutes);
        bytes.extend_from_slice(&hours);
        bytes.extend_from_slice(&index);
        Ok((bytes, layout))
    }

    fn times_of(&mut self, ticks: &[u64]) -> usize {
        let encoded = Times::encode(ticks);
        if let Some(&known) = self.known_times.get(&encoded) {
            return known;
        }
        self.known_times.insert(encoded.clone(), self.times.len());
        self.times.push(encoded);
        self.times.len() - 1
    }

    fn push(&mut self, head: Head, sections: [&[u8]; 3]) -> Result<(), SegmentError> {
        bound("parts", self.parts.len() + 1, MAX_PARTS)?;
        if head.series.0 < 0 || self.parts.last().is_some_and(|last| last.series >= head.series) {
            return Err(SegmentError::Invalid("order of series"));
        }
        let mut written = [(0, 0); 3];
        for ((all, section), written) in self.sections.iter_mut().zip(sections).zip(&mut written) {
            *written = (section.len(), crc32fast::hash(section));
            all.extend_from_slice(section);
        }
        let Head { series, first_ms, last_ms, stats, times } = head;
        self.parts.push(Written { series, first_ms, last_ms, stats, times, sections: written });
        Ok(())
    }
}

/// The values among a part's samples.
struct Present {
    samples: Vec<(u64, f64)>,
    values: Vec<f64>,
    decimals: Option<Decimals>,
}

impl Present {
    fn of(samples: &[(u64, Cell)]) -> Self {
        let value = |(at_ms, cell): &(u64, Cell)| match cell {
            Cell::Value(value) => Some((*at_ms, *value)),
            Cell::NoData(_) | Cell::Absent => None,
        };
        let samples: Vec<(u64, f64)> = samples.iter().filter_map(value).collect();
        let values: Vec<f64> = samples.iter().map(|(_, value)| *value).collect();
        let decimals = Decimals::of(&values);
        Self { samples, values, decimals }
    }

    /// A minute has seven numbers: of series that have few samples in each, they would take more
    /// room than the samples and answer no faster.
    fn are_worth_minutes(&self) -> bool {
        let minutes = self.samples.chunk_by(|(a, _), (b, _)| a / MINUTE_MS == b / MINUTE_MS);
        minutes.count() * MIN_A_MINUTE <= self.samples.len()
    }

    fn roll(&self, out: &mut Vec<u8>, step_ms: u64) -> Result<(), SegmentError> {
        rollup::put(out, step_ms, &self.samples, self.decimals.as_ref())
    }
}

/// What the index says of a part besides its sections.
struct Head {
    series: SeriesId,
    first_ms: u64,
    last_ms: u64,
    stats: Option<Stats>,
    times: Option<usize>,
}

fn bound(what: &'static str, size: usize, max: usize) -> Result<(), SegmentError> {
    if size <= max {
        return Ok(());
    }
    let (size, max) = (size as u64, max as u64);
    Err(SegmentError::TooLarge { what, size, max })
}
