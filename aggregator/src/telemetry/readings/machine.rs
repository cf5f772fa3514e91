//! One machine's part of a question: its blocks from the store to a thread that decodes them.

use crate::fleet::DeviceId;
use crate::history::{Segment, SegmentError, SegmentRow, Tier, Wanted};
use crate::store::BlockRow;
use crate::telemetry::readings::budget::Budget;
use crate::telemetry::readings::gathering::{Form, Gathered, Gathering, reads_from_ms};
use crate::telemetry::readings::segments::{Others, Ticks};
use crate::telemetry::readings::{Engine, MAX_GAPS, ReadingsError};
use crate::telemetry::{SeriesId, SeriesInfo};
use std::ops::Range;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Batches of blocks that wait for the thread.
const BATCHES: usize = 2;
/// A machine that changes all the time is given up on.
const ATTEMPTS: usize = 5;
/// Blocks whose spans are looked at; beside more of them no segment's statistics are used.
const MAX_SPANS: u32 = 20_000;

/// One machine's part of a question.
struct Part {
    machine: DeviceId,
    series: Vec<Arc<SeriesInfo>>,
    range: Range<u64>,
    form: Form,
}

impl Part {
    /// From when on samples are read.
    fn reads_from_ms(&self) -> u64 {
        reads_from_ms(&self.series, self.range.start, self.form)
    }
}

impl Engine {
    pub(super) async fn machine(
        &self,
        machine: DeviceId,
        series: Vec<Arc<SeriesInfo>>,
        range: Range<u64>,
        form: Form,
        budget: Arc<Budget>,
    ) -> Result<Vec<(SeriesId, Gathered)>, ReadingsError> {
        let part = Part { machine, series, range, form };
        let (from_ms, to_ms) = (part.reads_from_ms(), part.range.end);
        let mut tier = form.tier();
        for _ in 0..ATTEMPTS {
            match self.attempt(&part, tier, &budget).await {
                Ok((answer, known, before)) => {
                    // Counted after the blocks were read: what they show was announced before.
                    let whole = self.store.count_series_numbers(machine).await? == known;
                    // Blocks that became a segment meanwhile were read twice, or not at all.
                    let after = self.store.segments(machine, from_ms, to_ms).await?;
                    if whole && after == before {
                        return Ok(answer);
                    }
                }
                // A minute is shared with a block or cut by the range: its samples decide.
                Err(ReadingsError::Segment(SegmentError::NotFetched)) if tier != Tier::Samples => {
                    tier = Tier::Samples;
                    continue;
                }
                Err(ReadingsError::Stale) => {}
                Err(error) => return Err(error),
            }
            self.dictionaries.forget(machine).await;
        }
        Err(ReadingsError::Stale)
    }

    /// An answer, how many of the machine's numbers were known, and the segments that it rests on:
    /// it holds where these are still the machine's afterwards.
    async fn attempt(
        &self,
        part: &Part,
        tier: Tier,
        budget: &Arc<Budget>,
    ) -> Result<(Vec<(SeriesId, Gathered)>, usize, Vec<SegmentRow>), ReadingsError> {
        let Part { machine, series, range, form } = part;
        let (machine, from_ms, to_ms) = (*machine, part.reads_from_ms(), range.end);
        let dictionary = self.dictionaries.of(&self.store, machine).await?;
        let gaps = self.store.gaps(machine, range.start, range.end, MAX_GAPS).await?;
        let ids: Vec<SeriesId> = series.iter().map(|series| series.id).collect();
        let wanted = Wanted { device: machine, from_ms, to_ms, series: &ids, tier };
        let mut segments = Vec::new();
        let keep = |segment: &Segment| {
            budget.take_block(segment.resident_bytes())?;
            segments.push(segment.clone());
            Ok::<_, ReadingsError>(())
        };
        let rows = self.history.for_each_segment(&wanted, keep).await?;
        let recent = self.recent.of(&self.store, machine, from_ms, to_ms).await?;
        let spans = match &recent {
            _ if segments.is_empty() => Vec::new(),
            Some(blocks) => blocks.iter().map(|block| (block.from_ms, block.to_ms)).collect(),
            None => self.store.block_spans(machine, from_ms, to_ms, MAX_SPANS).await?,
        };
        let spans: Vec<Ticks> =
            spans.into_iter().map(|(first_ms, last_ms)| first_ms..=last_ms).collect();
        let mut gathering =
            Gathering::new(series.clone(), range.clone(), *form, &dictionary, Arc::clone(budget));
        let (sender, mut receiver) = mpsc::channel::<Vec<BlockRow>>(BATCHES);
        let is_streamed = recent.is_none();
        // Ends by itself where the question is given up: its sender is dropped then.
        let decoding = tokio::task::spawn_blocking(move || {
            take_segments(&mut gathering, &segments, &spans)?;
            for block in recent.iter().flat_map(|blocks| blocks.iter()) {
                gathering.take_block(block.epoch, &block.data)?;
            }
            while let Some(batch) = receiver.blocking_recv() {
                for block in &batch {
                    gathering.take_block(block.epoch, &block.data)?;
                }
            }
            Ok::<_, ReadingsError>(gathering.finish(&gaps))
        });
        let sent = match is_streamed {
            true => self.store.send_blocks(machine, from_ms, to_ms, sender).await,
            false => {
                drop(sender);
                Ok(())
            }
        };
        let gathered = decoding.await??;
        sent?;
        let gathered = gathered.into_iter().map(|(series, gathered)| (series.id, gathered));
        Ok((gathered.collect(), dictionary.len(), rows))
    }
}

/// Every segment by its first tick, each with the first tick of all that follows it.
pub(super) fn take_segments(
    gathering: &mut Gathering,
    segments: &[Segment],
    spans: &[Ticks],
) -> Result<(), ReadingsError> {
    let blocks = (spans.len() < MAX_SPANS as usize).then_some(spans);
    let others = Others::new(segments, blocks);
    let first_block_ms = spans.iter().map(|span| *span.start()).min().unwrap_or(u64::MAX);
    for (own, segment) in segments.iter().enumerate() {
        let rest = segments[own + 1..].iter().flat_map(Segment::parts).map(|part| part.first_ms);
        let settled_ms = rest.min().unwrap_or(u64::MAX).min(first_block_ms);
        gathering.take_segment(own, segment, &others, settled_ms)?;
    }
    Ok(())
}
