//! Equipment behind its gateways, and the list of everything that the API calls a device.

use crate::fleet::equipment::{self, Equipment, Reported, equipment_id, kind_from_name};
use crate::fleet::{DeviceId, EquipmentState, Subject, SubjectQuery};
use crate::page::Page;
use crate::store::StoreError;
use crate::store::sql::engine::Engine;
use crate::store::sql::listing::Clause;
use crate::store::sql::{
    Connection, Row, Store, fleet, from_json, ms, seen, to_json, unsigned, unsigned_option, word,
};
use sqlx::{AssertSqlSafe, Row as _};
use std::collections::HashSet;

/// Every device with the machine that it is or stands behind, and with its place: that of its
/// gateway where equipment has none of its own. `$1` is a gateway, `$2` the devices that are seen.
fn subjects(engine: Engine, columns: &str, rest: &str) -> AssertSqlSafe<String> {
    let only = engine.listed("$2");
    AssertSqlSafe(format!(
        "SELECT {columns}
         FROM (SELECT key AS device, NULL AS equipment FROM devices
               UNION ALL
               SELECT gateway, key FROM equipment WHERE removed_at_ms IS NULL) u
         JOIN devices d ON d.key = u.device
         LEFT JOIN equipment e ON e.key = u.equipment
         LEFT JOIN placements own ON own.device = e.id
         LEFT JOIN placements machines ON machines.device = d.id
         WHERE d.deleted_at_ms IS NULL
           AND ($2 IS NULL OR coalesce(e.id, d.id) IN {only})
           AND ($1 IS NULL OR (d.id = $1 AND e.key IS NOT NULL)) {rest}"
    ))
}

/// Where a field of a device stands; `online` is the parameter that the connected machines are
/// bound to, and is not bound where nobody asks for it.
fn columns(engine: Engine, online: &str) -> Result<Vec<(&'static str, String)>, StoreError> {
    let connected = to_json("state", &EquipmentState::Connected)?;
    let online = engine.listed(online);
    let status = format!(
        "CASE WHEN d.id IN {online} AND (e.key IS NULL OR e.state = '{connected}')
           THEN 'online' ELSE 'offline' END"
    );
    let place = |column: &str| {
        format!("CASE WHEN own.device IS NULL THEN machines.{column} ELSE own.{column} END")
    };
    let plain = [
        ("id", "coalesce(e.id, d.id)"),
        ("name", "coalesce(e.name, d.name)"),
        ("kind", "coalesce(e.kind, d.kind)"),
        ("gateway", "CASE WHEN e.key IS NOT NULL THEN d.id END"),
        ("last_seen_at", "d.last_seen_at_ms"),
        ("enrolled_at", "coalesce(e.created_at_ms, d.enrolled_at_ms)"),
        ("revoked_at", "d.revoked_at_ms"),
        ("quarantined_at", "d.quarantined_at_ms"),
        ("created_at", "coalesce(e.created_at_ms, d.created_at_ms)"),
        ("updated_at", "coalesce(e.updated_at_ms, d.updated_at_ms)"),
    ];
    let mut columns: Vec<_> =
        plain.into_iter().map(|(name, column)| (name, column.to_owned())).collect();
    columns.push(("status", status));
    for name in ["organization", "site", "location"] {
        columns.push((name, place(name)));
    }
    Ok(columns)
}

