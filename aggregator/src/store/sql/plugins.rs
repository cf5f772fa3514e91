//! Plugins: what was decided of them, which are installed, and where they run.

mod packages;
mod rollouts;

use crate::plugins::StoredChoice;
use crate::store::StoreError;
use crate::store::sql::{Row, Store, ms, unsigned};
use sqlx::Row as _;

impl Store {
    /// # Errors
    /// Where the database fails.
    pub async fn plugin_choices(&self) -> Result<Vec<StoredChoice>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, enabled, priority, settings FROM plugin_choices ORDER BY id LIMIT 10000",
        )
        .fetch_all(self.readers())
        .await?;
        let choice = |row: &Row| {
            let enabled: i64 = row.try_get("enabled")?;
            Ok(StoredChoice {
                id: row.try_get("id")?,
                enabled: enabled != 0,
                priority: u32::try_from(unsigned(row.try_get("priority")?)).unwrap_or(u32::MAX),
                settings: row.try_get("settings")?,
            })
        };
        rows.iter().map(choice).collect()
    }

    /// # Errors
    /// Where the database fails.
    pub async fn keep_plugin_choice(
        &self,
        choice: &StoredChoice,
        by: &str,
        at_ms: u64,
    ) -> Result<(), StoreError> {
        let statement = sqlx::query(
            "INSERT INTO plugin_choices (id, enabled, priority, settings, updated_at_ms, updated_by)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (id) DO UPDATE SET enabled = excluded.enabled,
               priority = excluded.priority, settings = excluded.settings,
               updated_at_ms = excluded.updated_at_ms, updated_by = excluded.updated_by",
        )
        .bind(choice.id.clone())
        .bind(i64::from(choice.enabled))
        .bind(i64::from(choice.priority))
        .bind(choice.settings.clone())
        .bind(ms(at_ms))
        .bind(by.to_owned());
        self.write(statement).await?;
        Ok(())
    }

    /// Has anybody chosen plugins yet?
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn plugins_initialized(&self) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT count(*) AS number FROM plugins_initialized")
            .fetch_one(self.readers())
            .await?;
        let number: i64 = row.try_get("number")?;
        Ok(number > 0)
    }

    /// # Errors
    /// Where the database fails.
    pub async fn set_plugins_initialized(&self, at_ms: u64) -> Result<(), StoreError> {
        let statement = sqlx::query(
            "INSERT INTO plugins_initialized (id, at_ms) VALUES (1, $1) ON CONFLICT (id) DO NOTHING",
        )
        .bind(ms(at_ms));
        self.write(statement).await?;
        Ok(())
    }
}
