//! Samples as rows, one after another: an answer of any length that never stands in memory.
//!
//! Rows come machine by machine, block by block, and within a block by tick. Whoever takes them
//! decides the pace; a stream that is left ends by itself, and so does one that is read for too
//! long, because it holds a snapshot of the store.

use crate::fleet::DeviceId;
use crate::store::{BlockRow, EpochKey};
use crate::telemetry::NoData;
use crate::telemetry::dictionary::Place;
use crate::telemetry::readings::taken::Taken;
use crate::telemetry::readings::{Engine, Found, Readings, ReadingsError, ReadingsQuery};
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
    range: Range<u64>,
    places: HashMap<EpochKey, Vec<Place>>,
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
        let (from_ms, to_ms) = (range.start, range.end);
        let mut rowing = Rowing { range, places, taken: HashMap::new() };
        let (sender, mut receiver) = mpsc::channel::<Vec<BlockRow>>(BATCHES);
        let decoding = tokio::task::spawn_blocking(move || {
            while let Some(batch) = receiver.blocking_recv() {
                let mut rows = Vec::new();
                for block in &batch {
                    rowing.take_block(block.epoch, &block.data, &mut rows)?;
                }
                if to.blocking_send(Ok(rows)).is_err() {
                    break;
                }
            }
            Ok::<_, ReadingsError>(())
        });
        let sent = self.store.send_blocks(machine, from_ms, to_ms, sender).await;
        decoding.await??;
        Ok(sent?)
    }
}

impl Rowing {
    fn take_block(
        &mut self,
        epoch: EpochKey,
        bytes: &[u8],
        rows: &mut Vec<SampleRow>,
    ) -> Result<(), ReadingsError> {
        let places = self.places.get(&epoch).ok_or(ReadingsError::Stale)?;
        let header = Header::read(bytes)?;
        let Some((first_ms, _)) = header.span_ms() else { return Ok(()) };
        let begin = rows.len();
        for (group, column) in header.columns() {
            let series = match places.get(column.series.0 as usize) {
                Some(Place::At(at)) => *at,
                Some(Place::Other) => continue,
                Some(Place::Unknown) | None => return Err(ReadingsError::Stale),
            };
            let taken = self.taken.entry(series).or_default();
            taken.forget_before(first_ms);
            let cells = header.cells(bytes, group, column)?;
            for (at_ms, cell) in group.ticks_ms().zip(cells) {
                let (value, reason) = match cell {
                    Cell::Absent => continue,
                    Cell::NoData(reason) => (None, Some(reason)),
                    Cell::Value(value) => (Some(value), None),
                };
                if self.range.contains(&at_ms) && taken.insert(at_ms, group.step_ms) {
                    rows.push(SampleRow { series, at_ms, value, reason });
                }
            }
        }
        rows[begin..].sort_by_key(|row| (row.at_ms, row.series));
        Ok(())
    }
}
