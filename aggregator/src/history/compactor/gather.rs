//! What goes into a segment, series by series: out of blocks, or out of other segments.
//!
//! Blocks are read once to see what they hold, and once more for every batch of series whose
//! samples fit in memory together. Those that cannot be read are named and left out.

use super::super::segment::{SegmentError, SegmentWriter, Tier};
use super::super::{History, HistoryError, SegmentRow, Settled, Window};
use crate::store::EpochKey;
use crate::telemetry::SeriesId;
use flyball_protocol::block::{Cell, Header, Outline, Ticks};
use flyball_protocol::series::SeriesRef;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Samples that stand in memory at once, 24 bytes each.
const BATCH_SAMPLES: usize = 3_000_000;
/// Blocks of one segment: four a second for two hours; more wait for the next pass.
const MAX_BLOCKS: usize = 30_000;

/// Where the samples come from.
pub(in crate::history) enum Gathering {
    Blocks(Settled),
    Segments(Vec<SegmentRow>),
}

pub(super) struct Gathered {
    pub(super) writer: SegmentWriter,
    pub(super) blocks: Vec<i64>,
    pub(super) segments: Vec<SegmentRow>,
    /// Blocks that cannot be read, and why.
    pub(super) set_aside: Vec<(i64, String)>,
    pub(super) samples: u64,
    /// The first and the last tick.
    pub(super) span: Option<(u64, u64)>,
}

type Numbers = HashMap<(EpochKey, SeriesRef), SeriesId>;
type Samples = BTreeMap<SeriesId, Vec<(u64, Cell)>>;

/// What a first look at the blocks has found.
#[derive(Default)]
struct Survey {
    counts: BTreeMap<SeriesId, usize>,
    blocks: Vec<i64>,
    set_aside: Vec<(i64, String)>,
}

impl Survey {
    fn take(&mut self, numbers: &Numbers, id: i64, epoch: EpochKey, data: &[u8]) {
        match columns(numbers, epoch, data) {
            Ok(columns) => {
                for (series, cells) in columns {
                    *self.counts.entry(series).or_default() += cells;
                }
                self.blocks.push(id);
            }
            Err(why) => self.set_aside.push((id, why)),
        }
    }
}

/// Every series of a block with its number of cells, once all of it has been decoded.
fn columns(
    numbers: &Numbers,
    epoch: EpochKey,
    data: &[u8],
) -> Result<Vec<(SeriesId, usize)>, String> {
    let (mut columns, mut stranger) = (Vec::new(), None);
    let outline = Outline::read(data).map_err(|error| error.to_string())?;
    let each = |ticks: Ticks, number, _: &[Cell]| match numbers.get(&(epoch, number)) {
        Some(series) => columns.push((*series, ticks.count)),
        None => stranger = Some(number),
    };
    outline.for_each_column(data, each).map_err(|error| error.to_string())?;
    match stranger {
        Some(number) => Err(format!("its series {} is in no dictionary", number.0)),
        None => Ok(columns),
    }
}

/// Batches of series, none of more samples than fit, unless one alone has more.
fn batches(counts: &BTreeMap<SeriesId, usize>) -> Vec<HashSet<SeriesId>> {
    let mut batches: Vec<HashSet<SeriesId>> = Vec::new();
    let mut room = 0;
    for (&series, &count) in counts {
        if count > room || batches.is_empty() {
            batches.push(HashSet::new());
            room = BATCH_SAMPLES;
        }
        room = room.saturating_sub(count);
        if let Some(batch) = batches.last_mut() {
            batch.insert(series);
        }
    }
    batches
}

impl History {
    pub(super) async fn gather(
        &self,
        window: &Window,
        gathering: Gathering,
    ) -> Result<Gathered, HistoryError> {
        let writer = SegmentWriter::new(window.device, window.from_ms, window.to_ms);
        let gathered = Gathered {
            writer,
            blocks: Vec::new(),
            segments: Vec::new(),
            set_aside: Vec::new(),
            samples: 0,
            span: None,
        };
        match gathering {
            Gathering::Blocks(settled) => self.gather_blocks(window, &settled, gathered).await,
            Gathering::Segments(rows) => self.gather_segments(gathered, rows).await,
        }
    }

