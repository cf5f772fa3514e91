//! An empty store for a test. The same tests run once on each engine: on PostgreSQL where
//! `FLYBALL_STORE=postgresql` says so, as a step of `cargo xtask test` does.

use crate::config::DatabaseText;
use crate::store::{Database, Store};
use flyball_harness::counterparts::TestDatabase;
use sqlx::Connection as _;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

#[derive(Debug)]
pub(crate) struct Fresh {
    state: TempDir,
    database: Option<TestDatabase>,
}

impl Fresh {
    pub(crate) fn new() -> Self {
        let engine = std::env::var("FLYBALL_STORE");
        let postgres = engine.is_ok_and(|engine| engine == "postgresql");
        let database = postgres.then(|| TestDatabase::create().unwrap());
        Self { state: tempfile::tempdir().unwrap(), database }
    }

    /// The state folder.
    pub(crate) fn path(&self) -> &Path {
        self.state.path()
    }

    /// As the configuration names it.
    pub(crate) fn database(&self) -> Option<DatabaseText> {
        self.database.as_ref().map(|database| database.url().into())
    }

    pub(crate) async fn store(&self) -> Store {
        let database = match &self.database {
            Some(database) => Database::parse(database.url(), self.path()),
            None => Database::File(self.file()),
        };
        Store::connect(&database).await.unwrap()
    }

    /// Takes a table away beside the store: what needs it fails from then on.
    pub(crate) async fn drop_table(&self, name: &str) {
        let address = match &self.database {
            Some(database) => database.url().to_owned(),
            None => format!("sqlite://{}", self.file().display()),
        };
        let mut beside = sqlx::AnyConnection::connect(&address).await.unwrap();
        let words = sqlx::AssertSqlSafe(format!("DROP TABLE {name}"));
        sqlx::query(words).execute(&mut beside).await.unwrap();
        beside.close().await.unwrap();
    }

    fn file(&self) -> PathBuf {
        self.path().join("test.db")
    }
}
