//! When machines came and went.

use crate::fleet::DeviceId;
use crate::fleet::presence::Change;
use crate::store::StoreError;
use crate::store::sql::clients::count;
use crate::store::sql::{Connection, Row, Store, flag, ms, unsigned};
use sqlx::Row as _;
use uuid::Uuid;

/// Changes of one machine that are kept: of one that comes and goes every minute, a week.
const MOST: i64 = 20_000;
/// An instance that was seen later than that ago runs, as far as anybody knows.
const ALIVE_MS: u64 = 20_000;

/// Takes down that the machine came to, or left, the instance. Where it was another's that has
/// died since, it was gone from when that was seen last.
pub(super) async fn note_presence(
    connection: &mut Connection,
    device: DeviceId,
    at_ms: u64,
    online: bool,
    instance: Uuid,
) -> Result<(), StoreError> {
    let device = device.to_string();
    let died: Option<i64> = sqlx::query_scalar(
        "SELECT i.seen_at_ms FROM device_presence p JOIN instances i ON i.id = p.instance
         WHERE p.device = $1 AND p.online = 1 AND p.instance <> $2 AND i.seen_at_ms < $3
           AND p.at_ms < i.seen_at_ms
           AND p.seq = (SELECT max(seq) FROM device_presence WHERE device = $4)",
    )
    .bind(&device)
    .bind(instance.to_string())
    .bind(ms(at_ms.saturating_sub(ALIVE_MS)))
    .bind(&device)
    .fetch_optional(&mut *connection)
    .await?;
    let died = died.map(|seen| (unsigned(seen), false));
    for (at_ms, online) in died.into_iter().chain([(at_ms, online)]) {
        let seq = count(connection, "presence", 1).await?;
        sqlx::query(
            "INSERT INTO device_presence (seq, device, at_ms, online, instance)
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(ms(seq))
        .bind(&device)
        .bind(ms(at_ms))
        .bind(i64::from(online))
        .bind(instance.to_string())
        .execute(&mut *connection)
        .await?;
    }
    sqlx::query(
        "DELETE FROM device_presence WHERE device = $1 AND seq <= (SELECT seq FROM
           device_presence WHERE device = $2 ORDER BY seq DESC LIMIT 1 OFFSET $3)",
    )
    .bind(&device)
    .bind(&device)
    .bind(MOST)
    .execute(connection)
    .await?;
    Ok(())
}

impl Store {
    /// The machine's changes from `from_ms` to `to_ms` by time, after the last one before them.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn presence(
        &self,
        device: DeviceId,
        from_ms: u64,
        to_ms: u64,
    ) -> Result<Vec<Change>, StoreError> {
        let device = device.to_string();
        let rows = sqlx::query(
            "SELECT at_ms, online FROM device_presence WHERE device = $1 AND at_ms < $2
               AND seq >= coalesce((SELECT max(seq) FROM device_presence
                 WHERE device = $3 AND at_ms <= $4), 0)
             ORDER BY seq LIMIT $5",
        )
        .bind(&device)
        .bind(ms(to_ms))
        .bind(&device)
        .bind(ms(from_ms))
        .bind(MOST)
        .fetch_all(self.readers())
        .await?;
        let change = |row: &Row| {
            Ok(Change { at_ms: unsigned(row.try_get("at_ms")?), online: flag(row, "online")? })
        };
        rows.iter().map(change).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::instances::Instance;
    use crate::store::fresh::Fresh;

    #[tokio::test]
    async fn a_machine_of_an_instance_that_died_was_gone_from_then_on() {
        let fresh = Fresh::new();
        let store = fresh.store().await;
        let [device, one, other] = [1, 2, 3].map(Uuid::from_u128);
        let device = DeviceId(device);
        let instance = Instance {
            id: one,
            version: "1".into(),
            api: "a".into(),
            ingest: "b".into(),
            started_at_ms: 0,
            seen_at_ms: 50_000,
        };
        store.keep_instance(&instance, 0).await.unwrap();
        let mut transaction = store.begin().await.unwrap();
        for (at_ms, online, instance) in
            [(10_000, true, one), (100_000, true, other), (110_000, false, other)]
        {
            note_presence(&mut transaction, device, at_ms, online, instance).await.unwrap();
        }
        transaction.commit().await.unwrap();
        let changes = store.presence(device, 60_000, 200_000).await.unwrap();
        let told: Vec<(u64, bool)> = changes.iter().map(|it| (it.at_ms, it.online)).collect();
        assert_eq!(told, [(50_000, false), (100_000, true), (110_000, false)]);
        assert_eq!(store.presence(device, 0, 5_000).await.unwrap(), []);
    }
}
