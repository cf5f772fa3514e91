//! Blocks in, series out: the state of one query while its blocks pass by.

use crate::store::{EpochKey, GapRow};
use crate::telemetry::readings::gaps::Missing;
use crate::telemetry::readings::steps::{Step, Steps};
use crate::telemetry::readings::taken::Taken;
use crate::telemetry::readings::{
    Aggregate, MAX_BLOCKS, MAX_POINTS, ReadingsError, STEP_MS, SeriesReadings,
};
use crate::telemetry::{SeriesId, SeriesInfo};
use flyball_protocol::block::{Cell, ColumnHeader, GroupHeader, Header};
use flyball_protocol::series::SeriesRef;
use std::collections::HashMap;
use std::ops::Range;

/// What has been gathered of one series.
enum Values {
    Raw(Vec<(u64, f64)>),
    Stepped(Steps),
}

struct Gathered {
    values: Values,
    missing: Missing,
    taken: Taken,
}

pub(super) struct Gathering {
    range: Range<u64>,
    blocks: usize,
    /// Points so far; by step they are known beforehand.
    points: usize,
    series: Vec<Gathered>,
    index: HashMap<SeriesId, usize>,
    numbers: HashMap<(EpochKey, SeriesRef), usize>,
}

impl Gathering {
    /// Refuses a step that is out of bounds and an answer that is known to be too large.
    pub(super) fn new(
        matching: &[SeriesInfo],
        range: Range<u64>,
        step_ms: Option<u64>,
    ) -> Result<Self, ReadingsError> {
        let steps = match step_ms {
            Some(step_ms) if !STEP_MS.contains(&step_ms) => {
                return Err(ReadingsError::Step { step_ms });
            }
            Some(step_ms) => Some((step_ms, Steps::count(&range, step_ms))),
            None => None,
        };
        let points = steps.map_or(0, |(_, count)| count.saturating_mul(matching.len()));
        if points > MAX_POINTS {
            return Err(ReadingsError::TooManyPoints { found: points });
        }
        let series = matching
            .iter()
            .map(|_| Gathered {
                values: match steps {
                    Some((step_ms, count)) => {
                        Values::Stepped(Steps::new(range.start, step_ms, count))
                    }
                    None => Values::Raw(Vec::new()),
                },
                missing: Missing::default(),
                taken: Taken::default(),
            })
            .collect();
        let index = matching.iter().enumerate().map(|(at, series)| (series.id, at)).collect();
        Ok(Self { range, blocks: 0, points, series, index, numbers: HashMap::new() })
    }

    /// What the numbers of every epoch mean.
    pub(super) fn learn(&mut self, numbers: Vec<(EpochKey, SeriesRef, SeriesId)>) {
        self.numbers = numbers
            .into_iter()
            .filter_map(|(epoch, number, id)| Some(((epoch, number), *self.index.get(&id)?)))
            .collect();
    }

    /// Takes what the block has of the series that are asked for; blocks come by their first
    /// ticks. A column that lies wholly in one step and has a value at each of its ticks is
    /// answered by its statistics.
    pub(super) fn take_block(
        &mut self,
        epoch: EpochKey,
        bytes: &[u8],
    ) -> Result<(), ReadingsError> {
        self.blocks += 1;
        if self.blocks > MAX_BLOCKS {
            return Err(ReadingsError::TooManyBlocks);
        }
        let header = Header::read(bytes)?;
        let Some((first_ms, _)) = header.span_ms() else { return Ok(()) };
        for (group, column) in header.columns() {
            let Some(&at) = self.numbers.get(&(epoch, column.series)) else { continue };
            self.series[at].taken.forget_before(first_ms);
            if self.series[at].take_statistics(&self.range, group, column) {
                continue;
            }
            let cells = header.cells(bytes, group, column)?;
            let before = self.series[at].raw_points();
            self.series[at].take_cells(&self.range, group, &cells);
            self.points += self.series[at].raw_points() - before;
            if self.points > MAX_POINTS {
                return Err(ReadingsError::TooManyPoints { found: self.points });
            }
        }
        Ok(())
    }

