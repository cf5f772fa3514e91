//! Blocks, gaps and events of a range.

use crate::fleet::DeviceId;
use crate::store::StoreError;
use crate::store::sql::telemetry::EpochKey;
use crate::store::sql::{Store, fleet, ms, to_json, unsigned, word};
use crate::telemetry::event::{Event, EventId, EventQuery};
use crate::telemetry::{NoData, Reader, SeriesId, Severity, Unit};
use flyball_protocol::block::MAX_INTERVAL_MS;
use flyball_protocol::series::SeriesRef;
use futures_util::TryStreamExt;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

/// No block spans more: a range's first block begins no further before it.
const MAX_BLOCK_SPAN_MS: u64 = MAX_INTERVAL_MS as u64;

/// One stored block.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BlockRow {
    pub(crate) epoch: EpochKey,
    pub(crate) data: Vec<u8>,
}

/// A named gap; `reader` where every series of it is meant, else `series`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct GapRow {
    pub(crate) from_ms: u64,
    pub(crate) to_ms: u64,
    pub(crate) reader: Option<Reader>,
    pub(crate) series: Option<SeriesId>,
    pub(crate) reason: NoData,
}

impl Store {
    /// Hands every block with a tick in `from_ms..to_ms` to `each`, by its first tick. One at a
    /// time: a long range never stands in memory.
    pub(crate) async fn for_each_block<E: From<StoreError>>(
        &self,
        device: DeviceId,
        from_ms: u64,
        to_ms: u64,
        mut each: impl FnMut(BlockRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut rows = sqlx::query(
            "SELECT b.epoch, b.data FROM blocks b JOIN devices d ON d.key = b.device
             WHERE d.id = ?1 AND b.from_ms >= ?2 AND b.from_ms < ?3 AND b.to_ms >= ?4
             ORDER BY b.from_ms, b.id",
        )
        .bind(device.to_string())
        .bind(ms(from_ms.saturating_sub(MAX_BLOCK_SPAN_MS)))
        .bind(ms(to_ms))
        .bind(ms(from_ms))
        .fetch(self.readers());
        while let Some(row) = rows.try_next().await.map_err(StoreError::Sql)? {
            each(block(&row)?)?;
        }
        Ok(())
    }

    /// What the series' numbers are in every epoch of the device.
    pub(crate) async fn series_numbers(
        &self,
        device: DeviceId,
    ) -> Result<Vec<(EpochKey, SeriesRef, SeriesId)>, StoreError> {
        let rows = sqlx::query(
            "SELECT n.epoch, n.number, n.series FROM epoch_series n
             JOIN epochs e ON e.key = n.epoch JOIN devices d ON d.key = e.device
             WHERE d.id = ?",
        )
        .bind(device.to_string())
        .fetch_all(self.readers())
        .await?;
        rows.iter()
            .map(|row| {
                let number = SeriesRef(row.try_get("number")?);
                Ok((EpochKey(row.try_get("epoch")?), number, SeriesId(row.try_get("series")?)))
            })
            .collect()
    }

    /// The newest `limit` of the named gaps with a tick in `from_ms..to_ms`, in order.
    pub(crate) async fn gaps(
        &self,
        device: DeviceId,
        from_ms: u64,
        to_ms: u64,
        limit: u32,
    ) -> Result<Vec<GapRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT g.from_ms, g.to_ms, g.reader, g.series, g.reason FROM gaps g
             JOIN devices d ON d.key = g.device
             WHERE d.id = ? AND g.from_ms < ? AND g.to_ms >= ?
             ORDER BY g.from_ms DESC, g.id DESC LIMIT ?",
        )
        .bind(device.to_string())
        .bind(ms(to_ms))
        .bind(ms(from_ms))
        .bind(limit)
        .fetch_all(self.readers())
        .await?;
        rows.iter().rev().map(gap).collect()
    }

    pub(crate) async fn events(&self, query: &EventQuery) -> Result<Vec<Event>, StoreError> {
        let (before_ms, before_id) =
            query.before.map_or((None, None), |(at_ms, id)| (Some(ms(at_ms)), Some(id.0)));
        let kinds = Some(&query.kinds).filter(|kinds| !kinds.is_empty());
        let kinds = kinds.map(|kinds| to_json("kind", kinds)).transpose()?;
        let subjects = query.subjects.as_ref();
        let names = subjects.map(|about| to_json("subject", &about.names)).transpose()?;
        let rows = sqlx::query(
            "SELECT e.*, d.id AS device_id FROM events e JOIN devices d ON d.key = e.device
             WHERE (?1 IS NULL OR d.id = ?1) AND (?2 IS NULL OR e.severity >= ?2)
               AND (?3 IS NULL OR e.at_ms >= ?3) AND (?4 IS NULL OR e.at_ms < ?4)
               AND (?5 IS NULL OR (e.at_ms, e.id) < (?5, ?6))
               AND (?8 IS NULL OR EXISTS (SELECT 1 FROM json_each(?8) k WHERE e.kind = k.value
                    OR (substr(k.value, -2) = '.*'
                        AND substr(e.kind, 1, length(k.value) - 1)
                            = substr(k.value, 1, length(k.value) - 1))))
               AND (?9 IS NULL OR e.subject IN (SELECT value FROM json_each(?9))
                    OR (?10 IS NOT NULL
                        AND (e.subject = ?10 OR instr(e.subject, ?10 || '/') = 1)))
             ORDER BY e.at_ms DESC, e.id DESC LIMIT ?7",
        )
        .bind(query.device.map(|device| device.to_string()))
        .bind(query.severity.map(severity_rank))
        .bind(query.from_ms.map(ms))
        .bind(query.to_ms.map(ms))
        .bind(before_ms)
        .bind(before_id)
        .bind(query.limit)
        .bind(kinds)
        .bind(names)
        .bind(subjects.and_then(|subjects| subjects.equipment.as_ref()))
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(event).collect()
    }

    /// How many entries are stored, for tests and `stats`.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn counts(&self) -> Result<Counts, StoreError> {
        let row = sqlx::query(
            "SELECT (SELECT count(*) FROM devices WHERE deleted_at_ms IS NULL) AS devices,
                    (SELECT count(*) FROM series) AS series,
                    (SELECT coalesce(max(id), 0) FROM blocks) AS blocks,
                    (SELECT coalesce(max(id), 0) FROM events) AS events",
        )
        .fetch_one(self.readers())
        .await?;
        Ok(Counts {
            devices: unsigned(row.try_get("devices")?),
            series: unsigned(row.try_get("series")?),
            blocks: unsigned(row.try_get("blocks")?),
            events: unsigned(row.try_get("events")?),
        })
    }
}

