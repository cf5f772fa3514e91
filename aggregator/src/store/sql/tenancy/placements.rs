//! Where devices belong and stand.

use super::changed;
use crate::access::{LocationId, OrganizationId, SiteId};
use crate::audit::AuditEntry;
use crate::fleet::DeviceId;
use crate::store::StoreError;
use crate::store::sql::record::record;
use crate::store::sql::tenancy::Change;
use crate::store::sql::{
    Connection, Row, Store, audit, from_json, id, id_option, ms, to_json, unsigned,
};
use crate::tenancy::{Placed, Placement};
use sqlx::Row as _;
use std::collections::HashMap;

impl Store {
    pub(super) async fn placements_by_device(
        &self,
    ) -> Result<HashMap<DeviceId, Placement>, StoreError> {
        let rows = sqlx::query("SELECT * FROM placements").fetch_all(self.readers()).await?;
        rows.iter().map(|row| placed(row).map(|placed| (placed.device, placed.placement))).collect()
    }

    pub(crate) async fn placement(&self, device: DeviceId) -> Result<Option<Placed>, StoreError> {
        let row = sqlx::query("SELECT * FROM placements WHERE device = $1")
            .bind(device.to_string())
            .fetch_optional(self.readers())
            .await?;
        row.as_ref().map(placed).transpose()
    }

    /// Where each of `devices` stands that somebody has placed.
    pub(crate) async fn placements_of(
        &self,
        devices: &[DeviceId],
    ) -> Result<Vec<Placed>, StoreError> {
        let listed = self.engine.listed("$1");
        let sql = format!("SELECT * FROM placements WHERE device IN {listed} ORDER BY device");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(to_json("devices", &devices)?)
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(placed).collect()
    }

    /// What stands at a location itself, by its unit.
    pub(crate) async fn placed_at(&self, location: LocationId) -> Result<Vec<Placed>, StoreError> {
        let rows = sqlx::query("SELECT * FROM placements WHERE location = $1 ORDER BY device")
            .bind(location.to_string())
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(placed).collect()
    }

    /// Puts a device where `placed` says, if what stood there is of version `expected` (0: nothing).
    pub(crate) async fn place(
        &self,
        placed: &Placed,
        expected: Option<u64>,
        entry: &AuditEntry,
    ) -> Result<Change, StoreError> {
        let mut transaction = self.begin().await?;
        let before = version(&mut transaction, placed.device).await?;
        if expected.is_some_and(|expected| expected != before) {
            return Ok(Change::Stale);
        }
        put(&mut transaction, placed).await?;
        audit::append(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(Change::Done)
    }
}

/// What is changed of one device, with the versions that it is changed from.
#[derive(Debug)]
pub struct DeviceChange<'a> {
    pub device: DeviceId,
    pub name: Option<(&'a str, u64)>,
    pub placed: Option<(&'a Placed, u64)>,
    pub entry: &'a AuditEntry,
}

impl Store {
    /// Does all of `changes` in one transaction, or nothing: then the device is named that is
    /// another version by now.
    pub(crate) async fn change_devices(
        &self,
        changes: &[DeviceChange<'_>],
        now_ms: u64,
    ) -> Result<Option<DeviceId>, StoreError> {
        let mut transaction = self.begin().await?;
        for change in changes {
            if let Some((name, version)) = change.name
                && !rename(&mut transaction, change.device, name, version, now_ms).await?
            {
                return Ok(Some(change.device));
            }
            if let Some((placed, expected)) = change.placed {
                if version(&mut transaction, change.device).await? != expected {
                    return Ok(Some(change.device));
                }
                put(&mut transaction, placed).await?;
            }
            audit::append(&mut transaction, change.entry).await?;
        }
        transaction.commit().await?;
        Ok(None)
    }
}

/// False where it is another version by now.
async fn rename(
    connection: &mut Connection,
    device: DeviceId,
    name: &str,
    version: u64,
    now_ms: u64,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE devices SET name = $1, updated_at_ms = $2, version = version + 1
         WHERE id = $3 AND version = $4 AND deleted_at_ms IS NULL",
    )
    .bind(name)
    .bind(ms(now_ms))
    .bind(device.to_string())
    .bind(ms(version))
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Of a placement; 0 where there is none.
async fn version(connection: &mut Connection, device: DeviceId) -> Result<u64, StoreError> {
    let version: Option<i64> =
        sqlx::query_scalar("SELECT version FROM placements WHERE device = $1")
            .bind(device.to_string())
            .fetch_optional(connection)
            .await?;
    Ok(version.map_or(0, unsigned))
}

/// Writes a placement, in the transaction of what it belongs to.
pub(in crate::store::sql) async fn put(
    connection: &mut Connection,
    placed: &Placed,
) -> Result<(), StoreError> {
    let Placement { organization, site, location, body } = &placed.placement;
    sqlx::query(
        "INSERT INTO placements (device, organization, site, location, body, created_at_ms,
           created_by, updated_at_ms, updated_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $6, $7)
         ON CONFLICT (device) DO UPDATE SET organization = $2, site = $3, location = $4, body = $5,
           updated_at_ms = $6, updated_by = $7, version = placements.version + 1",
    )
    .bind(placed.device.to_string())
    .bind(organization.map(|id| id.to_string()))
    .bind(site.map(|id| id.to_string()))
    .bind(location.map(|id| id.to_string()))
    .bind(to_json("placements.body", body)?)
    .bind(ms(placed.record.updated_at_ms))
    .bind(placed.record.updated_by.map(|user| user.to_string()))
    .execute(&mut *connection)
    .await?;
    changed(connection).await
}

fn placed(row: &Row) -> Result<Placed, StoreError> {
    Ok(Placed {
        device: DeviceId(id(row, "device")?),
        placement: Placement {
            organization: id_option(row, "organization")?.map(OrganizationId),
            site: id_option(row, "site")?.map(SiteId),
            location: id_option(row, "location")?.map(LocationId),
            body: from_json("placements.body", row.try_get("body")?)?,
        },
        record: record(row)?,
    })
}