    pub(super) fn finish(
        self,
        matching: Vec<SeriesInfo>,
        aggregate: Aggregate,
        gaps: &[GapRow],
    ) -> Vec<SeriesReadings> {
        let range = self.range;
        matching
            .into_iter()
            .zip(self.series)
            .map(|(series, mut gathered)| {
                for gap in gaps.iter().filter(|gap| concerns(gap, &series)) {
                    gathered.missing.add_span(gap.from_ms, gap.to_ms, gap.reason, &range);
                }
                let gaps = gathered.missing.spans(series.cadence_ms);
                SeriesReadings { series, points: gathered.values.points(aggregate), gaps }
            })
            .collect()
    }
}

fn concerns(gap: &GapRow, series: &SeriesInfo) -> bool {
    match (gap.series, gap.reader) {
        (Some(id), _) => id == series.id,
        (None, Some(reader)) => reader == series.reader,
        (None, None) => false,
    }
}

impl Gathered {
    fn take_statistics(
        &mut self,
        range: &Range<u64>,
        group: &GroupHeader,
        column: &ColumnHeader,
    ) -> bool {
        let Values::Stepped(steps) = &mut self.values else { return false };
        let (first_ms, last_ms) = (group.first_ms, group.last_ms());
        let Some(stats) = column.stats.filter(|stats| stats.count as usize == group.ticks) else {
            return false;
        };
        if !range.contains(&first_ms) || !range.contains(&last_ms) {
            return false;
        }
        if self.taken.touches(first_ms, last_ms) {
            return false;
        }
        let Some(step) = steps.holding(first_ms, last_ms) else { return false };
        step.add(&Step {
            count: u64::from(stats.count),
            min: stats.min,
            max: stats.max,
            sum: stats.sum,
            last: stats.last,
            last_ms,
        });
        self.taken.add(first_ms, last_ms, group.step_ms);
        true
    }

    fn take_cells(&mut self, range: &Range<u64>, group: &GroupHeader, cells: &[Cell]) {
        for (at_ms, cell) in group.ticks_ms().zip(cells) {
            let absent = matches!(cell, Cell::Absent);
            if absent || !range.contains(&at_ms) || !self.taken.insert(at_ms, group.step_ms) {
                continue;
            }
            match (cell, &mut self.values) {
                (Cell::Absent, _) => {}
                (Cell::NoData(reason), _) => {
                    self.missing.add_tick(at_ms, group.step_ms, *reason);
                }
                (Cell::Value(value), Values::Raw(points)) => points.push((at_ms, *value)),
                (Cell::Value(value), Values::Stepped(steps)) => {
                    // A value that is no number is a sample, but nothing to gather.
                    if value.is_finite()
                        && let Some(step) = steps.holding(at_ms, at_ms)
                    {
                        step.add(&Step::one(at_ms, *value));
                    }
                }
            }
        }
    }

    fn raw_points(&self) -> usize {
        match &self.values {
            Values::Raw(points) => points.len(),
            Values::Stepped(_) => 0,
        }
    }
}

impl Values {
    fn points(self, aggregate: Aggregate) -> Vec<(u64, Option<f64>)> {
        match self {
            Self::Raw(mut points) => {
                points.sort_by_key(|(at_ms, _)| *at_ms);
                points.into_iter().map(|(at_ms, value)| (at_ms, Some(value))).collect()
            }
            Self::Stepped(steps) => steps.points(aggregate),
        }
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use flyball_protocol::block::BlockBuilder;

    #[test]
    fn blocks_beyond_the_bound_are_an_error_that_names_it() {
        let mut builder = BlockBuilder::new(0, 10_000);
        builder.push(SeriesRef(1), 0, Ok(1.0)).unwrap();
        let block = builder.build().unwrap().encode();
        let mut gathering = Gathering::new(&[], 0..10_000, None).unwrap();
        let epoch = EpochKey::for_test(1);
        for _ in 0..MAX_BLOCKS {
            gathering.take_block(epoch, &block).unwrap();
        }
        let error = gathering.take_block(epoch, &block).unwrap_err();
        assert!(error.to_string().contains("100000 blocks"), "{error}");
    }
}
