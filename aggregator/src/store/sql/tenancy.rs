//! Organizations, places, and roles over a part of the fleet.

pub(in crate::store::sql) mod bindings;
mod entities;
pub(in crate::store::sql) mod placements;
mod purge;

use crate::access::{GroupId, LocationId, OrganizationId, Scope, SiteId};
use crate::fleet::DeviceId;
use crate::store::StoreError;
use crate::store::sql::{Connection, Store, from_json, id, id_option, unsigned};
use crate::tenancy::map::{Map, Rows};
pub use bindings::{Binding, NewBinding};
pub use entities::{Change, EntityQuery, NewEntity};
pub use placements::DeviceChange;
use sqlx::Row as _;

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
            let organization = OrganizationId(id(row, "organization")?);
            let id = id(row, "id")?;
            match row.try_get("kind")? {
                "organization" => rows.organizations.push(organization),
                "site" => rows.sites.push((SiteId(id), organization)),
                "location" => {
                    let parent = super::id(row, "parent")?;
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
            let gateway = id_option(row, "gateway")?.map(DeviceId);
            rows.devices.push((DeviceId(id(row, "id")?), gateway));
        }
        rows.placements = self.placements_by_device().await?;
        Ok(Map::of(rows))
    }

    /// The organization that a scope lies in; `None` where it is not there or was deleted.
    pub(crate) async fn organization_of(
        &self,
        scope: Scope,
    ) -> Result<Option<OrganizationId>, StoreError> {
        let sql = match scope {
            Scope::Device(_) => {
                "SELECT organization FROM placements
                 WHERE device = $1 AND organization IS NOT NULL AND deleted_at_ms IS NULL
                   AND $2 = 'device'"
            }
            Scope::Organization(_) | Scope::Site(_) | Scope::Location(_) | Scope::Group(_) => {
                "SELECT organization FROM entities
                 WHERE id = $1 AND deleted_at_ms IS NULL AND kind = $2"
            }
        };
        let organization = sqlx::query(sql)
            .bind(scope.id().to_string())
            .bind(scope.kind())
            .fetch_optional(self.readers())
            .await?;
        organization.map(|row| id(&row, "organization").map(OrganizationId)).transpose()
    }
}

/// Something of the tenancy changed, in this transaction.
pub(in crate::store::sql) async fn changed(connection: &mut Connection) -> Result<(), StoreError> {
    sqlx::query("UPDATE tenancy SET generation = generation + 1").execute(connection).await?;
    Ok(())
}
