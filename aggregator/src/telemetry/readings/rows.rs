//! Samples as rows, one after another: an answer of any length that never stands in memory.
//!
//! Rows come machine by machine and of each by tick, an hour at a time: that is what stands in
//! memory. Whoever takes them decides the pace; a stream that is left ends by itself, and so does
//! one that is read for too long.

use crate::fleet::DeviceId;
use crate::history::{Segment, Tier, Wanted};
use crate::store::{BlockRow, EpochKey};
use crate::telemetry::dictionary::Place;
use crate::telemetry::readings::taken::Taken;
use crate::telemetry::readings::{Engine, Found, Readings, ReadingsError, ReadingsQuery};
use crate::telemetry::{NoData, SeriesId};
use flyball_protocol::block::{Cell, Header};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

/// Streams at the same time.
pub(super) const MAX_STREAMS: usize = 4;
/// How long one may be read.
const MAX_STREAM_TIME: Duration = Duration::from_secs(600);
/// What is read and sorted at once.
const WINDOW_MS: u64 = 60 * 60 * 1_000;
const ROWS_AT_ONCE: usize = 10_000;
/// Batches of blocks, and of rows, that wait.
const BATCHES: usize = 2;

/// One sample of one series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SampleRow {
    /// Its place in `Rows::series`.
    pub series: usize,
    pub at_ms: u64,
    /// `None` where there is none at this tick, or in this step.
    pub value: Option<f64>,
    pub reason: Option<NoData>,
}

/// Rows on their way.
#[derive(Debug)]
pub struct Rows {
    pub series: Arc<[Found]>,
    /// Ends with an error where not all of them could be read.
    pub batches: mpsc::Receiver<Result<Vec<SampleRow>, ReadingsError>>,
}

impl Rows {
    /// An answer that stands in memory already, series by series.
    #[must_use]
    pub fn of(readings: Readings) -> Self {
        let (sender, batches) = mpsc::channel(1);
        let (mut series, mut rows) = (Vec::new(), Vec::new());
        for (at, read) in readings.series.into_iter().enumerate() {
            let row = |(at_ms, value)| SampleRow { series: at, at_ms, value, reason: None };
            rows.extend(read.points.into_iter().map(row));
            let (device, machine) = (read.device, read.device);
            series.push(Found { device, machine, series: read.series });
        }
        // The one place is free.
        let _ = sender.try_send(Ok(rows));
        Self { series: series.into(), batches }
    }
}

/// The rows of one machine while its blocks pass by.
struct Rowing {
    places: HashMap<EpochKey, Vec<Place>>,
    index: HashMap<SeriesId, usize>,
    cadences: Vec<u32>,
    window: Range<u64>,
    /// By place among all series.
    taken: HashMap<usize, Taken>,
}

impl Engine {
    pub(in crate::telemetry) async fn rows(
        &self,
        query: &ReadingsQuery,
    ) -> Result<Rows, ReadingsError> {
        let range = self.range(query.from_ms, query.to_ms)?;
        let turn = Arc::clone(&self.streams).try_acquire_owned();
        let turn = turn.map_err(|_| ReadingsError::TooManyStreams)?;
        let found: Arc<[Found]> = self.find(&query.selection).await?.into();
        let (sender, batches) = mpsc::channel(BATCHES);
        tokio::spawn(self.clone().feed(Arc::clone(&found), range, sender, turn));
        Ok(Rows { series: found, batches })
    }

    async fn feed(
        self,
        found: Arc<[Found]>,
        range: Range<u64>,
        to: mpsc::Sender<Result<Vec<SampleRow>, ReadingsError>>,
        turn: OwnedSemaphorePermit,
    ) {
        let mut machines: Vec<DeviceId> = found.iter().map(|found| found.machine).collect();
        machines.sort_unstable();
        machines.dedup();
        let all = async {
            for machine in machines {
                self.feed_machine(machine, &found, range.clone(), to.clone()).await?;
            }
            Ok(())
        };
        let ended = tokio::time::timeout(MAX_STREAM_TIME, all).await;
        if let Err(error) = ended.unwrap_or(Err(ReadingsError::TooLong)) {
            // Whoever has left does not want to know.
            let _ = to.send(Err(error)).await;
        }
        drop(turn);
    }

