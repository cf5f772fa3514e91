//! What the machines measured: series, readings over a range, gaps with their reasons, events.

pub mod aggregate;
mod dictionary;
pub mod event;
pub mod latest;
pub mod readings;
mod sampled;
pub mod selector;

use crate::clock::Clock;
use crate::fleet::DeviceId;
use crate::history::History;
use crate::metrics::Metrics;
use crate::store::{Store, StoreError};
pub use aggregate::Aggregate;
pub(crate) use dictionary::Dictionary;
pub use event::{Event, EventId, EventQuery, Subjects};
pub use flyball_protocol::guard::Severity;
pub use flyball_protocol::series::Reader;
pub use flyball_units::{Kind, NoData, Unit};
pub use latest::{Latest, LatestValue};
use readings::Engine;
pub use readings::{
    Found, GapSpan, Group, GroupBy, GroupKey, Grouped, Question, Readings, ReadingsError,
    ReadingsQuery, Rows, SampleRow, Selection, SeriesReadings, StepChoice,
};
pub use sampled::{Newest, Sampled};
pub use selector::{Selector, SelectorError};
use serde::{Deserialize, Serialize};

/// A series' number at this aggregator: the same over epochs and restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SeriesId(pub i64);

/// One series as its machine announced it.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesInfo {
    pub id: SeriesId,
    pub metric: String,
    pub kind: Kind,
    pub unit: Unit,
    /// Sorted by key.
    pub attributes: Vec<(String, String)>,
    pub cadence_ms: u32,
    pub reader: Reader,
}

/// The questions that telemetry answers.
#[derive(Clone, Debug)]
pub struct Telemetry {
    engine: Engine,
    latest: Latest,
}

impl Telemetry {
    pub(crate) fn new(store: Store, history: History, clock: Clock, latest: Latest) -> Self {
        Self { engine: Engine::new(store, history, clock), latest }
    }

    pub(crate) fn register(&self, metrics: &Metrics) {
        self.engine.meters().into_iter().for_each(|meter| metrics.caches.watch(meter));
    }

    /// The newest value of every series of the device, as committed since this process started.
    #[must_use]
    pub fn latest(&self, device: DeviceId) -> Vec<LatestValue> {
        self.latest.of(device)
    }

    /// Events, newest first.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn events(&self, query: &EventQuery) -> Result<Vec<Event>, StoreError> {
        self.engine.store.events(query).await
    }

    /// Up to `limit` series of the selection with ids after `after`, by id.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn series(
        &self,
        selection: &Selection,
        after: Option<SeriesId>,
        limit: usize,
    ) -> Result<Vec<Found>, ReadingsError> {
        Ok(self.engine.page(selection, after, limit).await?.0)
    }

    /// Readings over a range, raw or by step.
    ///
    /// # Errors
    /// Where a bound is passed, naming it, or a block or the store fails.
    pub async fn readings(&self, query: &ReadingsQuery) -> Result<Readings, ReadingsError> {
        self.engine.readings(query).await
    }

    /// Raw readings, or those by step, one row after another.
    ///
    /// # Errors
    /// As those of `readings`, before the first row; later ones stand among the rows.
    pub async fn rows(&self, query: &ReadingsQuery) -> Result<Rows, ReadingsError> {
        match query.step_ms {
            None => self.engine.rows(query).await,
            Some(_) => Ok(Rows::of(self.readings(query).await?)),
        }
    }

    /// Series put together by step.
    ///
    /// # Errors
    /// As those of `readings`.
    pub async fn grouped(&self, question: &Question) -> Result<Grouped, ReadingsError> {
        self.engine.grouped(question).await
    }
}
