//! The newest committed value of every series, for `/metrics` and `system/metrics`. Bounded by
//! the series that exist; lost with the process, and filled again by the next commit.

use crate::fleet::DeviceId;
use crate::telemetry::{Newest, SeriesId, SeriesInfo};
use flyball_units::NoData;
use std::collections::HashMap;
use std::collections::btree_map::{BTreeMap, Entry};
use std::sync::{Arc, PoisonError, RwLock};

#[derive(Clone, Debug, PartialEq)]
pub struct LatestValue {
    pub series: Arc<SeriesInfo>,
    pub at_ms: u64,
    pub value: Result<f64, NoData>,
}

type Values = HashMap<DeviceId, BTreeMap<SeriesId, LatestValue>>;

/// Shared under a lock: the committer writes once a commit, readers copy one device out.
#[derive(Clone, Debug, Default)]
pub struct Latest(Arc<RwLock<Values>>);

impl Latest {
    #[must_use]
    pub fn of(&self, device: DeviceId) -> Vec<LatestValue> {
        let values = self.0.read().unwrap_or_else(PoisonError::into_inner);
        values.get(&device).map(|series| series.values().cloned().collect()).unwrap_or_default()
    }

    /// The devices that have values.
    #[must_use]
    pub fn devices(&self) -> Vec<DeviceId> {
        let values = self.0.read().unwrap_or_else(PoisonError::into_inner);
        values.keys().copied().collect()
    }

    /// Every device's newest values, for the exposition.
    #[must_use]
    pub fn all(&self) -> Vec<(DeviceId, Vec<LatestValue>)> {
        let values = self.0.read().unwrap_or_else(PoisonError::into_inner);
        values.iter().map(|(id, series)| (*id, series.values().cloned().collect())).collect()
    }

    /// Lets go of what was erased; gives back the series that had values.
    pub(crate) fn forget(&self, device: DeviceId) -> Vec<Arc<SeriesInfo>> {
        let mut values = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let forgotten = values.remove(&device).unwrap_or_default();
        forgotten.into_values().map(|latest| latest.series).collect()
    }

    /// Takes what was sampled; what is older than what is known is passed over. It costs least
    /// where a device's series come behind each other.
    pub(crate) fn update<'a>(&self, newest: impl IntoIterator<Item = Newest<'a>>) {
        let mut newest = newest.into_iter().peekable();
        let mut values = self.0.write().unwrap_or_else(PoisonError::into_inner);
        while let Some(device) = newest.peek().map(|newest| newest.device) {
            let known = values.entry(device).or_default();
            while let Some(newer) = newest.next_if(|newest| newest.device == device) {
                let Newest { series, at_ms, value, .. } = newer;
                let new = || LatestValue { series: Arc::clone(series), at_ms, value };
                match known.entry(series.id) {
                    Entry::Vacant(room) => {
                        room.insert(new());
                    }
                    Entry::Occupied(mut latest) if latest.get().at_ms <= at_ms => {
                        let latest = latest.get_mut();
                        if Arc::ptr_eq(&latest.series, series) {
                            (latest.at_ms, latest.value) = (at_ms, value);
                        } else {
                            *latest = new();
                        }
                    }
                    Entry::Occupied(_) => {}
                }
            }
        }
    }
}
