//! Series across machines, by id.

use crate::fleet::DeviceId;
use crate::store::StoreError;
use crate::store::sql::{Store, fleet, word};
use crate::telemetry::{Kind, SeriesId, SeriesInfo};
use sqlx::Row as _;

/// What the database can tell series apart by.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SeriesFilter {
    pub(crate) machine: Option<DeviceId>,
    pub(crate) kind: Option<Kind>,
    pub(crate) metric: Option<String>,
}

impl Store {
    /// Up to `limit` series with the machines that read them, by id, beginning after `after`.
    pub(crate) async fn series_page(
        &self,
        filter: &SeriesFilter,
        after: Option<SeriesId>,
        limit: u32,
    ) -> Result<Vec<(DeviceId, SeriesInfo)>, StoreError> {
        let rows = sqlx::query(
            "SELECT s.*, d.id AS device_id FROM series s JOIN devices d ON d.key = s.device
             WHERE s.id > $1 AND d.deleted_at_ms IS NULL
               AND ($2 = '' OR d.id = $2) AND ($3 = '' OR s.kind = $3)
               AND ($4 = '' OR s.metric = $4)
             ORDER BY s.id LIMIT $5",
        )
        .bind(after.map_or(0, |after| after.0))
        .bind(filter.machine.map(|machine| machine.to_string()).unwrap_or_default())
        .bind(filter.kind.map(Kind::name).unwrap_or_default().to_owned())
        .bind(filter.metric.clone().unwrap_or_default())
        .bind(i64::from(limit))
        .fetch_all(self.readers())
        .await?;
        rows.iter()
            .map(|row| {
                let machine: String = row.try_get("device_id")?;
                let machine = word("device", &machine, |id| id.parse().ok())?;
                Ok((machine, fleet::series(row)?))
            })
            .collect()
    }
}