    async fn feed_machine(
        &self,
        machine: DeviceId,
        found: &Arc<[Found]>,
        range: Range<u64>,
        to: mpsc::Sender<Result<Vec<SampleRow>, ReadingsError>>,
    ) -> Result<(), ReadingsError> {
        // Rows can't be taken back, so the copy is a fresh one.
        self.dictionaries.forget(machine).await;
        let dictionary = self.dictionaries.of(&self.store, machine).await?;
        let index: HashMap<_, usize> =
            found.iter().enumerate().map(|(at, found)| (found.series.id, at)).collect();
        let places = dictionary.places(|id| index.get(&id).copied());
        let ids: Vec<SeriesId> = found.iter().map(|found| found.series.id).collect();
        let cadences = found.iter().map(|found| found.series.cadence_ms).collect();
        let taken = HashMap::new();
        let mut rowing = Rowing { places, index, cadences, window: 0..0, taken };
        let mut from_ms = self.first_ms(machine, &range).await?;
        while from_ms < range.end {
            let to_ms = (from_ms / WINDOW_MS + 1).saturating_mul(WINDOW_MS).min(range.end);
            let (segments, blocks) = self.window(machine, &ids, from_ms..to_ms).await?;
            rowing.window = from_ms..to_ms;
            let decoding = tokio::task::spawn_blocking(move || {
                let rows = rowing.take(&segments, &blocks)?;
                Ok::<_, ReadingsError>((rowing, rows))
            });
            let (back, rows) = decoding.await??;
            rowing = back;
            for rows in rows.chunks(ROWS_AT_ONCE) {
                if to.send(Ok(rows.to_vec())).await.is_err() {
                    return Ok(());
                }
            }
            from_ms = to_ms;
        }
        Ok(())
    }

    /// Where the samples of the range begin.
    async fn first_ms(&self, machine: DeviceId, range: &Range<u64>) -> Result<u64, ReadingsError> {
        let segments = self.store.segments(machine, range.start, range.end).await?;
        let blocks = self.store.block_spans(machine, range.start, range.end, 1).await?;
        let segments = segments.into_iter().map(|row| row.first_ms);
        let first = segments.chain(blocks.into_iter().map(|(first_ms, _)| first_ms)).min();
        Ok(first.map_or(range.end, |first_ms| first_ms.max(range.start)))
    }

    /// Everything of one window, of one moment: a segment takes the place of its blocks at once.
    async fn window(
        &self,
        machine: DeviceId,
        ids: &[SeriesId],
        window: Range<u64>,
    ) -> Result<(Vec<Segment>, Vec<BlockRow>), ReadingsError> {
        let (from_ms, to_ms) = (window.start, window.end);
        let wanted = Wanted { device: machine, from_ms, to_ms, series: ids, tier: Tier::Samples };
        loop {
            let mut segments = Vec::new();
            let each = |segment: &Segment| {
                segments.push(segment.clone());
                Ok::<_, ReadingsError>(())
            };
            let before = self.history.for_each_segment(&wanted, each).await?;
            let (sender, mut receiver) = mpsc::channel::<Vec<BlockRow>>(BATCHES);
            let mut blocks = Vec::new();
            let collect = async {
                while let Some(batch) = receiver.recv().await {
                    blocks.extend(batch);
                }
            };
            let (sent, ()) =
                tokio::join!(self.store.send_blocks(machine, from_ms, to_ms, sender), collect);
            sent?;
            if self.store.segments(machine, from_ms, to_ms).await? == before {
                return Ok((segments, blocks));
            }
        }
    }
}

impl Rowing {
    /// The rows of one window, by tick.
    fn take(
        &mut self,
        segments: &[Segment],
        blocks: &[BlockRow],
    ) -> Result<Vec<SampleRow>, ReadingsError> {
        self.taken.clear();
        let mut rows = Vec::new();
        for segment in segments {
            for (id, &series) in &self.index {
                let Some(part) = segment.part(*id) else { continue };
                let taken = self.taken.entry(series).or_default();
                for (at_ms, cell) in segment.samples_before(&part, self.window.end)? {
                    if self.window.contains(&at_ms) && taken.insert(at_ms, self.cadences[series]) {
                        rows.extend(row(series, at_ms, cell));
                    }
                }
            }
        }
        for block in blocks {
            self.take_block(block.epoch, &block.data, &mut rows)?;
        }
        rows.sort_by_key(|row| (row.at_ms, row.series));
        Ok(rows)
    }

    fn take_block(
        &mut self,
        epoch: EpochKey,
        bytes: &[u8],
        rows: &mut Vec<SampleRow>,
    ) -> Result<(), ReadingsError> {
        let places = self.places.get(&epoch).ok_or(ReadingsError::Stale)?;
        let header = Header::read(bytes)?;
        for (group, column) in header.columns() {
            let series = match places.get(column.series.0 as usize) {
                Some(Place::At(at)) => *at,
                Some(Place::Other) => continue,
                Some(Place::Unknown) | None => return Err(ReadingsError::Stale),
            };
            let taken = self.taken.entry(series).or_default();
            let cells = header.cells(bytes, group, column)?;
            for (at_ms, cell) in group.ticks_ms().zip(cells) {
                let absent = matches!(cell, Cell::Absent);
                if !absent && self.window.contains(&at_ms) && taken.insert(at_ms, group.step_ms) {
                    rows.extend(row(series, at_ms, cell));
                }
            }
        }
        Ok(())
    }
}

fn row(series: usize, at_ms: u64, cell: Cell) -> Option<SampleRow> {
    let (value, reason) = match cell {
        Cell::Absent => return None,
        Cell::NoData(reason) => (None, Some(reason)),
        Cell::Value(value) => (Some(value), None),
    };
    Some(SampleRow { series, at_ms, value, reason })
}
