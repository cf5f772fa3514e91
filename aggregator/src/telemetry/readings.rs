//! Readings over a range, raw or gathered by step.

mod gaps;
mod gathering;
mod steps;
mod taken;

use crate::fleet::{Belonging, DeviceId};
use crate::store::{Store, StoreError};
use crate::telemetry::{Kind, NoData, SeriesId, SeriesInfo};
use flyball_protocol::block::BlockError;
use gathering::Gathering;
use std::ops::{Range, RangeInclusive};

/// No answer names more series.
pub const MAX_SERIES: usize = 200;
/// No answer holds more points.
pub const MAX_POINTS: usize = 200_000;
/// No answer reads more blocks: eleven days of a machine that seals one every ten seconds, and
/// seconds of work.
pub const MAX_BLOCKS: usize = 100_000;
/// Named gaps that one answer takes in; of more, the newest.
const MAX_GAPS: u32 = 10_000;
/// No step is shorter, and none is longer.
pub const STEP_MS: RangeInclusive<u64> = 1000..=7 * 24 * 60 * 60 * 1000;
/// The range where none is asked for.
pub const DEFAULT_RANGE_MS: u64 = 5 * 60 * 1000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    Avg,
    Min,
    Max,
    Sum,
    Count,
    Last,
}

impl Aggregate {
    pub const ALL: [Self; 6] =
        [Self::Avg, Self::Min, Self::Max, Self::Sum, Self::Count, Self::Last];

    /// The word of the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Avg => "avg",
            Self::Min => "min",
            Self::Max => "max",
            Self::Sum => "sum",
            Self::Count => "count",
            Self::Last => "last",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|aggregate| aggregate.name().eq_ignore_ascii_case(name))
    }
}

/// What is asked. An empty filter means every series of the device.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadingsQuery {
    /// The machine that reads.
    pub device: DeviceId,
    /// Its own series, or those of its equipment. Series that are named are answered whoever
    /// they belong to.
    pub belonging: Belonging,
    pub kind: Option<Kind>,
    pub metric: Option<String>,
    pub series: Vec<SeriesId>,
    /// Inclusive; `DEFAULT_RANGE_MS` before `to_ms` where absent.
    pub from_ms: Option<u64>,
    /// Exclusive; now where absent.
    pub to_ms: Option<u64>,
    /// Raw samples where absent.
    pub step_ms: Option<u64>,
    pub aggregate: Aggregate,
}

/// The answer, with the range as it was taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Readings {
    pub from_ms: u64,
    pub to_ms: u64,
    pub step_ms: Option<u64>,
    pub aggregate: Aggregate,
    pub series: Vec<SeriesReadings>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SeriesReadings {
    pub series: SeriesInfo,
    /// Raw: every sample that has a value. By step: every step of the range by its first
    /// millisecond, `None` where it has no sample (`count` says 0 there).
    pub points: Vec<(u64, Option<f64>)>,
    pub gaps: Vec<GapSpan>,
}

/// Ticks without a value, first to last inclusive, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GapSpan {
    pub from_ms: u64,
    pub to_ms: u64,
    pub reason: NoData,
}

#[derive(Debug, thiserror::Error)]
pub enum ReadingsError {
    #[error("device {0} is unknown")]
    UnknownDevice(DeviceId),
    #[error("{found} series match, at most {MAX_SERIES} are answered at once")]
    TooManySeries { found: usize },
    #[error("the answer has {found} points, at most {MAX_POINTS} are answered at once")]
    TooManyPoints { found: usize },
    #[error("the range has more than {MAX_BLOCKS} blocks, ask for a shorter one")]
    TooManyBlocks,
    #[error("the range is empty: from {from_ms} is not before to {to_ms}")]
    EmptyRange { from_ms: u64, to_ms: u64 },
    #[error("a step is 1 s to 7 days, not {step_ms} ms")]
    Step { step_ms: u64 },
    #[error("reading a stored block")]
    Block(#[from] BlockError),
    #[error("reading the store")]
    Store(#[from] StoreError),
}

impl ReadingsQuery {
    fn matches(&self, series: &SeriesInfo) -> bool {
        self.kind.is_none_or(|kind| kind == series.kind)
            && self.metric.as_ref().is_none_or(|metric| *metric == series.metric)
            && if self.series.is_empty() {
                self.belonging.holds(series)
            } else {
                self.series.contains(&series.id) && self.may_name(series)
            }
    }

    /// Equipment answers for its own series alone; its gateway for all of them.
    fn may_name(&self, series: &SeriesInfo) -> bool {
        match &self.belonging {
            Belonging::Own | Belonging::All => true,
            Belonging::Equipment(_) => self.belonging.holds(series),
        }
    }

    /// The range with its defaults, checked.
    fn range(&self, now_ms: u64) -> Result<Range<u64>, ReadingsError> {
        let to_ms = self.to_ms.unwrap_or(now_ms);
        let from_ms = self.from_ms.unwrap_or(to_ms.saturating_sub(DEFAULT_RANGE_MS));
        if from_ms >= to_ms {
            return Err(ReadingsError::EmptyRange { from_ms, to_ms });
        }
        Ok(from_ms..to_ms)
    }
}

pub(super) async fn answer(
    store: &Store,
    query: &ReadingsQuery,
    now_ms: u64,
) -> Result<Readings, ReadingsError> {
    let range = query.range(now_ms)?;
    let device = query.device;
    if store.device(device).await?.is_none() {
        return Err(ReadingsError::UnknownDevice(device));
    }
    let mut matching = store.series(device).await?;
    matching.retain(|series| query.matches(series));
    if matching.len() > MAX_SERIES {
        return Err(ReadingsError::TooManySeries { found: matching.len() });
    }
    let mut gathering = Gathering::new(&matching, range.clone(), query.step_ms)?;
    gathering.learn(store.series_numbers(device).await?);
    store
        .for_each_block(device, range.start, range.end, |block| {
            gathering.take_block(block.epoch, &block.data)
        })
        .await?;
    let gaps = store.gaps(device, range.start, range.end, MAX_GAPS).await?;
    let series = gathering.finish(matching, query.aggregate, &gaps);
    let Range { start: from_ms, end: to_ms } = range;
    let (step_ms, aggregate) = (query.step_ms, query.aggregate);
    Ok(Readings { from_ms, to_ms, step_ms, aggregate, series })
}