    async fn gather_blocks(
        &self,
        window: &Window,
        settled: &Settled,
        mut gathered: Gathered,
    ) -> Result<Gathered, HistoryError> {
        let store = &self.0.store;
        let numbers: Numbers = store
            .series_numbers(window.device)
            .await?
            .into_iter()
            .map(|(epoch, number, series)| ((epoch, number), series))
            .collect();
        let mut survey = Survey::default();
        store
            .for_each_past_block::<HistoryError>(window, settled, |block| {
                if survey.blocks.len() < MAX_BLOCKS {
                    survey.take(&numbers, block.id, block.epoch, &block.data);
                }
                Ok(())
            })
            .await?;
        let taken: HashSet<i64> = survey.blocks.iter().copied().collect();
        for batch in batches(&survey.counts) {
            let mut samples = Samples::new();
            store
                .for_each_past_block::<HistoryError>(window, settled, |block| {
                    if taken.contains(&block.id) {
                        pick(&mut samples, &batch, &numbers, block.epoch, &block.data)
                            .map_err(|source| HistoryError::Making(window.device, source))?;
                    }
                    Ok(())
                })
                .await?;
            gathered = add(gathered, samples, window).await?;
        }
        gathered.blocks = survey.blocks;
        gathered.set_aside = survey.set_aside;
        Ok(gathered)
    }

    async fn gather_segments(
        &self,
        mut gathered: Gathered,
        rows: Vec<SegmentRow>,
    ) -> Result<Gathered, HistoryError> {
        let mut counts: BTreeMap<SeriesId, usize> = BTreeMap::new();
        for row in &rows {
            for part in self.tail(row).await?.parts() {
                *counts.entry(part.series).or_default() += part.samples;
            }
        }
        let Some(window) = rows.first().map(|row| row.window) else { return Ok(gathered) };
        for batch in batches(&counts) {
            let series: Vec<SeriesId> = batch.into_iter().collect();
            let mut samples = Samples::new();
            for row in &rows {
                let segment = self.fetch(row, &series, Tier::Samples).await?;
                for part in series.iter().filter_map(|series| segment.part(*series)) {
                    let read = segment.samples(&part);
                    let read = read.map_err(|source| HistoryError::Segment {
                        object: row.object.clone(),
                        source,
                    })?;
                    samples.entry(part.series).or_default().extend(read);
                }
            }
            gathered = add(gathered, samples, &window).await?;
        }
        gathered.segments = rows;
        Ok(gathered)
    }
}

/// The cells of the batch's series that a block has.
fn pick(
    samples: &mut Samples,
    batch: &HashSet<SeriesId>,
    numbers: &Numbers,
    epoch: EpochKey,
    data: &[u8],
) -> Result<(), SegmentError> {
    let header = Header::read(data).map_err(|_| SegmentError::Invalid("block"))?;
    for (group, column) in header.columns() {
        let Some(series) = numbers.get(&(epoch, column.series)) else { continue };
        if !batch.contains(series) {
            continue;
        }
        let cells = header.cells(data, group, column);
        let cells = cells.map_err(|_| SegmentError::Invalid("block"))?;
        let present = group.ticks_ms().zip(cells);
        let present = present.filter(|(_, cell)| !matches!(cell, Cell::Absent));
        samples.entry(*series).or_default().extend(present);
    }
    Ok(())
}

/// Encodes a batch where it holds nobody up.
async fn add(
    mut gathered: Gathered,
    samples: Samples,
    window: &Window,
) -> Result<Gathered, HistoryError> {
    let device = window.device;
    let encoded = tokio::task::spawn_blocking(move || {
        for (series, samples) in samples {
            let ticks = || samples.iter().map(|(at_ms, _)| *at_ms);
            if let (Some(first_ms), Some(last_ms)) = (ticks().min(), ticks().max()) {
                let (from_ms, to_ms) = gathered.span.unwrap_or((first_ms, last_ms));
                gathered.span = Some((from_ms.min(first_ms), to_ms.max(last_ms)));
            }
            gathered.samples += gathered.writer.add(series, samples)? as u64;
        }
        Ok(gathered)
    });
    encoded.await?.map_err(|source| HistoryError::Making(device, source))
}