/// What the store holds, as numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    pub devices: u64,
    pub series: u64,
    /// Blocks and events ever stored.
    pub blocks: u64,
    pub events: u64,
}

/// Its rank in the column, so that "this and worse" is a comparison.
pub(super) const fn severity_rank(severity: Severity) -> i64 {
    match severity {
        Severity::Info => 0,
        Severity::Warning => 1,
        Severity::Critical => 2,
    }
}

fn severity_from_rank(rank: i64) -> Result<Severity, StoreError> {
    [Severity::Info, Severity::Warning, Severity::Critical]
        .into_iter()
        .find(|severity| severity_rank(*severity) == rank)
        .ok_or_else(|| StoreError::Unknown { column: "severity", value: rank.to_string() })
}

fn block(row: &SqliteRow) -> Result<BlockRow, StoreError> {
    Ok(BlockRow { epoch: EpochKey(row.try_get("epoch")?), data: row.try_get("data")? })
}

fn gap(row: &SqliteRow) -> Result<GapRow, StoreError> {
    let reader: Option<&str> = row.try_get("reader")?;
    let code: u8 = row.try_get("reason")?;
    Ok(GapRow {
        from_ms: unsigned(row.try_get("from_ms")?),
        to_ms: unsigned(row.try_get("to_ms")?),
        reader: reader.map(|name| word("reader", name, fleet::reader_from_name)).transpose()?,
        series: row.try_get::<Option<i64>, _>("series")?.map(SeriesId),
        reason: NoData::from_code(code)
            .ok_or_else(|| StoreError::Unknown { column: "reason", value: code.to_string() })?,
    })
}

fn event(row: &SqliteRow) -> Result<Event, StoreError> {
    let unit: Option<&str> = row.try_get("unit")?;
    Ok(Event {
        id: EventId(row.try_get("id")?),
        device: word("device", row.try_get("device_id")?, |id| id.parse().ok())?,
        at_ms: unsigned(row.try_get("at_ms")?),
        kind: row.try_get("kind")?,
        severity: severity_from_rank(row.try_get("severity")?)?,
        subject: row.try_get("subject")?,
        message: row.try_get("message")?,
        reading: row.try_get("reading")?,
        threshold: row.try_get("threshold")?,
        unit: unit.map(|code| word("unit", code, Unit::from_ucum)).transpose()?,
    })
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::fleet::tests::device;
    use uuid::Uuid;

    #[tokio::test]
    async fn of_too_many_gaps_the_newest_are_answered_in_order() {
        let state = tempfile::tempdir().unwrap();
        let store = Store::open(&state.path().join("test.db")).await.unwrap();
        let device = device(Uuid::from_u128(1));
        store.add_device(&device).await.unwrap();
        let mut transaction = store.begin().await.unwrap();
        for from_ms in [30, 10, 40, 20] {
            sqlx::query(
                "INSERT INTO gaps (device, from_ms, to_ms, reader, reason, note)
                 VALUES (1, ?1, ?1, 'guard', 0, '')",
            )
            .bind(from_ms)
            .execute(&mut *transaction)
            .await
            .unwrap();
        }
        transaction.commit().await.unwrap();
        let gaps = store.gaps(device.id, 0, 100, 3).await.unwrap();
        assert_eq!(gaps.iter().map(|gap| gap.from_ms).collect::<Vec<_>>(), [20, 30, 40]);
    }
}
