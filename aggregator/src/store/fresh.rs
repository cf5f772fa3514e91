//! An empty store for a test. The same tests run once on each engine: on PostgreSQL where
//! `FLYBALL_STORE=postgresql` says so, as a step of `cargo xtask test` does.

use crate::config::DatabaseText;
use crate::store::{Database, Store};
use flyball_harness::counterparts::TestDatabase;
use std::path::Path;
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
            None => Database::File(self.path().join("test.db")),
        };
        Store::connect(&database).await.unwrap()
    }
}
