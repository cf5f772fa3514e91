//! Readings over a range, of one machine or of all: raw, or gathered by step and put together
//! across series.
//!
//! Blocks are read by the store's tasks and decoded on threads of their own; every bound stands
//! here, and an error names the one that it is about.

mod budget;
mod counter;
mod gaps;
mod gathering;
mod grouping;
mod machine;
mod recent;
mod rolled;
mod rows;
mod segments;
mod selection;
mod steps;
mod taken;

use crate::caches::CacheMeter;
use crate::clock::Clock;
use crate::fleet::DeviceId;
use crate::history::{History, HistoryError, SegmentError};
use crate::store::{Store, StoreError};
use crate::telemetry::aggregate::Aggregate;
use crate::telemetry::dictionary::Dictionaries;
use crate::telemetry::{NoData, SeriesInfo};
use budget::Budget;
use flyball_protocol::block::BlockError;
use futures_util::{StreamExt, TryStreamExt, stream};
use gathering::{Form, Gathered, Values};
pub use grouping::{Group, GroupBy, GroupKey, Grouped, Question, StepChoice};
use recent::RecentBlocks;
pub use rows::{Rows, SampleRow};
pub use selection::{Found, Selection};
use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;
use std::time::Duration;
use steps::{Grid, Steps, Wants};
use tokio::sync::Semaphore;

/// No answer names more series.
pub const MAX_SERIES: usize = 500;
/// No answer holds more points.
pub const MAX_POINTS: usize = 200_000;
/// Steps of all series that are gathered before they are put together: some 64 bytes each.
pub const MAX_STEPS: usize = 1_000_000;
/// No answer reads more blocks: eleven days of a machine that seals one every ten seconds, and
/// seconds of work.
pub const MAX_BLOCKS: usize = 100_000;
/// No answer reads more bytes of blocks.
pub const MAX_BYTES: usize = 1024 * 1024 * 1024;
/// Samples that percentiles hold in memory, eight bytes each.
pub const MAX_VALUES: usize = 4_000_000;
/// No question takes longer.
pub const MAX_TIME: Duration = Duration::from_secs(20);
/// Questions that read at the same time; others wait for their turn within their own time.
const MAX_AT_ONCE: usize = 4;
/// Machines of one question that are read at the same time.
const MACHINES_AT_ONCE: usize = 2;
/// Named gaps that one answer takes in of one machine; of more, the newest.
const MAX_GAPS: u32 = 10_000;
/// No step is shorter, and none is longer.
pub const STEP_MS: RangeInclusive<u64> = 1000..=31 * 24 * 60 * 60 * 1000;
/// The range where none is asked for.
pub const DEFAULT_RANGE_MS: u64 = 5 * 60 * 1000;

/// Which samples are asked for, raw or by step.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadingsQuery {
    pub selection: Selection,
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

/// Unix milliseconds and what there is at them.
pub type Points = Vec<(u64, Option<f64>)>;

