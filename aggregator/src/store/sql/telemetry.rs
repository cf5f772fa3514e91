//! Epochs, series, blocks, events and gaps: what ingest commits and what queries read.

mod catalogue;
mod commit;
pub(super) mod events;
mod outbox;
mod quarantine;
mod query;
mod replay;

pub(crate) use catalogue::SeriesFilter;
pub(crate) use commit::{Arrival, ArrivalBody, Committed, Scope};
pub(super) use events::event as read_event;
pub(crate) use outbox::OutgoingBlock;
pub(crate) use quarantine::Reason;
pub use query::Counts;
pub(crate) use query::{BlockRow, BlocksPrint, GapRow};
pub(crate) use replay::CommittedBlock;
pub use replay::Watermark;

use crate::fleet::DeviceId;
use crate::store::StoreError;
use crate::store::sql::{Connection, Row, Store, fleet, from_blob, ms, small, to_blob, to_json};
use crate::telemetry::SeriesInfo;
use flyball_protocol::series::{SeriesDef, SeriesRef};
use flyball_protocol::sync::{Epoch, Ranges, Seq};
use sqlx::Row as _;

/// The database's own number of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct DeviceKey(pub(super) i64);

/// The database's own number of one epoch of one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct EpochKey(pub(super) i64);

#[cfg(test)]
impl EpochKey {
    pub(crate) const fn for_test(key: i64) -> Self {
        Self(key)
    }
}

/// One entry of one epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EntryKey {
    pub(crate) epoch: EpochKey,
    pub(crate) seq: Seq,
}

#[cfg(test)]
impl EntryKey {
    pub(crate) const fn for_test(epoch: i64, seq: u64) -> Self {
        Self { epoch: EpochKey(epoch), seq: Seq(seq) }
    }
}

/// An epoch as a session begins with it.
#[derive(Clone, Debug)]
pub(crate) struct OpenEpoch {
    pub(crate) device: DeviceKey,
    pub(crate) epoch: EpochKey,
    /// What is committed of it.
    pub(crate) ranges: Ranges,
    pub(crate) dictionary: Vec<(SeriesRef, SeriesInfo)>,
}

impl Store {
    /// The epoch of a device, made where it is new; `None` where there is no such device.
    pub(crate) async fn open_epoch(
        &self,
        device: DeviceId,
        epoch: Epoch,
        now_ms: u64,
    ) -> Result<Option<OpenEpoch>, StoreError> {
        let mut transaction = self.begin().await?;
        let Some(device) = fleet::key(&mut transaction, device).await? else {
            return Ok(None);
        };
        sqlx::query(
            "INSERT INTO epochs (device, epoch, ranges, created_at_ms) VALUES ($1, $2, $3, $4)
             ON CONFLICT DO NOTHING",
        )
        .bind(device)
        .bind(epoch.0.cast_signed())
        .bind(to_blob("ranges", &Ranges::new())?)
        .bind(ms(now_ms))
        .execute(&mut *transaction)
        .await?;
        let row = sqlx::query("SELECT key, ranges FROM epochs WHERE device = $1 AND epoch = $2")
            .bind(device)
            .bind(epoch.0.cast_signed())
            .fetch_one(&mut *transaction)
            .await?;
        let epoch = EpochKey(row.try_get("key")?);
        let ranges = from_blob("ranges", row.try_get("ranges")?)?;
        let dictionary = dictionary(&mut transaction, epoch).await?;
        transaction.commit().await?;
        Ok(Some(OpenEpoch { device: DeviceKey(device), epoch, ranges, dictionary }))
    }

    /// Gives every definition its series, made where it is new, and notes the epoch's numbers.
    /// The caller has seen to it that no number changes its meaning within the epoch.
    pub(crate) async fn define_series(
        &self,
        device: DeviceKey,
        epoch: EpochKey,
        definitions: &[SeriesDef],
        now_ms: u64,
    ) -> Result<Vec<(SeriesRef, SeriesInfo)>, StoreError> {
        let mut transaction = self.begin().await?;
        let mut defined = Vec::with_capacity(definitions.len());
        for definition in definitions {
            let row = sqlx::query(
                "INSERT INTO series
                   (device, metric, kind, unit, attributes, cadence_ms, reader, created_at_ms)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                 ON CONFLICT (device, metric, unit, attributes, reader)
                 DO UPDATE SET kind = excluded.kind, cadence_ms = excluded.cadence_ms
                 RETURNING *",
            )
            .bind(device.0)
            .bind(&definition.metric)
            .bind(definition.kind.name())
            .bind(definition.unit.ucum())
            .bind(to_json("attributes", &definition.attributes)?)
            .bind(i64::from(definition.cadence_ms))
            .bind(fleet::reader_name(definition.reader))
            .bind(ms(now_ms))
            .fetch_one(&mut *transaction)
            .await?;
            let series = fleet::series(&row)?;
            sqlx::query(
                "INSERT INTO epoch_series (epoch, number, series) VALUES ($1, $2, $3)
                 ON CONFLICT DO NOTHING",
            )
            .bind(epoch.0)
            .bind(i64::from(definition.number.0))
            .bind(series.id.0)
            .execute(&mut *transaction)
            .await?;
            defined.push((definition.number, series));
        }
        transaction.commit().await?;
        Ok(defined)
    }
}

async fn dictionary(
    connection: &mut Connection,
    epoch: EpochKey,
) -> Result<Vec<(SeriesRef, SeriesInfo)>, StoreError> {
    let rows = sqlx::query(
        "SELECT e.number, s.* FROM epoch_series e JOIN series s ON s.id = e.series
         WHERE e.epoch = $1",
    )
    .bind(epoch.0)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok((number(row)?, fleet::series(row)?))).collect()
}

/// A series' number within its epoch.
fn number(row: &Row) -> Result<SeriesRef, StoreError> {
    Ok(SeriesRef(small("number", row.try_get("number")?)?))
}
