//! The schema's versions, up and down, in each engine's own words. Append only: what has run
//! anywhere is never edited. Both engines have the same tables and columns.

use crate::store::sql::engine::Engine;
use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

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

const STEPS: [Step; 5] = [
    step!(1, "0001_fleet"),
    step!(2, "0002_accounts"),
    step!(3, "0003_content"),
    step!(4, "0004_equipment"),
    step!(5, "0005_armed"),
];

/// The version that this program works with.
pub(super) const CURRENT: i64 = STEPS[STEPS.len() - 1].version;

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

/// The versions that this program knows, with their names.
pub(super) fn known() -> impl Iterator<Item = (i64, &'static str)> {
    STEPS.iter().map(|step| (step.version, step.name))
}
