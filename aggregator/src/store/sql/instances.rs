//! The aggregators that serve this database.

use crate::app::instances::Instance;
use crate::store::StoreError;
use crate::store::sql::{Store, ms, unsigned, word};
use sqlx::Row as _;
use uuid::Uuid;

/// By far more than serve one database.
const MOST: i64 = 1_000;

impl Store {
    /// Takes down that an instance runs, and forgets those that were not seen since `forget_ms`.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn keep_instance(
        &self,
        instance: &Instance,
        forget_ms: u64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO instances (id, version, api, ingest, started_at_ms, seen_at_ms)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (id) DO UPDATE SET seen_at_ms = excluded.seen_at_ms",
        )
        .bind(instance.id.to_string())
        .bind(&instance.version)
        .bind(&instance.api)
        .bind(&instance.ingest)
        .bind(ms(instance.started_at_ms))
        .bind(ms(instance.seen_at_ms))
        .execute(&mut *transaction)
        .await?;
        sqlx::query("DELETE FROM instances WHERE seen_at_ms < $1")
            .bind(ms(forget_ms))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// # Errors
    /// Where the database fails.
    pub async fn forget_instance(&self, id: Uuid) -> Result<(), StoreError> {
        let statement = sqlx::query("DELETE FROM instances WHERE id = $1").bind(id.to_string());
        self.write(statement).await.map(|_| ())
    }

    /// The instances, the one that runs longest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn instances(&self) -> Result<Vec<Instance>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, version, api, ingest, started_at_ms, seen_at_ms FROM instances
             ORDER BY started_at_ms, id LIMIT $1",
        )
        .bind(MOST)
        .fetch_all(self.readers())
        .await?;
        let instance = |row: &crate::store::sql::Row| {
            let parse = |text: &str| Uuid::parse_str(text).ok();
            Ok(Instance {
                id: word("instances.id", row.try_get("id")?, parse)?,
                version: row.try_get("version")?,
                api: row.try_get("api")?,
                ingest: row.try_get("ingest")?,
                started_at_ms: unsigned(row.try_get("started_at_ms")?),
                seen_at_ms: unsigned(row.try_get("seen_at_ms")?),
            })
        };
        rows.iter().map(instance).collect()
    }
}
