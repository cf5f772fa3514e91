//! The schema's versions, up and down, in each engine's own words. Append only: what has run
//! anywhere is never edited. Both engines have the same tables and columns.

use crate::store::sql::Store;
use crate::store::sql::engine::Engine;
use crate::store::{Database, StoreError};
use sqlx::SqlSafeStr;
use sqlx::migrate::{AppliedMigration, Migrate, MigrateError, Migration, MigrationType, Migrator};

/// sqlx's own.
const TABLE: &str = "_sqlx_migrations";

struct Step {
    version: i64,
    name: &'static str,
    sqlite: Words,
    postgres: Words,
}

struct Words {
    up: &'static str,
    down: &'static str,
}

macro_rules! step {
    ($version:literal, $name:literal) => {
        Step {
            version: $version,
            name: $name,
            sqlite: step!(in "sqlite/", $name),
            postgres: step!(in "postgres/", $name),
        }
    };
    (in $folder:literal, $name:literal) => {
        Words {
            up: include_str!(concat!("../../../migrations/", $folder, $name, ".up.sql")),
            down: include_str!(concat!("../../../migrations/", $folder, $name, ".down.sql")),
        }
    };
}

const STEPS: [Step; 22] = [
    step!(1, "0001_fleet"),
    step!(2, "0002_accounts"),
    step!(3, "0003_content"),
    step!(4, "0004_equipment"),
    step!(5, "0005_armed"),
    step!(15, "0015_exports"),
    step!(20, "0020_standing"),
    step!(21, "0021_history"),
    step!(22, "0022_applications"),
    step!(23, "0023_tenancy"),
    step!(24, "0024_identity"),
    step!(25, "0025_audit_chain"),
    step!(26, "0026_platform"),
    step!(27, "0027_outbound"),
    step!(28, "0028_jobs"),
    step!(29, "0029_limits"),
    step!(30, "0030_lists"),
    step!(31, "0031_identities"),
    step!(32, "0032_curricula"),
    step!(33, "0033_plugins"),
    step!(34, "0034_packages"),
    step!(35, "0035_placements"),
];

/// A version of the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchemaStep {
    pub version: i64,
    pub name: &'static str,
    pub applied: bool,
}

impl Store {
    /// The versions that this program knows, and which of them `database` has.
    ///
    /// # Errors
    /// Where it can't be reached, or has versions that this program does not know.
    pub async fn schema(database: &Database) -> Result<Vec<SchemaStep>, StoreError> {
        let store = Self::reach(database).await?;
        let mut connection = store.writer.acquire().await?;
        connection.ensure_migrations_table(TABLE).await?;
        let applied = connection.list_applied_migrations(TABLE).await?;
        drop(connection);
        store.close().await;
        let strange = |one: &&AppliedMigration| STEPS.iter().all(|s| s.version != one.version);
        if let Some(strange) = applied.iter().find(strange) {
            return Err(MigrateError::VersionMissing(strange.version).into());
        }
        let is_applied = |version| applied.iter().any(|one| one.version == version);
        let step = |step: &Step| SchemaStep {
            version: step.version,
            name: step.name,
            applied: is_applied(step.version),
        };
        Ok(STEPS.iter().map(step).collect())
    }

    /// Takes `database` back to version `to`; 0 is before the first. What later versions brought
    /// is lost with them.
    ///
    /// # Errors
    /// Where it can't be reached, or a step back fails; then it stays as it was before that step.
    pub async fn revert(database: &Database, to: i64) -> Result<(), StoreError> {
        let store = Self::reach(database).await?;
        let reverted = migrator(store.engine).undo(&store.writer, to).await;
        store.close().await;
        Ok(reverted?)
    }
}

pub(super) fn migrator(engine: Engine) -> Migrator {
    let one = |step: &Step, kind, text: &'static str| {
        Migration::new(step.version, step.name.into(), kind, text.into_sql_str(), false)
    };
    let migrations: Vec<_> = STEPS
        .iter()
        .flat_map(|step| {
            let words = match engine {
                Engine::Sqlite => &step.sqlite,
                Engine::Postgres => &step.postgres,
            };
            [
                one(step, MigrationType::ReversibleUp, words.up),
                one(step, MigrationType::ReversibleDown, words.down),
            ]
        })
        .collect();
    Migrator::with_migrations(migrations)
}
