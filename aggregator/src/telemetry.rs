//! What the machines measured: series, readings over a range, gaps with their reasons, events.

pub mod event;
pub mod latest;
pub mod readings;
mod sampled;

use crate::clock::Clock;
use crate::fleet::DeviceId;
use crate::store::{Store, StoreError};
pub use event::{Event, EventId, EventQuery, Subjects};
pub use flyball_protocol::guard::Severity;
pub use flyball_protocol::series::Reader;
pub use flyball_units::{Kind, NoData, Unit};
pub use latest::{Latest, LatestValue};
pub use readings::{Aggregate, GapSpan, Readings, ReadingsError, ReadingsQuery, SeriesReadings};
pub use sampled::Sampled;
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
    store: Store,
    clock: Clock,
    latest: Latest,
}

impl Telemetry {
    pub(crate) fn new(store: Store, clock: Clock, latest: Latest) -> Self {
        Self { store, clock, latest }
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
        self.store.events(query).await
    }

    /// Readings of one device over a range, raw or by step.
    ///
    /// # Errors
    /// Where a bound is passed, naming it, or a block or the store fails.
    pub async fn readings(&self, query: &ReadingsQuery) -> Result<Readings, ReadingsError> {
        readings::answer(&self.store, query, self.clock.now_ms()).await
    }
}
