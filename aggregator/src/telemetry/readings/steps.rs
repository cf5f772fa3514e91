//! Samples gathered by step. Steps are aligned to the epoch, so that two questions over
//! different ranges have the same steps.

use crate::history::Tier;
use crate::history::segment::{HOUR_MS, MINUTE_MS};
use crate::telemetry::aggregate::{Aggregate, percentile};
use crate::telemetry::readings::Points;
use std::ops::Range;

/// What one step has gathered of one series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    pub(super) count: u64,
    pub(super) min: f64,
    pub(super) max: f64,
    pub(super) sum: f64,
    pub(super) last: f64,
    /// The tick of `last`.
    pub(super) last_ms: u64,
}

impl Step {
    pub(super) const fn one(at_ms: u64, value: f64) -> Self {
        Self { count: 1, min: value, max: value, sum: value, last: value, last_ms: at_ms }
    }

    fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.sum += other.sum;
        if other.last_ms >= self.last_ms {
            (self.last, self.last_ms) = (other.last, other.last_ms);
        }
    }

    fn value(&self, aggregate: Aggregate) -> Option<f64> {
        match aggregate {
            Aggregate::Avg => Some(self.sum / float(self.count)),
            Aggregate::Min => Some(self.min),
            Aggregate::Max => Some(self.max),
            Aggregate::Sum => Some(self.sum),
            Aggregate::Count => Some(float(self.count)),
            Aggregate::Last => Some(self.last),
            Aggregate::Rate
            | Aggregate::Increase
            | Aggregate::P50
            | Aggregate::P90
            | Aggregate::P95
            | Aggregate::P99 => None,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "an answer counts far less than 2^52 samples")]
const fn float(count: u64) -> f64 {
    count as f64
}

/// What a counter gained within a step, and over how much of it that is known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Gain {
    increase: f64,
    covered_ms: u64,
}

/// What is gathered besides the plain numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wants {
    pub(super) gains: bool,
    pub(super) values: bool,
    /// Which of several series has the newest sample.
    pub(super) last_ticks: bool,
}

impl Wants {
    pub(super) fn of(aggregates: &[Aggregate], across_series: bool) -> Self {
        Self {
            gains: aggregates.iter().any(|aggregate| aggregate.is_of_counters()),
            values: aggregates.iter().any(|aggregate| aggregate.share().is_some()),
            last_ticks: across_series && aggregates.contains(&Aggregate::Last),
        }
    }
}

/// Steps of one length over one range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grid {
    from_ms: u64,
    to_ms: u64,
    pub(super) step_ms: u64,
    pub(super) count: usize,
}

impl Grid {
    pub(super) fn new(range: &Range<u64>, step_ms: u64) -> Self {
        let first = range.start / step_ms;
        let last = range.end.saturating_sub(1) / step_ms;
        let count = usize::try_from(last.saturating_sub(first) + 1).unwrap_or(usize::MAX);
        Self { from_ms: range.start, to_ms: range.end, step_ms, count }
    }

    /// The coarsest tier of history whose statistics lie in one step each.
    pub(super) const fn tier(self) -> Tier {
        if self.step_ms.is_multiple_of(HOUR_MS) {
            Tier::Hours
        } else if self.step_ms.is_multiple_of(MINUTE_MS) {
            Tier::Minutes
        } else {
            Tier::Samples
        }
    }

    /// Every step's first millisecond.
    pub(super) fn starts(self) -> impl Iterator<Item = u64> {
        let first_ms = self.from_ms / self.step_ms * self.step_ms;
        (0..self.count as u64).map(move |index| first_ms + index * self.step_ms)
    }

    /// Milliseconds of the range in each step.
    pub(super) fn lengths_ms(self) -> impl Iterator<Item = u64> {
        self.starts().map(move |start_ms| {
            (start_ms + self.step_ms).min(self.to_ms) - start_ms.max(self.from_ms)
        })
    }

    fn index(&self, at_ms: u64) -> Option<usize> {
        let first_ms = self.from_ms / self.step_ms * self.step_ms;
        let index = at_ms.checked_sub(first_ms)? / self.step_ms;
        usize::try_from(index).ok().filter(|&index| index < self.count)
    }
}

/// One series' steps.
#[derive(Debug)]
pub(super) struct Steps {
    grid: Grid,
    last_ticks: bool,
    slots: Vec<Option<Step>>,
    /// Empty where nobody asks for them.
    gains: Vec<Gain>,
    values: Vec<Vec<f64>>,
}

