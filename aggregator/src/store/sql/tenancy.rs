//! Organizations, places, and roles over a part of the fleet.

mod bindings;
mod entities;
pub(in crate::store::sql) mod placements;

use crate::access::{GroupId, LocationId, OrganizationId, SiteId};
use crate::fleet::DeviceId;
use crate::store::StoreError;
use crate::store::sql::{Connection, Store, from_json, unsigned, word};
use crate::tenancy::map::{Map, Rows};
pub use bindings::{Binding, NewBinding};
pub use entities::{Change, EntityQuery, NewEntity};
use sqlx::Row as _;
use uuid::Uuid;

impl Store {
    /// Counts the changes of the tenancy.
    pub(crate) async fn tenancy_generation(&self) -> Result<u64, StoreError> {
        let generation: i64 =
            sqlx::query_scalar("SELECT generation FROM tenancy").fetch_one(self.readers()).await?;
        Ok(unsigned(generation))
    }

    /// All that rights over a part of the fleet are judged by.
    pub(crate) async fn tenancy_map(&self) -> Result<Map, StoreError> {
        let mut rows = Rows::default();
        let entities = sqlx::query(
            "SELECT id, kind, organization, parent, body FROM entities
             WHERE deleted_at_ms IS NULL ORDER BY id",
        )
        .fetch_all(self.readers())
        .await?;
        for row in &entities {
            let id = uuid("entities.id", row.try_get("id")?)?;
            let organization = uuid("entities.organization", row.try_get("organization")?)?;
            let organization = OrganizationId(organization);
            match row.try_get("kind")? {
                "organization" => rows.organizations.push(organization),
                "site" => rows.sites.push((SiteId(id), organization)),
                "location" => {
                    let parent: Option<&str> = row.try_get("parent")?;
                    let parent = uuid("entities.parent", parent.unwrap_or_default())?;
                    rows.locations.push((LocationId(id), parent));
                }
                _ => {
                    let group = from_json("entities.body", row.try_get("body")?)?;
                    rows.groups.push((GroupId(id), organization, group));
                }
            }
        }
        let devices = sqlx::query(
            "SELECT id, CAST(NULL AS TEXT) AS gateway FROM devices WHERE deleted_at_ms IS NULL
             UNION ALL
             SELECT e.id, d.id FROM equipment e JOIN devices d ON d.key = e.gateway
             WHERE d.deleted_at_ms IS NULL",
        )
        .fetch_all(self.readers())
        .await?;
        for row in &devices {
            let gateway: Option<&str> = row.try_get("gateway")?;
            let gateway = gateway.map(|id| uuid("devices.id", id).map(DeviceId)).transpose()?;
            rows.devices.push((DeviceId(uuid("devices.id", row.try_get("id")?)?), gateway));
        }
        rows.placements = self.placements_by_device().await?;
        Ok(Map::of(rows))
    }
}

/// Something of the tenancy changed, in this transaction.
async fn changed(connection: &mut Connection) -> Result<(), StoreError> {
    sqlx::query("UPDATE tenancy SET generation = generation + 1").execute(connection).await?;
    Ok(())
}

fn uuid(column: &'static str, text: &str) -> Result<Uuid, StoreError> {
    word(column, text, |text| Uuid::parse_str(text).ok())
}
