//! Installed components, and whose signatures are taken.

use crate::plugins::{Package, PackageState, Publisher};
use crate::store::StoreError;
use crate::store::sql::{Row, Store, ms, unsigned};
use sqlx::Row as _;

const SHOWN: &str = "hash, size, state, reason, manifest, publisher, installed_by, installed_at_ms";

impl Store {
    /// The newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn plugin_packages(&self) -> Result<Vec<Package>, StoreError> {
        let statement = format!(
            "SELECT {SHOWN} FROM plugin_packages ORDER BY installed_at_ms DESC, hash LIMIT 10000"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(statement)).fetch_all(self.readers()).await?;
        rows.iter().map(package).collect()
    }

    /// # Errors
    /// Where the database fails.
    pub async fn plugin_package(&self, hash: &str) -> Result<Option<Package>, StoreError> {
        let statement = format!("SELECT {SHOWN} FROM plugin_packages WHERE hash = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(statement))
            .bind(hash.to_owned())
            .fetch_optional(self.readers())
            .await?;
        row.as_ref().map(package).transpose()
    }

    /// # Errors
    /// Where the database fails.
    pub async fn plugin_component(&self, hash: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let row = sqlx::query("SELECT bytes FROM plugin_packages WHERE hash = $1")
            .bind(hash.to_owned())
            .fetch_optional(self.readers())
            .await?;
        Ok(row.map(|row| row.try_get("bytes")).transpose()?)
    }

    /// False where `most` are there already, or this one is.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn add_plugin_package(
        &self,
        package: &Package,
        bytes: Vec<u8>,
        most: usize,
    ) -> Result<bool, StoreError> {
        let statement = sqlx::query(
            "INSERT INTO plugin_packages
               (hash, size, state, publisher, installed_by, installed_at_ms, bytes)
             SELECT $1, $2, 'waiting', $3, $4, $5, $6
             WHERE (SELECT count(*) FROM plugin_packages) < $7
             ON CONFLICT (hash) DO NOTHING",
        )
        .bind(package.hash.clone())
        .bind(ms(package.size))
        .bind(package.publisher.clone())
        .bind(package.installed_by.clone())
        .bind(ms(package.installed_at_ms))
        .bind(bytes)
        .bind(ms(most as u64));
        Ok(self.write(statement).await? > 0)
    }

    /// What a machine has said of it; the first word counts.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn describe_plugin_package(&self, package: &Package) -> Result<(), StoreError> {
        let (state, reason) = match &package.state {
            PackageState::Waiting => return Ok(()),
            PackageState::Described => ("described", None),
            PackageState::Rejected(reason) => ("rejected", Some(reason.clone())),
        };
        let manifest = package.manifest.as_ref();
        let text = manifest.map(serde_json::to_string).transpose();
        let text =
            text.map_err(|source| StoreError::Json { column: "plugin_packages.manifest", source })?;
        let statement = sqlx::query(
            "UPDATE plugin_packages SET state = $2, reason = $3, plugin = $4, manifest = $5
             WHERE hash = $1 AND state = 'waiting'",
        )
        .bind(package.hash.clone())
        .bind(state)
        .bind(reason)
        .bind(manifest.map(|manifest| manifest.id.clone()))
        .bind(text);
        self.write(statement).await?;
        Ok(())
    }

    /// False where it is not there, or a rollout has it.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn remove_plugin_package(&self, hash: &str) -> Result<bool, StoreError> {
        let statement = sqlx::query(
            "DELETE FROM plugin_packages WHERE hash = $1
             AND NOT EXISTS (SELECT 1 FROM plugin_rollouts WHERE hash = $1)",
        )
        .bind(hash.to_owned());
        Ok(self.write(statement).await? > 0)
    }

    /// By name.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn plugin_publishers(&self) -> Result<Vec<Publisher>, StoreError> {
        let rows = sqlx::query(
            "SELECT key_id, name, public_key, added_by, added_at_ms FROM plugin_publishers
             ORDER BY name, key_id LIMIT 1000",
        )
        .fetch_all(self.readers())
        .await?;
        let publisher = |row: &Row| {
            Ok(Publisher {
                key_id: row.try_get("key_id")?,
                name: row.try_get("name")?,
                public_key: row.try_get("public_key")?,
                added_by: row.try_get("added_by")?,
                added_at_ms: unsigned(row.try_get("added_at_ms")?),
            })
        };
        rows.iter().map(publisher).collect()
    }

    /// False where its key is there already, or `most` are.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn add_plugin_publisher(
        &self,
        new: &Publisher,
        most: usize,
    ) -> Result<bool, StoreError> {
        let statement = sqlx::query(
            "INSERT INTO plugin_publishers (key_id, name, public_key, added_by, added_at_ms)
             SELECT $1, $2, $3, $4, $5 WHERE (SELECT count(*) FROM plugin_publishers) < $6
             ON CONFLICT (key_id) DO NOTHING",
        )
        .bind(new.key_id.clone())
        .bind(new.name.clone())
        .bind(new.public_key.clone())
        .bind(new.added_by.clone())
        .bind(ms(new.added_at_ms))
        .bind(ms(most as u64));
        Ok(self.write(statement).await? > 0)
    }

    /// # Errors
    /// Where the database fails.
    pub async fn remove_plugin_publisher(&self, key_id: &str) -> Result<bool, StoreError> {
        let statement =
            sqlx::query("DELETE FROM plugin_publishers WHERE key_id = $1").bind(key_id.to_owned());
        Ok(self.write(statement).await? > 0)
    }
}

fn package(row: &Row) -> Result<Package, StoreError> {
    let (state, reason): (String, Option<String>) = (row.try_get("state")?, row.try_get("reason")?);
    let manifest: Option<String> = row.try_get("manifest")?;
    let manifest = manifest.map(|text| serde_json::from_str(&text)).transpose();
    Ok(Package {
        hash: row.try_get("hash")?,
        size: unsigned(row.try_get("size")?),
        state: match state.as_str() {
            "described" => PackageState::Described,
            "rejected" => PackageState::Rejected(reason.unwrap_or_default()),
            _ => PackageState::Waiting,
        },
        manifest: manifest
            .map_err(|source| StoreError::Json { column: "plugin_packages.manifest", source })?,
        publisher: row.try_get("publisher")?,
        installed_by: row.try_get("installed_by")?,
        installed_at_ms: unsigned(row.try_get("installed_at_ms")?),
    })
}
