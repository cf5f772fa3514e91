//! Devices and their series.

use crate::fleet::{CertificateInfo, Device, DeviceId, DeviceKind, Machine};
use crate::page::{Page, PageRequest};
use crate::store::StoreError;
use crate::store::sql::notices::Notice;
use crate::store::sql::presence::note_presence;
use crate::store::sql::{
    Connection, Row, Store, flag, from_json, ms, seen, to_json, unsigned, unsigned_option, word,
};
use crate::telemetry::{Kind, Reader, SeriesId, SeriesInfo, Unit};
use crate::tenancy::Sight;
use sqlx::Row as _;
use uuid::Uuid;

impl Store {
    pub(crate) async fn devices(&self, page: PageRequest) -> Result<Page<Device>, StoreError> {
        let total: i64 =
            sqlx::query_scalar("SELECT count(*) FROM devices WHERE deleted_at_ms IS NULL")
                .fetch_one(self.readers())
                .await?;
        let rows = sqlx::query(
            "SELECT * FROM devices WHERE deleted_at_ms IS NULL
             ORDER BY name, key LIMIT $1 OFFSET $2",
        )
        .bind(i64::from(page.per_page))
        .bind(ms(page.offset()))
        .fetch_all(self.readers())
        .await?;
        let items = rows.iter().map(device).collect::<Result<_, _>>()?;
        Ok(Page { items, total: unsigned(total) })
    }

    pub(crate) async fn device(&self, id: DeviceId) -> Result<Option<Device>, StoreError> {
        let row = sqlx::query("SELECT * FROM devices WHERE id = $1 AND deleted_at_ms IS NULL")
            .bind(id.to_string())
            .fetch_optional(self.readers())
            .await?;
        row.as_ref().map(device).transpose()
    }

    pub(crate) async fn default_device(
        &self,
        sight: &Sight,
    ) -> Result<Option<DeviceId>, StoreError> {
        let sql = format!(
            "SELECT id FROM devices WHERE deleted_at_ms IS NULL AND ($1 IS NULL OR id IN {})
             ORDER BY revoked_at_ms IS NOT NULL, kind <> 'real', key LIMIT 1",
            self.engine.listed("$1")
        );
        let id: Option<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .bind(seen(sight)?)
            .fetch_optional(self.readers())
            .await?;
        id.map(|id| word("id", &id, |id| id.parse().ok())).transpose()
    }

    #[cfg(test)]
    pub(crate) async fn add_device(&self, device: &Device) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        insert(&mut transaction, device).await?;
        transaction.commit().await?;
        Ok(())
    }

    pub(crate) async fn revoke_device(
        &self,
        id: DeviceId,
        now_ms: u64,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let done = sqlx::query(
            "UPDATE devices SET revoked_at_ms = $1, updated_at_ms = $1
             WHERE id = $2 AND revoked_at_ms IS NULL",
        )
        .bind(ms(now_ms))
        .bind(id.to_string())
        .execute(&mut *transaction)
        .await?;
        self.notify(&mut transaction, Notice::Revoked(id)).await?;
        transaction.commit().await?;
        Ok(done.rows_affected() == 1)
    }

    /// Takes down what the agent's `Hello` said, and that it came to `instance`. An agent without its guard can't tell a
    /// simulated tree from a real one: then the kind stays as it was.
    pub(crate) async fn device_connected(
        &self,
        id: DeviceId,
        machine: &Machine,
        guard_attached: bool,
        instance: Uuid,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "UPDATE devices SET machine = $2, guard_attached = $3, last_seen_at_ms = $4,
                    updated_at_ms = CASE WHEN machine = $2 THEN updated_at_ms ELSE $4 END,
                    kind = CASE WHEN $5 THEN $6 ELSE kind END
             WHERE id = $1",
        )
        .bind(id.to_string())
        .bind(to_json("machine", machine)?)
        .bind(i64::from(guard_attached))
        .bind(ms(now_ms))
        .bind(machine.simulated || guard_attached)
        .bind(DeviceKind::of(machine).name())
        .execute(&mut *transaction)
        .await?;
        note_presence(&mut transaction, id, now_ms, true, instance).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// What kind of machine it is, is known from its guard alone: one that is lost changes nothing.
    pub(crate) async fn guard_changed(
        &self,
        id: DeviceId,
        attached: bool,
        simulated: bool,
    ) -> Result<(), StoreError> {
        let kind = if simulated { DeviceKind::Simulated } else { DeviceKind::Real };
        let mut transaction = self.begin().await?;
        sqlx::query(
            "UPDATE devices SET guard_attached = $2, kind = CASE WHEN $4 THEN $3 ELSE kind END
             WHERE id = $1",
        )
        .bind(id.to_string())
        .bind(i64::from(attached))
        .bind(kind.name())
        .bind(attached)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    pub(crate) async fn device_left(
        &self,
        id: DeviceId,
        instance: Uuid,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query("UPDATE devices SET last_seen_at_ms = $1 WHERE id = $2")
            .bind(ms(now_ms))
            .bind(id.to_string())
            .execute(&mut *transaction)
            .await?;
        note_presence(&mut transaction, id, now_ms, false, instance).await?;
        transaction.commit().await?;
        Ok(())
    }

    pub(crate) async fn series(&self, device: DeviceId) -> Result<Vec<SeriesInfo>, StoreError> {
        let rows = sqlx::query(
            "SELECT s.* FROM series s JOIN devices d ON d.key = s.device
             WHERE d.id = $1 ORDER BY s.metric, s.id",
        )
        .bind(device.to_string())
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(series).collect()
    }
}