impl Store {
    /// The `online` machines are those whose agent is connected.
    pub(crate) async fn subjects(
        &self,
        query: &SubjectQuery,
        online: &[DeviceId],
    ) -> Result<Page<Subject>, StoreError> {
        let columns = columns(self.engine, "$3")?;
        let columns: Vec<_> =
            columns.iter().map(|(name, column)| (*name, column.as_str())).collect();
        let clause = Clause::new(&query.listing, &columns, 4)?;
        let gateway = query.gateway.map(|gateway| gateway.to_string());
        let (seen, online) = (seen(&query.sight)?, to_json("devices", &online)?);
        let bind = |sql| {
            let statement = sqlx::query(sql).bind(&gateway).bind(&seen).bind(&online);
            clause.bind(statement)
        };
        // The third parameter has a type wherever it stands.
        let narrowed = format!("AND $3 IS NOT NULL {}", clause.narrowed());
        let count = subjects(self.engine, "count(*) AS total", &narrowed);
        let total: i64 = bind(count).fetch_one(self.readers()).await?.try_get("total")?;
        let list = subjects(
            self.engine,
            "d.*, e.id AS e_id, e.name AS e_name, e.kind AS e_kind, e.driver, e.vendor, e.model,
             e.serial, e.firmware, e.address, e.state, e.created_at_ms AS e_created_at_ms,
             e.updated_at_ms AS e_updated_at_ms, e.removed_at_ms",
            &format!(
                "{narrowed} ORDER BY {} LIMIT ${} OFFSET ${}",
                clause.order("d.name, d.key, e.key IS NOT NULL, e.name"),
                clause.next,
                clause.next + 1
            ),
        );
        let rows = bind(list)
            .bind(i64::from(query.page.per_page))
            .bind(ms(query.page.offset()))
            .fetch_all(self.readers())
            .await?;
        let items = rows.iter().map(subject).collect::<Result<_, _>>()?;
        Ok(Page { items, total: unsigned(total) })
    }

    /// Removed equipment too: its readings are still asked for.
    pub(crate) async fn equipment(&self, id: DeviceId) -> Result<Option<Equipment>, StoreError> {
        let row = sqlx::query(
            "SELECT d.id AS gateway_id, e.id AS e_id, e.name AS e_name, e.kind AS e_kind,
                    e.driver, e.vendor, e.model, e.serial, e.firmware, e.address, e.state,
                    e.created_at_ms AS e_created_at_ms, e.updated_at_ms AS e_updated_at_ms,
                    e.removed_at_ms
             FROM equipment e JOIN devices d ON d.key = e.gateway
             WHERE e.id = $1 AND d.deleted_at_ms IS NULL",
        )
        .bind(id.to_string())
        .fetch_optional(self.readers())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let gateway = word("gateway", row.try_get("gateway_id")?, |id| id.parse().ok())?;
        equipment(&row, gateway).map(Some)
    }

