//! Segments of history beside blocks: where a segment's statistics may stand for its samples.
//!
//! Nothing of a segment may be taken by its statistics where another source has ticks of the same
//! time: two spools may have sampled it, or a block began in one segment's span and ended in the
//! next. There samples decide, tick by tick.

use crate::history::{Part, Segment};
use crate::telemetry::SeriesId;
use std::ops::RangeInclusive;

/// Ticks, first to last.
pub(super) type Ticks = RangeInclusive<u64>;

fn touch(one: &Ticks, other: &Ticks) -> bool {
    one.start() <= other.end() && other.start() <= one.end()
}

/// The ticks that the other sources of one machine have.
#[derive(Debug)]
pub(super) struct Others<'a> {
    segments: &'a [Segment],
    /// Of blocks that are not compacted yet; `None` where they are too many to look at.
    blocks: Option<&'a [Ticks]>,
    /// Where the first of them begins: mostly behind every segment.
    blocks_from_ms: u64,
}

impl<'a> Others<'a> {
    pub(super) fn new(segments: &'a [Segment], blocks: Option<&'a [Ticks]>) -> Self {
        let starts = blocks.into_iter().flatten().map(|ticks| *ticks.start());
        let blocks_from_ms = starts.min().unwrap_or(u64::MAX);
        Self { segments, blocks, blocks_from_ms }
    }

    /// Ticks of `series` in the time of `part`, of everything but the segment at `own`.
    pub(super) fn beside(&self, own: usize, series: SeriesId, part: &Part) -> Vec<Ticks> {
        let ticks = part.first_ms..=part.last_ms;
        let Some(blocks) = self.blocks else { return vec![ticks] };
        let others = self.segments.iter().enumerate().filter(|(at, _)| *at != own);
        let parts = others.filter_map(|(_, segment)| segment.part(series));
        let parts = parts.map(|part| part.first_ms..=part.last_ms);
        let blocks = if part.last_ms < self.blocks_from_ms { &[] } else { blocks };
        parts.chain(blocks.iter().cloned()).filter(|other| touch(other, &ticks)).collect()
    }
}

/// Does nothing else have ticks there?
pub(super) fn is_alone(ticks: &Ticks, beside: &[Ticks]) -> bool {
    !beside.iter().any(|other| touch(other, ticks))
}
