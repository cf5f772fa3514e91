//! Each version of the schema forth and back, and the same tables on both engines.

use super::ENGINE;
use super::rig::{Durable, Engine};
use flyball_aggregator::store::{Database, Store};
use sqlx::{Connection, Row};

/// Everything that the schema consists of, in words.
const SQLITE: &str = "SELECT coalesce(sql, name) AS said FROM sqlite_master
    WHERE name NOT LIKE '\\_sqlx%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY 1";
const POSTGRES: &str = "SELECT table_name || '.' || column_name || ' ' || data_type || ' '
        || is_nullable || coalesce(' ' || column_default, '') AS said
      FROM information_schema.columns
      WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations'
    UNION ALL SELECT indexdef FROM pg_indexes
      WHERE schemaname = 'public' AND tablename <> '_sqlx_migrations' ORDER BY 1";
const SQLITE_COLUMNS: &str = "SELECT m.name AS t, c.name AS c FROM sqlite_master m
    JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'
    ORDER BY 1, 2";
const POSTGRES_COLUMNS: &str = "SELECT table_name::text AS t, column_name::text AS c
    FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2";

fn address(database: &Database, durable: &Durable) -> String {
    match database {
        Database::File(path) => format!("sqlite://{}", path.display()),
        Database::Postgres(_) => durable.url().unwrap().to_owned(),
    }
}

fn words(sqlite: &'static str, postgres: &'static str) -> &'static str {
    match ENGINE {
        Engine::Sqlite => sqlite,
        Engine::Postgresql => postgres,
    }
}

async fn say(address: &str, words: &'static str) -> Vec<String> {
    sqlx::any::install_default_drivers();
    let mut connection = sqlx::AnyConnection::connect(address).await.unwrap();
    let rows = sqlx::query(words).fetch_all(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let text = |row: &sqlx::any::AnyRow| {
        (0..row.len()).map(|i| row.get::<String, _>(i)).collect::<Vec<_>>().join(".")
    };
    rows.iter().map(text).collect()
}

async fn applied(database: &Database) -> Vec<i64> {
    let steps = Store::schema(database).await.unwrap();
    steps.iter().filter(|step| step.applied).map(|step| step.version).collect()
}

#[tokio::test]
async fn every_version_goes_back_and_forth_and_leaves_the_same_schema() {
    let durable = Durable::fresh(ENGINE);
    let database = durable.database();
    let address = address(&database, &durable);
    Store::connect(&database).await.unwrap().close().await;
    let whole = say(&address, words(SQLITE, POSTGRES)).await;
    let versions = applied(&database).await;
    assert!(whole.len() > versions.len() && versions.len() >= 5);
    for to in (0..*versions.last().unwrap()).rev() {
        Store::revert(&database, to).await.unwrap();
        assert!(applied(&database).await.into_iter().all(|version| version <= to));
        if to == 0 {
            assert_eq!(say(&address, words(SQLITE, POSTGRES)).await, Vec::<String>::new());
        }
        Store::connect(&database).await.unwrap().close().await;
        assert_eq!(say(&address, words(SQLITE, POSTGRES)).await, whole, "after version {to}");
    }
}

/// The tables of a store with the names of their columns; a partition is the blocks' table once
/// more, and sqlx's table is its own.
async fn columns(address: &str, words: &'static str) -> Vec<String> {
    let mut columns = say(address, words).await;
    columns.retain(|column| !column.starts_with("blocks_") && !column.starts_with("_sqlx"));
    columns
}

#[tokio::test]
async fn this_engine_has_the_tables_and_columns_of_sqlite() {
    let durable = Durable::fresh(ENGINE);
    let database = durable.database();
    Store::connect(&database).await.unwrap().close().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("other.db");
    Store::open(&file).await.unwrap().close().await;
    let words = words(SQLITE_COLUMNS, POSTGRES_COLUMNS);
    let here = columns(&address(&database, &durable), words).await;
    let there = columns(&format!("sqlite://{}", file.display()), SQLITE_COLUMNS).await;
    assert!(here.contains(&"blocks.data".to_owned()));
    assert_eq!(here, there);
}