    /// Takes down what a gateway reports: new pieces come, known ones are brought up to date,
    /// and where the report is `whole`, those that it names no longer are marked.
    pub(crate) async fn equipment_reported(
        &self,
        gateway: DeviceId,
        reported: &[Reported],
        whole: bool,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let Some(key) = fleet::key(&mut transaction, gateway).await? else { return Ok(()) };
        let kept = equipment::keepable(reported);
        for one in &kept {
            keep(&mut transaction, gateway, key, one, now_ms).await?;
        }
        if whole {
            let names: HashSet<&str> = kept.iter().map(|one| one.key.as_str()).collect();
            mark_others(&mut transaction, key, &names, now_ms).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

/// Marks what `gateway` has and `names` does not name.
async fn mark_others(
    connection: &mut Connection,
    gateway: i64,
    names: &HashSet<&str>,
    now_ms: u64,
) -> Result<(), StoreError> {
    let rows =
        sqlx::query("SELECT key, name FROM equipment WHERE gateway = $1 AND removed_at_ms IS NULL")
            .bind(gateway)
            .fetch_all(&mut *connection)
            .await?;
    for row in rows {
        if names.contains(row.try_get::<&str, _>("name")?) {
            continue;
        }
        sqlx::query("UPDATE equipment SET removed_at_ms = $2, updated_at_ms = $2 WHERE key = $1")
            .bind(row.try_get::<i64, _>("key")?)
            .bind(ms(now_ms))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn keep(
    connection: &mut Connection,
    gateway: DeviceId,
    gateway_key: i64,
    one: &Reported,
    now_ms: u64,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO equipment (id, gateway, name, kind, driver, vendor, model, serial, firmware,
           address, state, created_at_ms, updated_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)
         ON CONFLICT (gateway, name) DO UPDATE SET
           kind = $4, driver = $5, vendor = $6, model = $7, serial = $8, firmware = $9,
           address = $10, state = $11, updated_at_ms = $12, removed_at_ms = NULL",
    )
    .bind(equipment_id(gateway, &one.key).to_string())
    .bind(gateway_key)
    .bind(&one.key)
    .bind(one.kind.name())
    .bind(&one.driver)
    .bind(&one.vendor)
    .bind(&one.model)
    .bind(&one.serial)
    .bind(&one.firmware)
    .bind(&one.address)
    .bind(to_json("state", &one.state)?)
    .bind(ms(now_ms))
    .execute(connection)
    .await?;
    Ok(())
}

fn subject(row: &Row) -> Result<Subject, StoreError> {
    let device = fleet::device(row)?;
    match row.try_get::<Option<&str>, _>("e_id")? {
        None => Ok(Subject::Machine(device)),
        Some(_) => {
            Ok(Subject::Equipment { equipment: equipment(row, device.id)?, gateway: device })
        }
    }
}

fn equipment(row: &Row, gateway: DeviceId) -> Result<Equipment, StoreError> {
    Ok(Equipment {
        id: word("id", row.try_get("e_id")?, |id| id.parse().ok())?,
        gateway,
        reported: Reported {
            key: row.try_get("e_name")?,
            kind: word("kind", row.try_get("e_kind")?, kind_from_name)?,
            driver: row.try_get("driver")?,
            vendor: row.try_get("vendor")?,
            model: row.try_get("model")?,
            serial: row.try_get("serial")?,
            firmware: row.try_get("firmware")?,
            address: row.try_get("address")?,
            state: from_json("state", row.try_get("state")?)?,
        },
        created_at_ms: unsigned(row.try_get("e_created_at_ms")?),
        updated_at_ms: unsigned(row.try_get("e_updated_at_ms")?),
        removed_at_ms: unsigned_option(row.try_get("removed_at_ms")?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::tests::{device, equipment};
    use crate::listing::Listing;
    use crate::page::PageRequest;
    use crate::store::fresh::Fresh;
    use crate::tenancy::Sight;
    use uuid::Uuid;

    fn all() -> SubjectQuery {
        SubjectQuery {
            gateway: None,
            listing: Listing::default(),
            sight: Sight::Everything,
            page: PageRequest::first(10),
        }
    }

    async fn listed(store: &Store, query: &SubjectQuery) -> Vec<DeviceId> {
        let page = store.subjects(query, &[]).await.unwrap();
        assert_eq!(page.total, page.items.len() as u64);
        page.items.iter().map(Subject::id).collect()
    }

    #[tokio::test]
    async fn equipment_stands_under_its_gateway_until_it_is_named_no_longer() {
        let fresh = Fresh::new();
        let store = fresh.store().await;
        let (one, two) = (device(Uuid::from_u128(1)), device(Uuid::from_u128(2)));
        store.add_device(&one).await.unwrap();
        store.add_device(&two).await.unwrap();
        let (a, b) = (equipment(one.id, "a"), equipment(one.id, "b"));
        let mut reported = vec![b.reported.clone(), a.reported.clone()];
        store.equipment_reported(one.id, &reported, true, 5).await.unwrap();
        assert_eq!(listed(&store, &all()).await, [one.id, a.id, b.id, two.id]);
        let of_one = SubjectQuery { gateway: Some(one.id), ..all() };
        assert_eq!(listed(&store, &of_one).await, [a.id, b.id]);
        reported.truncate(1);
        let away = EquipmentState::Unreachable { since_ms: 3, reason: "timed out".into() };
        reported[0].state = away.clone();
        store.equipment_reported(one.id, &reported, false, 6).await.unwrap();
        assert_eq!(listed(&store, &of_one).await, [a.id, b.id]);
        store.equipment_reported(one.id, &reported, true, 7).await.unwrap();
        assert_eq!(listed(&store, &of_one).await, [b.id]);
        let kept = store.equipment(b.id).await.unwrap().unwrap();
        assert_eq!((&kept.reported.state, kept.created_at_ms, kept.updated_at_ms), (&away, 5, 7));
        assert_eq!(store.equipment(a.id).await.unwrap().unwrap().removed_at_ms, Some(7));
    }
}
