//! What the series' numbers mean in every epoch of a machine, kept from one question to the next.
//!
//! Numbers are only ever added, so a copy is whole while there are as many of them as it has.

use crate::caches::CacheMeter;
use crate::fleet::DeviceId;
use crate::store::{EpochKey, Store, StoreError};
use crate::telemetry::SeriesId;
use flyball_protocol::series::SeriesRef;
use moka::future::Cache;
use std::collections::HashMap;
use std::sync::Arc;

/// Machines whose numbers are kept: a thousand of 200 series are some megabytes.
const MACHINES: u64 = 1_000;

#[derive(Debug, Default)]
pub(crate) struct Dictionary(HashMap<EpochKey, Vec<Option<SeriesId>>>);

impl Dictionary {
    pub(crate) fn new(numbers: Vec<(EpochKey, SeriesRef, SeriesId)>) -> Self {
        let mut dictionary = Self::default();
        for (epoch, number, series) in numbers {
            let numbers = dictionary.0.entry(epoch).or_default();
            let at = number.0 as usize;
            if numbers.len() <= at {
                numbers.resize(at + 1, None);
            }
            numbers[at] = Some(series);
        }
        dictionary
    }

    /// How many numbers it has.
    pub(crate) fn len(&self) -> usize {
        self.0.values().flatten().filter(|series| series.is_some()).count()
    }

    /// The series of a number; `None` where this copy lacks it.
    pub(crate) fn series(&self, epoch: EpochKey, number: u32) -> Option<SeriesId> {
        *self.0.get(&epoch)?.get(number as usize)?
    }

    /// The same numbers with the `place` of each series in one question.
    pub(crate) fn places(
        &self,
        place: impl Fn(SeriesId) -> Option<usize>,
    ) -> HashMap<EpochKey, Vec<Place>> {
        let placed = |id: &Option<SeriesId>| match id {
            None => Place::Unknown,
            Some(id) => place(*id).map_or(Place::Other, Place::At),
        };
        let places = |numbers: &Vec<Option<SeriesId>>| numbers.iter().map(placed).collect();
        self.0.iter().map(|(epoch, numbers)| (*epoch, places(numbers))).collect()
    }
}

/// What a number is to one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The copy lacks it.
    Unknown,
    /// A series that nobody asks for.
    Other,
    /// The series at this place of the question's.
    At(usize),
}

#[derive(Clone, Debug)]
pub(crate) struct Dictionaries {
    kept: Cache<DeviceId, Arc<Dictionary>>,
    meter: CacheMeter,
}

impl Default for Dictionaries {
    fn default() -> Self {
        Self { kept: Cache::new(MACHINES), meter: CacheMeter::new("dictionaries") }
    }
}

impl Dictionaries {
    pub(crate) const fn meter(&self) -> &CacheMeter {
        &self.meter
    }

    pub(crate) async fn of(
        &self,
        store: &Store,
        machine: DeviceId,
    ) -> Result<Arc<Dictionary>, StoreError> {
        let known = self.kept.get(&machine).await;
        if let Some(known) = self.meter.asked(known) {
            return Ok(known);
        }
        let dictionary = Arc::new(Dictionary::new(store.series_numbers(machine).await?));
        self.kept.insert(machine, Arc::clone(&dictionary)).await;
        Ok(dictionary)
    }

    pub(crate) async fn forget(&self, machine: DeviceId) {
        self.kept.invalidate(&machine).await;
    }
}
