//! Series put together: by device, metric, reading type or label, step by step.

use crate::telemetry::readings::gathering::{Form, Values};
use crate::telemetry::readings::steps::{Steps, Wants};
use crate::telemetry::readings::{
    Budget, Engine, Found, GapSpan, Gathered, MAX_POINTS, Points, ReadingsError, STEP_MS,
    Selection, grid,
};
use crate::telemetry::{Aggregate, Unit};
use std::collections::BTreeMap;
use std::ops::Range;

/// Points of each result where neither step nor points are asked for.
const DEFAULT_POINTS: u64 = 300;

#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    pub selection: Selection,
    /// As those of a `ReadingsQuery`.
    pub from_ms: Option<u64>,
    pub to_ms: Option<u64>,
    pub step: Option<StepChoice>,
    /// Not empty.
    pub aggregates: Vec<Aggregate>,
    pub group_by: GroupBy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepChoice {
    Ms(u64),
    /// About so many over the range, of whole seconds.
    Points(u64),
}

/// Series of different units are never put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupBy {
    /// Each by itself.
    Series,
    /// Those that have these in common; all of them where it is empty.
    Keys(Vec<GroupKey>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupKey {
    Device,
    Metric,
    Kind,
    Label(String),
}

/// The answer, with range and step as they were taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Grouped {
    pub from_ms: u64,
    pub to_ms: u64,
    pub step_ms: u64,
    pub groups: Vec<Group>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What its series have in common, in the order of the question.
    pub keys: Vec<(String, Option<String>)>,
    pub unit: Unit,
    pub series: Vec<Found>,
    /// Every step by its first millisecond, for each aggregate of the question.
    pub results: Vec<(Aggregate, Points)>,
    /// Samples in each step.
    pub counts: Vec<u64>,
    /// Of the samples that the cadences of its series promise for a step, the share that is
    /// there, at most 1.
    pub coverage: Vec<f64>,
    /// Of all of its series, by time.
    pub gaps: Vec<GapSpan>,
}

impl GroupKey {
    fn name(&self) -> &str {
        match self {
            Self::Device => "device",
            Self::Metric => "metric",
            Self::Kind => "reading_type",
            Self::Label(label) => label,
        }
    }

    fn of(&self, found: &Found) -> Option<String> {
        match self {
            Self::Device => Some(found.device.to_string()),
            Self::Metric => Some(found.series.metric.clone()),
            Self::Kind => Some(found.series.kind.name().to_owned()),
            Self::Label(label) => {
                let attributes = found.series.attributes.iter();
                attributes.clone().find(|(key, _)| key == label).map(|(_, value)| value.clone())
            }
        }
    }
}

impl Question {
    fn step_ms(&self, range: &Range<u64>) -> u64 {
        let points = match self.step {
            Some(StepChoice::Ms(step_ms)) => return step_ms,
            Some(StepChoice::Points(points)) => points.max(1),
            None => DEFAULT_POINTS,
        };
        let step_ms = (range.end - range.start).div_ceil(points).div_ceil(1_000) * 1_000;
        step_ms.clamp(*STEP_MS.start(), *STEP_MS.end())
    }

    fn keys_of(&self, found: &Found) -> Vec<Option<String>> {
        match &self.group_by {
            GroupBy::Series => vec![Some(found.series.id.0.to_string())],
            GroupBy::Keys(keys) => keys.iter().map(|key| key.of(found)).collect(),
        }
    }

    fn named(&self, values: Vec<Option<String>>) -> Vec<(String, Option<String>)> {
        match &self.group_by {
            GroupBy::Series => vec![("series".to_owned(), values.into_iter().next().flatten())],
            GroupBy::Keys(keys) => {
                keys.iter().map(|key| key.name().to_owned()).zip(values).collect()
            }
        }
    }
}

impl Engine {
    pub(in crate::telemetry) async fn grouped(
        &self,
        question: &Question,
    ) -> Result<Grouped, ReadingsError> {
        let range = self.range(question.from_ms, question.to_ms)?;
        let step_ms = question.step_ms(&range);
        let found = self.find(&question.selection).await?;
        let grid = grid(&range, step_ms, found.len(), question.aggregates.len())?;
        let mut places: BTreeMap<(Vec<Option<String>>, Unit), Vec<usize>> = BTreeMap::new();
        for (at, found) in found.iter().enumerate() {
            places.entry((question.keys_of(found), found.series.unit)).or_default().push(at);
        }
        let points = places.len() * question.aggregates.len() * grid.count;
        if points > MAX_POINTS {
            return Err(ReadingsError::TooManyPoints { found: points });
        }
        let form = Form::Stepped(
            grid,
            Wants::of(&question.aggregates, question.group_by != GroupBy::Series),
        );
        let gathered = self.gather(found, range.clone(), form, Budget::default()).await?;
        let question = question.clone();
        let lengths_ms: Vec<u64> = grid.lengths_ms().collect();
        // Percentiles sort what they hold.
        let together = tokio::task::spawn_blocking(move || {
            let groups = places.into_iter().map(|((keys, unit), members)| {
                let members: Vec<&(Found, Gathered)> =
                    members.iter().filter_map(|&at| gathered.get(at)).collect();
                let keys = question.named(keys);
                together(keys, unit, &members, &question.aggregates, &lengths_ms)
            });
            groups.collect()
        });
        let Range { start: from_ms, end: to_ms } = range;
        Ok(Grouped { from_ms, to_ms, step_ms, groups: together.await? })
    }
}

fn together(
    keys: Vec<(String, Option<String>)>,
    unit: Unit,
    members: &[&(Found, Gathered)],
    aggregates: &[Aggregate],
    lengths_ms: &[u64],
) -> Group {
    let steps: Vec<&Steps> = members
        .iter()
        .filter_map(|(_, gathered)| match &gathered.values {
            Values::Stepped(steps) => Some(steps),
            Values::Raw(_) => None,
        })
        .collect();
    let results =
        aggregates.iter().map(|&aggregate| (aggregate, Steps::points(&steps, aggregate))).collect();
    let counts = Steps::counts(&steps);
    let a_second: f64 =
        members.iter().map(|(found, _)| 1_000.0 / f64::from(found.series.cadence_ms.max(1))).sum();
    let coverage = counts.iter().zip(lengths_ms).map(|(&count, &ms)| share(count, ms, a_second));
    let coverage = coverage.collect();
    let mut gaps: Vec<GapSpan> =
        members.iter().flat_map(|(_, gathered)| gathered.gaps.iter().copied()).collect();
    gaps.sort_by_key(|gap| (gap.from_ms, gap.to_ms, gap.reason));
    gaps.dedup();
    let series = members.iter().map(|(found, _)| found.clone()).collect();
    Group { keys, unit, series, results, counts, coverage, gaps }
}

#[expect(clippy::cast_precision_loss, reason = "a step has far fewer samples than 2^52")]
fn share(count: u64, length_ms: u64, a_second: f64) -> f64 {
    let promised = length_ms as f64 / 1_000.0 * a_second;
    // A range may cut a step between two ticks: less than one sample is promised then.
    if promised < 1.0 { f64::from(u8::from(count > 0)) } else { (count as f64 / promised).min(1.0) }
}
