//! Which series a question is about, and how they are found.

use crate::fleet::subject::equipment_of;
use crate::fleet::{Belonging, DeviceId, equipment_id};
use crate::store::SeriesFilter;
use crate::telemetry::readings::{Engine, MAX_SERIES, ReadingsError};
use crate::telemetry::selector::Selector;
use crate::telemetry::{Kind, SeriesId, SeriesInfo};
use crate::tenancy::Sight;
use std::sync::Arc;

/// Rows of the catalogue that are read at once.
const PAGE: u32 = 1_000;
/// Rows that one question looks through.
const MAX_SEARCHED: usize = 100_000;

/// An empty selection means every series there is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection {
    /// The machine that reads, and whether its own series or those of its equipment are meant.
    /// Series that are named are answered whoever they belong to.
    pub device: Option<(DeviceId, Belonging)>,
    pub kind: Option<Kind>,
    pub metric: Option<String>,
    pub series: Vec<SeriesId>,
    pub labels: Selector,
    /// Only those of devices that are seen.
    pub sight: Sight,
}

/// One series with whose it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The machine, or the equipment that the series belongs to.
    pub device: DeviceId,
    pub machine: DeviceId,
    pub series: Arc<SeriesInfo>,
}

impl Found {
    fn new(machine: DeviceId, series: SeriesInfo) -> Self {
        let device = equipment_of(&series).map_or(machine, |key| equipment_id(machine, key));
        Self { device, machine, series: Arc::new(series) }
    }
}

impl Selection {
    fn matches(&self, series: &SeriesInfo) -> bool {
        self.kind.is_none_or(|kind| kind == series.kind)
            && self.metric.as_ref().is_none_or(|metric| *metric == series.metric)
            && self.labels.matches(&series.attributes)
            && if self.series.is_empty() {
                self.device.as_ref().is_none_or(|(_, belonging)| belonging.holds(series))
            } else {
                self.series.contains(&series.id) && self.may_name(series)
            }
    }

    fn shows(&self, found: &Found) -> bool {
        self.sight.sees(found.device)
    }

    /// Equipment answers for its own series alone; its gateway for all of them.
    fn may_name(&self, series: &SeriesInfo) -> bool {
        match &self.device {
            None | Some((_, Belonging::Own | Belonging::All)) => true,
            Some((_, belonging @ Belonging::Equipment(_))) => belonging.holds(series),
        }
    }

    fn filter(&self) -> SeriesFilter {
        SeriesFilter {
            machine: self.device.as_ref().map(|(machine, _)| *machine),
            kind: self.kind,
            metric: self.metric.clone(),
        }
    }
}

impl Engine {
    /// Every series of the selection, by metric on one machine and by id across machines.
    pub(super) async fn find(&self, selection: &Selection) -> Result<Vec<Found>, ReadingsError> {
        let mut found = if let Some((machine, _)) = selection.device {
            if self.store.device(machine).await?.is_none() {
                return Err(ReadingsError::UnknownDevice(machine));
            }
            let series = self.store.series(machine).await?;
            series.into_iter().map(|series| Found::new(machine, series)).collect()
        } else {
            let (found, whole) = self.page(selection, None, MAX_SERIES + 1).await?;
            if !whole && found.len() <= MAX_SERIES {
                return Err(ReadingsError::TooManyToSearch);
            }
            found
        };
        found.retain(|found| selection.matches(&found.series) && selection.shows(found));
        if found.len() > MAX_SERIES { Err(ReadingsError::TooManySeries) } else { Ok(found) }
    }

    /// Up to `limit` series of the selection whose ids come after `after`, by id, and whether
    /// that is all that was to be looked through.
    pub(in crate::telemetry) async fn page(
        &self,
        selection: &Selection,
        after: Option<SeriesId>,
        limit: usize,
    ) -> Result<(Vec<Found>, bool), ReadingsError> {
        let filter = selection.filter();
        let mut after = after;
        let mut found = Vec::new();
        for _ in 0..MAX_SEARCHED / PAGE as usize {
            let rows = self.store.series_page(&filter, after, PAGE).await?;
            let last = rows.len() < PAGE as usize;
            after = rows.last().map(|(_, series)| series.id).or(after);
            let matching = rows.into_iter().filter(|(_, series)| selection.matches(series));
            let matching = matching.map(|(machine, series)| Found::new(machine, series));
            found.extend(matching.filter(|found| selection.shows(found)));
            if found.len() >= limit {
                let whole = last && found.len() == limit;
                found.truncate(limit);
                return Ok((found, whole));
            }
            if last {
                return Ok((found, true));
            }
        }
        Ok((found, false))
    }
}
