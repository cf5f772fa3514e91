//! What outlives the blocks: segments in an object store, and the rollups that outlive samples.
//!
//! `segment` is the pure format, `objects` the folder or bucket that segments lie in, and the
//! database knows which of them count. The compactor turns blocks into segments, merges and
//! thins them; the budget says when the room is full. Nothing here knows HTTP or how a block
//! came in.

pub mod budget;
mod compactor;
mod mark;
mod objects;
mod retention;
pub mod segment;
mod settings;
mod task;

#[cfg(test)]
mod tests;

pub use compactor::Pass;
pub use mark::ForeignStore;
pub(crate) use mark::{Claim, HistoryId, Mark};
pub use objects::{Objects, ObjectsError};
pub use segment::{Layout, Part, Rollup, Segment, SegmentError, Tier};
pub use settings::{Budget, HistorySettings, Retention, SettingsError};
pub use task::HistoryMetrics;

use crate::clock::Clock;
use crate::fleet::DeviceId;
use crate::metrics::Metrics;
use crate::resilience::Circuits;
use crate::store::{Store, StoreError};
use crate::telemetry::SeriesId;
use moka::future::Cache;
use segment::{HOUR_MS, MINUTE_MS};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;

/// Indexes and minutes that are kept after they were read.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;
/// Up to here a segment's minutes and hours are fetched and kept with its index.
const WHOLE_TAIL_BYTES: usize = 2 * 1024 * 1024;

/// A segment's number in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SegmentId(pub i64);

/// A span of one device, from inclusive, to exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    pub device: DeviceId,
    pub from_ms: u64,
    pub to_ms: u64,
}

/// Which blocks may become a segment by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settled {
    /// They begin before.
    pub(crate) before_ms: u64,
    /// They came until then.
    pub(crate) arrived_by_ms: u64,
    /// The newest that every export has sent on.
    pub(crate) through: i64,
}

/// Which segments may become one by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scattered {
    /// They end until then.
    pub(crate) before_ms: u64,
    /// The newest of them was made until then.
    pub(crate) made_by_ms: u64,
    /// So much they are together at most.
    pub(crate) max_bytes: u64,
}

/// One segment as the database knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct SegmentRow {
    pub id: SegmentId,
    /// What was gathered into it: every tick that a block of this span began with.
    pub window: Window,
    /// The first and the last tick that is there.
    pub first_ms: u64,
    pub last_ms: u64,
    pub tier: Tier,
    pub samples: u64,
    pub object: String,
    pub layout: Layout,
}

/// A segment that is to count from now on, and what it stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Publication<'a> {
    pub(crate) window: &'a Window,
    /// `None` where nothing was in what went into it.
    pub(crate) object: Option<&'a SegmentRow>,
    pub(crate) blocks: &'a [i64],
    pub(crate) segments: &'a [SegmentRow],
}

