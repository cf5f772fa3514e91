//! Which component of a plugin runs where.

use crate::plugins::Rollout;
use crate::store::StoreError;
use crate::store::sql::{Row, Store, ms, unsigned};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row as _;

impl Store {
    /// By plugin.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn plugin_rollouts(&self) -> Result<Vec<Rollout>, StoreError> {
        let rows = sqlx::query(
            "SELECT plugin, hash, previous, grants, target, revision, updated_by, updated_at_ms
             FROM plugin_rollouts ORDER BY plugin LIMIT 1000",
        )
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(rollout).collect()
    }

    /// In place of revision `revision - 1`, or as the first; false where another came before.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn put_plugin_rollout(&self, rollout: &Rollout) -> Result<bool, StoreError> {
        let previous =
            rollout.previous.as_ref().map(|previous| text("plugin_rollouts.previous", previous));
        let statement = sqlx::query(
            "INSERT INTO plugin_rollouts
               (plugin, hash, previous, grants, target, revision, updated_by, updated_at_ms)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (plugin) DO UPDATE SET hash = excluded.hash,
               previous = excluded.previous, grants = excluded.grants,
               target = excluded.target, revision = excluded.revision,
               updated_by = excluded.updated_by, updated_at_ms = excluded.updated_at_ms
             WHERE plugin_rollouts.revision = excluded.revision - 1",
        )
        .bind(rollout.plugin.clone())
        .bind(rollout.hash.clone())
        .bind(previous.transpose()?)
        .bind(text("plugin_rollouts.grants", &rollout.grants)?)
        .bind(text("plugin_rollouts.target", &rollout.target)?)
        .bind(ms(rollout.revision))
        .bind(rollout.updated_by.clone())
        .bind(ms(rollout.updated_at_ms));
        Ok(self.write(statement).await? > 0)
    }

    /// Takes the plugin from every machine and its components out of the store; false where there
    /// is nothing of it.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn remove_plugin(&self, plugin: &str) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let mut removed = 0;
        for statement in [
            "DELETE FROM plugin_rollouts WHERE plugin = $1",
            "DELETE FROM plugin_packages WHERE plugin = $1",
            "DELETE FROM plugin_choices WHERE id = $1",
        ] {
            let done = sqlx::query(statement).bind(plugin).execute(&mut *transaction).await?;
            removed += done.rows_affected();
        }
        transaction.commit().await?;
        Ok(removed > 0)
    }
}

fn text(what: &'static str, value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|source| StoreError::Json { column: what, source })
}

fn read<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|source| StoreError::Json { column: what, source })
}

fn rollout(row: &Row) -> Result<Rollout, StoreError> {
    let (previous, grants, target): (Option<String>, String, String) =
        (row.try_get("previous")?, row.try_get("grants")?, row.try_get("target")?);
    Ok(Rollout {
        plugin: row.try_get("plugin")?,
        hash: row.try_get("hash")?,
        previous: previous.map(|text| read("plugin_rollouts.previous", &text)).transpose()?,
        grants: read("plugin_rollouts.grants", &grants)?,
        target: read("plugin_rollouts.target", &target)?,
        revision: unsigned(row.try_get("revision")?),
        updated_by: row.try_get("updated_by")?,
        updated_at_ms: unsigned(row.try_get("updated_at_ms")?),
    })
}
