//! Blocks in, series out: the state of one query over one machine while its blocks pass by.

use crate::history::{Part, Segment, Tier};
use crate::store::{EpochKey, GapRow};
use crate::telemetry::dictionary::{Dictionary, Place};
use crate::telemetry::readings::counter::{Counter, look_back_ms};
use crate::telemetry::readings::gaps::Missing;
use crate::telemetry::readings::rolled::{self, Rest, Rolled};
use crate::telemetry::readings::segments::{Others, Ticks};
use crate::telemetry::readings::steps::{Grid, Step, Steps, Wants};
use crate::telemetry::readings::taken::Taken;
use crate::telemetry::readings::{Budget, GapSpan, ReadingsError};
use crate::telemetry::{SeriesId, SeriesInfo};
use flyball_protocol::block::{Cell, ColumnHeader, GroupHeader, Header};
use flyball_protocol::series::SeriesRef;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// What is made of the samples.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    Raw,
    Stepped(Grid, Wants),
}

impl Form {
    /// The coarsest tier of history that may answer: steps of whole minutes or hours need no
    /// samples.
    pub(super) const fn tier(self) -> Tier {
        match self {
            Self::Stepped(grid, wants) if !wants.gains && !wants.values => grid.tier(),
            Self::Raw | Self::Stepped(..) => Tier::Samples,
        }
    }
}

/// What has been gathered of one series.
#[derive(Debug)]
pub(super) enum Values {
    /// In the order of their ticks once it is finished.
    Raw(Vec<(u64, f64)>),
    Stepped(Steps),
}

/// One series, whole.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) values: Values,
    pub(super) gaps: Vec<GapSpan>,
}

#[derive(Debug)]
struct Gatherer {
    values: Values,
    missing: Missing,
    taken: Taken,
    counter: Option<Counter>,
}

#[derive(Debug)]
pub(super) struct Gathering {
    range: Range<u64>,
    budget: Arc<Budget>,
    series: Vec<Arc<SeriesInfo>>,
    gatherers: Vec<Gatherer>,
    places: HashMap<EpochKey, Vec<Place>>,
    /// Of every epoch the numbers that are asked for, sorted.
    wanted: HashMap<EpochKey, Vec<SeriesRef>>,
}

/// From when on blocks are wanted: differences begin before the range.
pub(super) fn reads_from_ms(series: &[Arc<SeriesInfo>], from_ms: u64, form: Form) -> u64 {
    match form {
        Form::Stepped(_, Wants { gains: true, .. }) => {
            let back = series.iter().map(|series| look_back_ms(series.cadence_ms)).max();
            from_ms.saturating_sub(back.unwrap_or(0))
        }
        Form::Raw | Form::Stepped(..) => from_ms,
    }
}

impl Gathering {
    pub(super) fn new(
        series: Vec<Arc<SeriesInfo>>,
        range: Range<u64>,
        form: Form,
        dictionary: &Dictionary,
        budget: Arc<Budget>,
    ) -> Self {
        let gatherer = |series: &Arc<SeriesInfo>| {
            let (values, counter) = match form {
                Form::Raw => (Values::Raw(Vec::new()), None),
                Form::Stepped(grid, wants) => (
                    Values::Stepped(Steps::new(grid, wants)),
                    wants.gains.then(|| Counter::new(series.cadence_ms)),
                ),
            };
            Gatherer { values, missing: Missing::default(), taken: Taken::default(), counter }
        };
        let gatherers = series.iter().map(gatherer).collect();
        let index: HashMap<SeriesId, usize> =
            series.iter().enumerate().map(|(at, series)| (series.id, at)).collect();
        let places = dictionary.places(|id| index.get(&id).copied());
        let wanted = places.iter().map(|(epoch, places)| {
            let numbers = (0..).zip(places).filter(|(_, place)| matches!(place, Place::At(_)));
            (*epoch, numbers.map(|(number, _)| SeriesRef(number)).collect())
        });
        let wanted = wanted.collect();
        Self { range, budget, series, gatherers, places, wanted }
    }

    /// Takes what the block has of the series that are asked for; blocks come by their first
    /// ticks. A column that lies wholly in one step and has a value at each of its ticks is
    /// answered by its statistics.
    pub(super) fn take_block(
        &mut self,
        epoch: EpochKey,
        bytes: &[u8],
    ) -> Result<(), ReadingsError> {
        self.budget.take_block(bytes.len())?;
        let places = self.places.get(&epoch).ok_or(ReadingsError::Stale)?;
        let wanted = self.wanted.get(&epoch).ok_or(ReadingsError::Stale)?;
        if wanted.is_empty() {
            return Ok(());
        }
        let header = Header::seek(bytes, wanted)?;
        let Some((first_ms, _)) = header.span_ms() else { return Ok(()) };
        for (group, column) in header.columns() {
            let Some(Place::At(at)) = places.get(column.series.0 as usize) else { continue };
            let gatherer = &mut self.gatherers[*at];
            gatherer.advance(first_ms);
            if gatherer.take_statistics(&self.range, group, column) {
                continue;
            }
            let cells = header.cells(bytes, group, column)?;
            let kept = gatherer.take_cells(&self.range, group, &cells);
            self.budget.take_values(kept)?;
        }
        Ok(())
    }