#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    #[error("the database of segments")]
    Store(#[from] StoreError),
    #[error("the object store")]
    Objects(#[from] ObjectsError),
    #[error("the settings of the history")]
    Settings(#[from] SettingsError),
    #[error("the segment {object}")]
    Segment {
        object: String,
        #[source]
        source: SegmentError,
    },
    #[error("making a segment of device {0}")]
    Making(DeviceId, #[source] SegmentError),
    #[error("the object {0} is another than the one that was published")]
    Replaced(String),
    #[error(transparent)]
    Foreign(#[from] ForeignStore),
    #[error("the object store has not answered within {0:?}")]
    Silent(Duration),
    #[error("another aggregator is marking its object store for this database; it has two minutes")]
    Unsettled,
    #[error("the encoding of a segment was cut off")]
    CutOff(#[from] tokio::task::JoinError),
}

/// What is asked of the history: samples, minutes or hours of some series.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    pub device: DeviceId,
    /// Inclusive.
    pub from_ms: u64,
    /// Exclusive.
    pub to_ms: u64,
    /// Every series where empty.
    pub series: &'a [SeriesId],
    /// The finest that is needed of whole minutes or hours. Where it is gone, the segment has what is left.
    pub tier: Tier,
}

impl Wanted<'_> {
    /// Does the range begin or end within a minute or hour of the segment? Its samples decide.
    fn cuts_a_rollup_of(&self, row: &SegmentRow) -> bool {
        let length_ms = match self.tier {
            Tier::Samples => return false,
            Tier::Minutes => MINUTE_MS,
            Tier::Hours => HOUR_MS,
        };
        let SegmentRow { first_ms, last_ms, .. } = *row;
        let within = |edge_ms: u64| {
            !edge_ms.is_multiple_of(length_ms) && first_ms <= edge_ms && edge_ms <= last_ms
        };
        within(self.from_ms) || within(self.to_ms)
    }
}

#[derive(Clone, Debug)]
pub struct History(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    store: Store,
    objects: Objects,
    clock: Clock,
    settings: HistorySettings,
    /// By object: they never change.
    tails: Cache<String, Segment>,
    metrics: HistoryMetrics,
    room: budget::RoomState,
    /// Set once the object store has shown to be this database's.
    recognised: OnceCell<()>,
    /// This process, among those that compact.
    holder: String,
    state: std::path::PathBuf,
}

impl History {
    /// # Errors
    /// Where the settings contradict themselves or the object store can't be opened.
    pub fn open(
        store: Store,
        clock: Clock,
        settings: &HistorySettings,
        state: &Path,
    ) -> Result<Self, HistoryError> {
        settings.check()?;
        let objects = Objects::open(settings, state)?;
        let tails = Cache::builder()
            .max_capacity(CACHE_BYTES)
            .weigher(|_, segment: &Segment| {
                u32::try_from(segment.resident_bytes()).unwrap_or(u32::MAX)
            })
            .build();
        let holder = clock.new_id().to_string();
        Ok(Self(Arc::new(Parts {
            store,
            objects,
            clock,
            settings: settings.clone(),
            tails,
            metrics: HistoryMetrics::default(),
            room: budget::RoomState::default(),
            recognised: OnceCell::new(),
            holder,
            state: state.to_owned(),
        })))
    }

    /// Shows itself in the metrics, and lets `circuits` judge calls to a bucket.
    pub(crate) fn register(&self, metrics: &Metrics, circuits: &Circuits) {
        self.0.objects.guard(circuits, &self.0.clock);
        self.0.metrics.register(metrics);
        let caches = [Some(&self.0.metrics.tails), self.0.objects.meter()];
        caches.into_iter().flatten().for_each(|meter| metrics.caches.watch(meter));
    }

    #[must_use]
    pub fn metrics(&self) -> &HistoryMetrics {
        &self.0.metrics
    }

    /// Hands every segment with a tick in the range to `each`, by its first tick; what is wanted
    /// of it is fetched and nothing else. One aligned minute can stand in two segments where a
    /// block began in one span and ended in the next: each has its own part of the minute. Gives back
    /// what it read, to be held against what there is afterwards.
    ///
    /// # Errors
    /// Where the database or the object store fails, a segment is damaged, or `each` fails.
    pub async fn for_each_segment<E: From<HistoryError>>(
        &self,
        wanted: &Wanted<'_>,
        mut each: impl FnMut(&Segment) -> Result<(), E>,
    ) -> Result<Vec<SegmentRow>, E> {
        let Wanted { device, from_ms, to_ms, .. } = *wanted;
        let rows =
            self.0.store.segments(device, from_ms, to_ms).await.map_err(HistoryError::from)?;
        for row in &rows {
            let tier = if wanted.cuts_a_rollup_of(row) { Tier::Samples } else { wanted.tier };
            let segment = self.fetch(row, wanted.series, tier).await?;
            each(&segment)?;
        }
        Ok(rows)
    }

    /// A segment with the parts of `series` at `tier`, or what is left of them, and at all coarser
    /// ones: they are small, and what they answer need not be decoded from the finer.
    async fn fetch(
        &self,
        row: &SegmentRow,
        series: &[SeriesId],
        tier: Tier,
    ) -> Result<Segment, HistoryError> {
        let segment = self.tail(row).await?;
        let parts: Vec<Part> = if series.is_empty() {
            segment.parts().collect()
        } else {
            series.iter().filter_map(|series| segment.part(*series)).collect()
        };
        let missing = parts.iter().flat_map(|part| {
            // Series that have few samples a minute are kept without their minutes.
            let is_slow = part.samples > 0 && !part.has_minutes;
            let finest = if is_slow && tier == Tier::Minutes { Tier::Samples } else { tier };
            let tiers = [Tier::Samples, Tier::Minutes, Tier::Hours].into_iter();
            let tiers = tiers.filter(move |tier| *tier >= finest.max(row.tier));
            let segment = &segment;
            tiers.filter_map(move |tier| segment.missing(part, tier))
        });
        let mut ranges: Vec<Range<usize>> = missing.collect();
        ranges.sort_by_key(|range| range.start);
        ranges.dedup();
        if ranges.is_empty() {
            return Ok(segment);
        }
        let ranges = joined(ranges);
        let asked: Vec<Range<u64>> =
            ranges.iter().map(|range| range.start as u64..range.end as u64).collect();
        let pieces = self.0.objects.parts(&row.object, &asked).await?;
        Ok(ranges
            .into_iter()
            .zip(pieces)
            .fold(segment, |segment, (range, bytes)| segment.with_piece(range.start, bytes)))
    }

    /// A segment with its index, and its minutes and hours where they are small.
    async fn tail(&self, row: &SegmentRow) -> Result<Segment, HistoryError> {
        let kept = self.0.tails.get(&row.object).await;
        if let Some(segment) = self.0.metrics.tails.asked(kept) {
            return Ok(segment);
        }
        let Layout { bytes, check, .. } = row.layout;
        let asked = tail_of(&row.layout);
        let tail = self.0.objects.parts(&row.object, std::slice::from_ref(&asked)).await?;
        let tail = tail.into_iter().next().unwrap_or_default();
        let segment = Segment::open_tail(tail, bytes)
            .map_err(|source| HistoryError::Segment { object: row.object.clone(), source })?;
        if segment.layout().check != check || segment.device() != row.window.device {
            return Err(HistoryError::Replaced(row.object.clone()));
        }
        self.0.tails.insert(row.object.clone(), segment.clone()).await;
        Ok(segment)
    }
}

/// The part of a segment that every question needs first.
fn tail_of(layout: &Layout) -> Range<u64> {
    let Layout { minutes_at, index_at, bytes, .. } = *layout;
    let at = if bytes - minutes_at <= WHOLE_TAIL_BYTES { minutes_at } else { index_at };
    at as u64..bytes as u64
}

/// Ranges that touch become one.
fn joined(ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let mut joined: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match joined.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => joined.push(range),
        }
    }
    joined
}