pub(super) async fn insert(
    connection: &mut Connection,
    device: &Device,
) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar(
        "INSERT INTO devices (id, name, kind, machine, guard_attached, certificate_serial,
           certificate_not_after_ms, enrolled_at_ms, created_at_ms, updated_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         RETURNING key",
    )
    .bind(device.id.to_string())
    .bind(&device.name)
    .bind(device.kind.name())
    .bind(to_json("machine", &device.machine)?)
    .bind(i64::from(device.guard_attached))
    .bind(&device.certificate.serial)
    .bind(ms(device.certificate.not_after_ms))
    .bind(ms(device.enrolled_at_ms))
    .bind(ms(device.created_at_ms))
    .bind(ms(device.updated_at_ms))
    .fetch_one(connection)
    .await?)
}

/// The database's own number of a device.
pub(super) async fn key(
    connection: &mut Connection,
    id: DeviceId,
) -> Result<Option<i64>, StoreError> {
    Ok(sqlx::query_scalar("SELECT key FROM devices WHERE id = $1 AND deleted_at_ms IS NULL")
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?)
}

pub(super) fn device(row: &Row) -> Result<Device, StoreError> {
    Ok(Device {
        id: word("id", row.try_get("id")?, |id| id.parse().ok())?,
        name: row.try_get("name")?,
        kind: word("kind", row.try_get("kind")?, DeviceKind::from_name)?,
        machine: from_json("machine", row.try_get("machine")?)?,
        guard_attached: flag(row, "guard_attached")?,
        online: false,
        certificate: CertificateInfo {
            serial: row.try_get("certificate_serial")?,
            not_after_ms: unsigned(row.try_get("certificate_not_after_ms")?),
        },
        version: unsigned(row.try_get("version")?),
        enrolled_at_ms: unsigned(row.try_get("enrolled_at_ms")?),
        last_seen_at_ms: unsigned_option(row.try_get("last_seen_at_ms")?),
        created_at_ms: unsigned(row.try_get("created_at_ms")?),
        updated_at_ms: unsigned(row.try_get("updated_at_ms")?),
        revoked_at_ms: unsigned_option(row.try_get("revoked_at_ms")?),
        quarantined_at_ms: unsigned_option(row.try_get("quarantined_at_ms")?),
    })
}

pub(super) const fn reader_name(reader: Reader) -> &'static str {
    match reader {
        Reader::Guard => "guard",
        Reader::Agent => "agent",
    }
}

pub(super) fn reader_from_name(name: &str) -> Option<Reader> {
    [Reader::Guard, Reader::Agent].into_iter().find(|reader| reader_name(*reader) == name)
}

pub(super) fn series(row: &Row) -> Result<SeriesInfo, StoreError> {
    Ok(SeriesInfo {
        id: SeriesId(row.try_get("id")?),
        metric: row.try_get("metric")?,
        kind: word("kind", row.try_get("kind")?, Kind::from_name)?,
        unit: word("unit", row.try_get("unit")?, Unit::from_ucum)?,
        attributes: from_json("attributes", row.try_get("attributes")?)?,
        cadence_ms: u32::try_from(row.try_get::<i64, _>("cadence_ms")?).unwrap_or(u32::MAX),
        reader: word("reader", row.try_get("reader")?, reader_from_name)?,
    })
}