#[derive(Clone, Debug, PartialEq)]
pub struct SeriesReadings {
    /// The machine, or the equipment that the series belongs to.
    pub device: DeviceId,
    pub series: Arc<SeriesInfo>,
    /// Raw: every sample that has a value. By step: every step of the range by its first
    /// millisecond, `None` where it has no sample (`count` says 0 there).
    pub points: Points,
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
    #[error("more than {MAX_SERIES} series match, and no more are answered at once; select fewer")]
    TooManySeries,
    #[error("so many series are no answer to look through: name a device, metric or reading type")]
    TooManyToSearch,
    #[error("the answer has {found} points, at most {MAX_POINTS} are answered at once")]
    TooManyPoints { found: usize },
    #[error(
        "{series} series by {steps} steps are more than {MAX_STEPS}; ask for fewer or longer steps"
    )]
    TooManySteps { series: usize, steps: usize },
    #[error("the range has more than {MAX_BLOCKS} blocks, ask for a shorter one")]
    TooManyBlocks,
    #[error(
        "the blocks of the range have more than {max} MiB, ask for a shorter one",
        max = MAX_BYTES / 1024 / 1024
    )]
    TooManyBytes,
    #[error(
        "percentiles are exact and hold at most {MAX_VALUES} samples, ask for a shorter range or \
         fewer series"
    )]
    TooManyValues,
    #[error("the question took longer than {max} s, ask for less at once", max = MAX_TIME.as_secs())]
    TooLong,
    #[error("{max} streams of rows are being read, and no more at once", max = rows::MAX_STREAMS)]
    TooManyStreams,
    #[error("the range is empty: from {from_ms} is not before to {to_ms}")]
    EmptyRange { from_ms: u64, to_ms: u64 },
    #[error("a step is 1 s to 31 days, not {step_ms} ms")]
    Step { step_ms: u64 },
    #[error("a block shows a series that its machine has not announced")]
    Stale,
    #[error("reading a stored block")]
    Block(#[from] BlockError),
    #[error("reading the store")]
    Store(#[from] StoreError),
    #[error("reading the history")]
    History(#[from] HistoryError),
    #[error("reading a segment of the history")]
    Segment(#[from] SegmentError),
    #[error("a thread that decodes has failed")]
    Thread(#[from] tokio::task::JoinError),
}

/// What answers questions: the store, and what is kept from one to the next.
#[derive(Clone, Debug)]
pub(super) struct Engine {
    pub(super) store: Store,
    history: History,
    clock: Clock,
    dictionaries: Dictionaries,
    recent: RecentBlocks,
    turns: Arc<Semaphore>,
    streams: Arc<Semaphore>,
}

impl Engine {
    pub(super) fn new(store: Store, history: History, clock: Clock) -> Self {
        let turns = Arc::new(Semaphore::new(MAX_AT_ONCE));
        let streams = Arc::new(Semaphore::new(rows::MAX_STREAMS));
        let (dictionaries, recent) = (Dictionaries::default(), RecentBlocks::default());
        Self { store, history, clock, dictionaries, recent, turns, streams }
    }

    pub(super) fn meters(&self) -> [&CacheMeter; 2] {
        [self.dictionaries.meter(), self.recent.meter()]
    }

    pub(super) async fn readings(&self, query: &ReadingsQuery) -> Result<Readings, ReadingsError> {
        let range = self.range(query.from_ms, query.to_ms)?;
        let (step_ms, aggregate) = (query.step_ms, query.aggregate);
        let found = self.find(&query.selection).await?;
        let form = match step_ms {
            None => Form::Raw,
            Some(step_ms) => Form::Stepped(
                grid(&range, step_ms, found.len(), 1)?,
                Wants::of(&[aggregate], false),
            ),
        };
        let budget = match form {
            Form::Raw => Budget::of_points(),
            Form::Stepped(..) => Budget::default(),
        };
        let gathered = self.gather(found, range.clone(), form, budget).await?;
        let points = |values| match values {
            Values::Raw(points) => {
                points.into_iter().map(|(at, value)| (at, Some(value))).collect()
            }
            Values::Stepped(steps) => Steps::points(&[&steps], aggregate),
        };
        let series = gathered.into_iter().map(|(found, gathered)| SeriesReadings {
            device: found.device,
            series: found.series,
            points: points(gathered.values),
            gaps: gathered.gaps,
        });
        let Range { start: from_ms, end: to_ms } = range;
        Ok(Readings { from_ms, to_ms, step_ms, aggregate, series: series.collect() })
    }

    /// The range with its defaults, checked.
    pub(super) fn range(
        &self,
        from_ms: Option<u64>,
        to_ms: Option<u64>,
    ) -> Result<Range<u64>, ReadingsError> {
        let to_ms = to_ms.unwrap_or_else(|| self.clock.now_ms());
        let from_ms = from_ms.unwrap_or(to_ms.saturating_sub(DEFAULT_RANGE_MS));
        if from_ms >= to_ms {
            return Err(ReadingsError::EmptyRange { from_ms, to_ms });
        }
        Ok(from_ms..to_ms)
    }

    /// Everything of `found`, in its order, within the time of one question.
    async fn gather(
        &self,
        found: Vec<Found>,
        range: Range<u64>,
        form: Form,
        budget: Budget,
    ) -> Result<Vec<(Found, Gathered)>, ReadingsError> {
        let budget = Arc::new(budget);
        let mut machines: BTreeMap<DeviceId, Vec<Arc<SeriesInfo>>> = BTreeMap::new();
        for found in &found {
            machines.entry(found.machine).or_default().push(Arc::clone(&found.series));
        }
        let machines = machines.into_iter().map(|(machine, series)| {
            self.machine(machine, series, range.clone(), form, Arc::clone(&budget))
        });
        let all = async {
            let _turn = self.turns.acquire().await;
            stream::iter(machines).buffer_unordered(MACHINES_AT_ONCE).try_collect::<Vec<_>>().await
        };
        let gathered = tokio::time::timeout(MAX_TIME, all).await;
        let gathered = gathered.map_err(|_| ReadingsError::TooLong)??;
        let mut by_series: BTreeMap<_, Gathered> = gathered.into_iter().flatten().collect();
        let take = |found: Found| Some((found.clone(), by_series.remove(&found.series.id)?));
        Ok(found.into_iter().filter_map(take).collect())
    }
}

/// The steps of a question; refused where they are too many before anything is read.
fn grid(
    range: &Range<u64>,
    step_ms: u64,
    series: usize,
    aggregates: usize,
) -> Result<Grid, ReadingsError> {
    if !STEP_MS.contains(&step_ms) {
        return Err(ReadingsError::Step { step_ms });
    }
    let grid = Grid::new(range, step_ms);
    let points = grid.count.saturating_mul(aggregates);
    if points > MAX_POINTS {
        return Err(ReadingsError::TooManyPoints { found: points });
    }
    if grid.count.saturating_mul(series) > MAX_STEPS {
        return Err(ReadingsError::TooManySteps { series, steps: grid.count });
    }
    Ok(grid)
}

#[cfg(test)]
mod tests;
