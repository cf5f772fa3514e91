//! Samples gathered by step. Steps are aligned to the epoch, so that two questions over
//! different ranges have the same steps.

use crate::telemetry::readings::Aggregate;
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

    #[expect(clippy::cast_precision_loss, reason = "an answer counts far less than 2^52 samples")]
    fn value(&self, aggregate: Aggregate) -> f64 {
        match aggregate {
            Aggregate::Avg => self.sum / self.count as f64,
            Aggregate::Min => self.min,
            Aggregate::Max => self.max,
            Aggregate::Sum => self.sum,
            Aggregate::Count => self.count as f64,
            Aggregate::Last => self.last,
        }
    }
}

/// One step of the answer, empty until something falls into it.
pub(super) struct Slot<'a>(&'a mut Option<Step>);

impl Slot<'_> {
    pub(super) fn add(self, step: &Step) {
        match self.0 {
            Some(gathered) => gathered.merge(step),
            empty @ None => *empty = Some(*step),
        }
    }
}

#[derive(Debug)]
pub(super) struct Steps {
    /// The first step's first millisecond.
    first_ms: u64,
    step_ms: u64,
    slots: Vec<Option<Step>>,
}

impl Steps {
    /// How many steps touch the range.
    pub(super) fn count(range: &Range<u64>, step_ms: u64) -> usize {
        let first = range.start / step_ms;
        let last = range.end.saturating_sub(1) / step_ms;
        usize::try_from(last.saturating_sub(first) + 1).unwrap_or(usize::MAX)
    }

    pub(super) fn new(from_ms: u64, step_ms: u64, count: usize) -> Self {
        Self { first_ms: from_ms / step_ms * step_ms, step_ms, slots: vec![None; count] }
    }

    /// The step that holds both ticks; `None` where they lie in two.
    pub(super) fn holding(&mut self, first_ms: u64, last_ms: u64) -> Option<Slot<'_>> {
        let index = |at_ms: u64| at_ms.checked_sub(self.first_ms).map(|since| since / self.step_ms);
        let (first, last) = (index(first_ms)?, index(last_ms)?);
        if first != last {
            return None;
        }
        self.slots.get_mut(usize::try_from(first).ok()?).map(Slot)
    }

    pub(super) fn points(self, aggregate: Aggregate) -> Vec<(u64, Option<f64>)> {
        let (first_ms, step_ms) = (self.first_ms, self.step_ms);
        let empty = match aggregate {
            Aggregate::Count => Some(0.0),
            Aggregate::Avg | Aggregate::Min | Aggregate::Max | Aggregate::Sum | Aggregate::Last => {
                None
            }
        };
        let starts = (0..).map(|index: u64| first_ms + index * step_ms);
        starts
            .zip(self.slots)
            .map(|(at_ms, step)| (at_ms, step.map_or(empty, |step| Some(step.value(aggregate)))))
            .collect()
    }
}