impl Steps {
    pub(super) fn new(grid: Grid, wants: Wants) -> Self {
        Self {
            grid,
            last_ticks: wants.last_ticks,
            slots: vec![None; grid.count],
            gains: vec![Gain::default(); if wants.gains { grid.count } else { 0 }],
            values: vec![Vec::new(); if wants.values { grid.count } else { 0 }],
        }
    }

    pub(super) const fn tier(&self) -> Tier {
        self.grid.tier()
    }

    /// Do statistics answer what is asked? Not where every sample is.
    pub(super) fn take_statistics(&self) -> bool {
        self.gains.is_empty() && self.values.is_empty()
    }

    /// Do rollups, which don't tell when their last sample was?
    pub(super) fn take_rollups(&self) -> bool {
        self.take_statistics() && !self.last_ticks
    }

    /// Adds what lies in one step; false where the ticks lie in two, or outside.
    pub(super) fn add_within(&mut self, first_ms: u64, last_ms: u64, step: &Step) -> bool {
        let (Some(first), Some(last)) = (self.grid.index(first_ms), self.grid.index(last_ms))
        else {
            return false;
        };
        if first != last {
            return false;
        }
        match &mut self.slots[first] {
            Some(gathered) => gathered.merge(step),
            empty @ None => *empty = Some(*step),
        }
        true
    }

    /// Adds one sample of the range.
    pub(super) fn add(&mut self, at_ms: u64, value: f64) {
        if self.add_within(at_ms, at_ms, &Step::one(at_ms, value))
            && let Some(index) = self.grid.index(at_ms)
            && let Some(values) = self.values.get_mut(index)
        {
            values.push(value);
        }
    }

    /// Adds what a counter gained in the `covered_ms` before `at_ms`.
    pub(super) fn gain(&mut self, at_ms: u64, increase: f64, covered_ms: u64) {
        // Samples before the range are only there to be differed from.
        let inside = (self.grid.from_ms..self.grid.to_ms).contains(&at_ms);
        let index = self.grid.index(at_ms).filter(|_| inside);
        if let Some(gain) = index.and_then(|index| self.gains.get_mut(index)) {
            gain.increase += increase;
            gain.covered_ms += covered_ms;
        }
    }

    pub(super) fn counts(members: &[&Self]) -> Vec<u64> {
        let slots = members.first().map_or(0, |steps| steps.slots.len());
        let count = |index: usize| {
            members.iter().filter_map(|steps| steps.slots[index]).map(|step| step.count).sum()
        };
        (0..slots).map(count).collect()
    }

    /// One aggregate of the series together: every step by its first millisecond, `None` where
    /// no sample is in it (`count` says 0 there).
    pub(super) fn points(members: &[&Self], aggregate: Aggregate) -> Points {
        let Some(first) = members.first() else { return Vec::new() };
        let value = |index: usize| match aggregate.share() {
            Some(share) => {
                let mut values: Vec<f64> =
                    members.iter().flat_map(|steps| steps.values[index].iter().copied()).collect();
                values.sort_by(f64::total_cmp);
                percentile(&values, share)
            }
            None if aggregate.is_of_counters() => gained(members, index, aggregate),
            None => merged(members, index, aggregate),
        };
        first.grid.starts().enumerate().map(|(index, start_ms)| (start_ms, value(index))).collect()
    }
}

fn merged(members: &[&Steps], index: usize, aggregate: Aggregate) -> Option<f64> {
    let together = members.iter().filter_map(|steps| steps.slots[index]).reduce(|mut all, one| {
        all.merge(&one);
        all
    });
    match (together, aggregate) {
        (Some(step), _) => step.value(aggregate),
        (None, Aggregate::Count) => Some(0.0),
        (None, _) => None,
    }
}

/// Each series' own gain, added up.
fn gained(members: &[&Steps], index: usize, aggregate: Aggregate) -> Option<f64> {
    let known = members.iter().map(|steps| steps.gains[index]).filter(|gain| gain.covered_ms > 0);
    known
        .map(|gain| match aggregate {
            Aggregate::Rate => gain.increase / (float(gain.covered_ms) / 1_000.0),
            _ => gain.increase,
        })
        .reduce(|all, one| all + one)
}