    /// Takes what the segment at `own` has. Segments come by their first ticks, and before every
    /// block; nothing that comes after it has ticks before `settled_ms`.
    pub(super) fn take_segment(
        &mut self,
        own: usize,
        segment: &Segment,
        others: &Others<'_>,
        settled_ms: u64,
    ) -> Result<(), ReadingsError> {
        for (series, gatherer) in self.series.iter().zip(&mut self.gatherers) {
            let Some(part) = segment.part(series.id) else { continue };
            let beside = others.beside(own, series.id, &part);
            let kept = gatherer.take_part(&self.range, series, segment, &part, &beside)?;
            gatherer.advance(settled_ms);
            self.budget.take_values(kept)?;
        }
        Ok(())
    }

    /// What there is of every series, in their order.
    pub(super) fn finish(mut self, gaps: &[GapRow]) -> Vec<(Arc<SeriesInfo>, Gathered)> {
        for gatherer in &mut self.gatherers {
            gatherer.advance(u64::MAX);
        }
        let range = self.range;
        let finished = self.series.into_iter().zip(self.gatherers).map(|(series, mut gatherer)| {
            for gap in gaps.iter().filter(|gap| concerns(gap, &series)) {
                gatherer.missing.add_span(gap.from_ms, gap.to_ms, gap.reason, &range);
            }
            if let Values::Raw(points) = &mut gatherer.values {
                points.sort_by_key(|(at_ms, _)| *at_ms);
            }
            let gaps = gatherer.missing.spans(series.cadence_ms);
            (series, Gathered { values: gatherer.values, gaps })
        });
        finished.collect()
    }
}

pub(super) fn concerns(gap: &GapRow, series: &SeriesInfo) -> bool {
    match (gap.series, gap.reader) {
        (Some(id), _) => id == series.id,
        (None, Some(reader)) => reader == series.reader,
        (None, None) => false,
    }
}

impl Gatherer {
    /// Nothing before `at_ms` comes any more.
    fn advance(&mut self, at_ms: u64) {
        self.taken.forget_before(at_ms);
        if let (Some(counter), Values::Stepped(steps)) = (&mut self.counter, &mut self.values) {
            counter.settle(at_ms, steps);
        }
    }

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
        if !steps.take_statistics()
            || !range.contains(&first_ms)
            || !range.contains(&last_ms)
            || self.taken.touches(first_ms, last_ms)
        {
            return false;
        }
        let step = Step {
            count: u64::from(stats.count),
            min: stats.min,
            max: stats.max,
            sum: stats.sum,
            last: stats.last,
            last_ms,
        };
        if !steps.add_within(first_ms, last_ms, &step) {
            return false;
        }
        self.taken.add(first_ms, last_ms, group.step_ms);
        true
    }

    /// How many values are now held in memory for it.
    fn take_cells(&mut self, range: &Range<u64>, group: &GroupHeader, cells: &[Cell]) -> usize {
        let ticks = group.ticks_ms().zip(cells.iter().copied());
        ticks.map(|(at_ms, cell)| self.take_cell(range, at_ms, group.step_ms, cell)).sum()
    }

    fn take_cell(&mut self, range: &Range<u64>, at_ms: u64, step_ms: u32, cell: Cell) -> usize {
        let early = at_ms < range.start && self.counter.is_some();
        if matches!(cell, Cell::Absent)
            || !(early || range.contains(&at_ms))
            || !self.taken.insert(at_ms, step_ms)
        {
            return 0;
        }
        match (cell, &mut self.values) {
            (Cell::NoData(reason), _) if !early => {
                self.missing.add_tick(at_ms, step_ms, reason);
                0
            }
            (Cell::Absent | Cell::NoData(_), _) => 0,
            (Cell::Value(value), Values::Raw(points)) => {
                points.push((at_ms, value));
                1
            }
            // A value that is no number is a sample, but nothing to gather.
            (Cell::Value(value), Values::Stepped(_)) if !value.is_finite() => 0,
            (Cell::Value(value), Values::Stepped(steps)) => {
                if let Some(counter) = &mut self.counter {
                    counter.push(at_ms, value);
                }
                if early {
                    return 0;
                }
                steps.add(at_ms, value);
                usize::from(!steps.take_statistics())
            }
        }
    }

    fn take_part(
        &mut self,
        range: &Range<u64>,
        series: &SeriesInfo,
        segment: &Segment,
        part: &Part,
        beside: &[Ticks],
    ) -> Result<usize, ReadingsError> {
        if part.samples == 0 {
            self.take_rolled(range, segment, part)?;
            return Ok(0);
        }
        let rest = match &mut self.values {
            Values::Stepped(steps) if steps.take_statistics() => {
                rolled::take(steps, range, segment, part, beside)
            }
            Values::Raw(_) | Values::Stepped(_) => Rest::All,
        };
        let mut kept = 0;
        let Some(before_ms) = rest.before_ms(range.end) else { return Ok(kept) };
        for (at_ms, cell) in segment.samples_before(part, before_ms)? {
            if rest.has(at_ms) {
                kept += self.take_cell(range, at_ms, series.cadence_ms, cell);
            }
        }
        Ok(kept)
    }

    /// Of samples that have outlived their retention the minutes are left, or the hours: each
    /// counts for the step that it begins in.
    fn take_rolled(
        &mut self,
        range: &Range<u64>,
        segment: &Segment,
        part: &Part,
    ) -> Result<(), ReadingsError> {
        let Values::Stepped(steps) = &mut self.values else { return Ok(()) };
        for (start_ms, step) in Rolled::left_of(steps, range, segment, part)?.steps() {
            if range.contains(&start_ms) {
                steps.add_within(start_ms, start_ms, &step);
            }
        }
        Ok(())
    }
}
