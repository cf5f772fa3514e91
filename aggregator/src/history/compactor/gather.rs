//! What goes into a segment, series by series: out of blocks, or out of other segments.
//!
//! Blocks are read once where all of their samples fit in memory together; where they don't, once
//! to see what they hold and once more for every batch of series that fits. Those that cannot be
//! read are named and left out.

use super::super::segment::{SegmentError, SegmentWriter, Tier};
use super::super::{History, HistoryError, SegmentRow, Settled, Window};
use crate::fleet::DeviceId;
use crate::store::PastBlock;
use crate::telemetry::{Dictionary, SeriesId};
use flyball_protocol::block::{Cell, Outline, Ticks};
use flyball_protocol::series::SeriesRef;
use std::collections::{BTreeMap, HashSet};

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
}

type Samples = BTreeMap<SeriesId, Vec<(u64, Cell)>>;

/// What a first look at the blocks has found.
struct Survey {
    counts: BTreeMap<SeriesId, usize>,
    blocks: Vec<i64>,
    set_aside: Vec<(i64, String)>,
    /// All of the blocks' samples, while they fit in memory together.
    samples: Option<Samples>,
    /// For how many more there is room.
    room: usize,
}

impl Survey {
    fn new() -> Self {
        Self {
            counts: BTreeMap::new(),
            blocks: Vec::new(),
            set_aside: Vec::new(),
            samples: Some(Samples::new()),
            room: BATCH_SAMPLES,
        }
    }

    fn take(&mut self, dictionary: &Dictionary, block: &PastBlock) {
        let mut columns = Vec::new();
        let read = for_each_column(dictionary, block, |series, ticks, cells| {
            columns.push((series, ticks.count));
            if let Some(samples) = &mut self.samples {
                keep(samples, series, ticks, cells);
            }
        });
        if let Err(why) = read {
            // Some of it may be among the others' samples by now.
            self.samples = None;
            self.set_aside.push((block.id, why));
            return;
        }
        for (series, cells) in columns {
            *self.counts.entry(series).or_default() += cells;
            self.room = self.room.saturating_sub(cells);
        }
        if self.room == 0 {
            self.samples = None;
        }
        self.blocks.push(block.id);
    }
}

/// Decodes all of a block and hands every column to `each`. What was handed over before an error
/// is worth nothing.
fn for_each_column(
    dictionary: &Dictionary,
    block: &PastBlock,
    mut each: impl FnMut(SeriesId, Ticks, &[Cell]),
) -> Result<(), String> {
    let mut stranger = None;
    let outline = Outline::read(&block.data).map_err(|error| error.to_string())?;
    let each =
        |ticks, SeriesRef(number), cells: &[Cell]| match dictionary.series(block.epoch, number) {
            Some(series) => each(series, ticks, cells),
            None => stranger = Some(number),
        };
    outline.for_each_column(&block.data, each).map_err(|error| error.to_string())?;
    match stranger {
        Some(number) => Err(format!("its series {number} is in no dictionary")),
        None => Ok(()),
    }
}

fn keep(samples: &mut Samples, series: SeriesId, ticks: Ticks, cells: &[Cell]) {
    let cells = cells.iter().enumerate();
    let present = cells.filter(|(_, cell)| !matches!(cell, Cell::Absent));
    let present = present.map(|(index, cell)| (ticks.at_ms(index), *cell));
    samples.entry(series).or_default().extend(present);
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
        };
        match gathering {
            Gathering::Blocks(settled) => self.gather_blocks(window, &settled, gathered).await,
            Gathering::Segments(rows) => self.gather_segments(window, rows, gathered).await,
        }
    }

    async fn gather_blocks(
        &self,
        window: &Window,
        settled: &Settled,
        mut gathered: Gathered,
    ) -> Result<Gathered, HistoryError> {
        let store = &self.0.store;
        let dictionary = Dictionary::new(store.series_numbers(window.device).await?);
        let mut survey = Survey::new();
        store
            .for_each_past_block::<HistoryError>(window, settled, |block| {
                if survey.blocks.len() < MAX_BLOCKS {
                    survey.take(&dictionary, &block);
                }
                Ok(())
            })
            .await?;
        if let Some(samples) = survey.samples {
            gathered = add(gathered, samples, window.device).await?;
        } else {
            let taken: HashSet<i64> = survey.blocks.iter().copied().collect();
            for batch in batches(&survey.counts) {
                let mut samples = Samples::new();
                store
                    .for_each_past_block::<HistoryError>(window, settled, |block| {
                        if taken.contains(&block.id) {
                            pick(&mut samples, &batch, &dictionary, &block)
                                .map_err(|source| HistoryError::Making(window.device, source))?;
                        }
                        Ok(())
                    })
                    .await?;
                gathered = add(gathered, samples, window.device).await?;
            }
        }
        gathered.blocks = survey.blocks;
        gathered.set_aside = survey.set_aside;
        Ok(gathered)
    }

    async fn gather_segments(
        &self,
        window: &Window,
        rows: Vec<SegmentRow>,
        mut gathered: Gathered,
    ) -> Result<Gathered, HistoryError> {
        let mut counts: BTreeMap<SeriesId, usize> = BTreeMap::new();
        for row in &rows {
            for part in self.tail(row).await?.parts() {
                *counts.entry(part.series).or_default() += part.samples;
            }
        }
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
            gathered = add(gathered, samples, window.device).await?;
        }
        gathered.segments = rows;
        Ok(gathered)
    }
}

/// The cells of the batch's series that a block has.
fn pick(
    samples: &mut Samples,
    batch: &HashSet<SeriesId>,
    dictionary: &Dictionary,
    block: &PastBlock,
) -> Result<(), SegmentError> {
    let read = for_each_column(dictionary, block, |series, ticks, cells| {
        if batch.contains(&series) {
            keep(samples, series, ticks, cells);
        }
    });
    read.map_err(|_| SegmentError::Invalid("block"))
}

/// Encodes a batch where it holds nobody up.
async fn add(
    mut gathered: Gathered,
    samples: Samples,
    device: DeviceId,
) -> Result<Gathered, HistoryError> {
    let encoded = tokio::task::spawn_blocking(move || {
        for (series, samples) in samples {
            gathered.samples += gathered.writer.add(series, samples)? as u64;
        }
        Ok(gathered)
    });
    encoded.await?.map_err(|source| HistoryError::Making(device, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_holds_what_fits_in_memory_and_at_least_one_series() {
        let counts = [(1, 10), (2, BATCH_SAMPLES - 10), (3, BATCH_SAMPLES * 2), (4, 1), (5, 1)];
        let counts = counts.map(|(series, cells)| (SeriesId(series), cells));
        let batches = batches(&BTreeMap::from(counts));
        let of = |series: &[i64]| series.iter().copied().map(SeriesId).collect::<HashSet<_>>();
        assert_eq!(batches, [of(&[1, 2]), of(&[3]), of(&[4, 5])]);
    }
}
