//! What the database and the history take.

use crate::store::StoreError;
use crate::store::sql::{Store, unsigned};
use sqlx::Row as _;

/// What the history takes, as far as rows tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) segments: u64,
    pub(crate) bytes: u64,
}

/// The database's own room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct DatabaseRoom {
    pub(crate) used_bytes: u64,
    /// Pages that it has and does not use.
    pub(crate) free_bytes: u64,
}

impl Store {
    /// What the database takes, and what of it is free pages.
    pub(crate) async fn room(&self) -> Result<DatabaseRoom, StoreError> {
        let row = sqlx::query(self.engine.room()).fetch_one(self.readers()).await?;
        let (all, free) = (unsigned(row.try_get("bytes")?), unsigned(row.try_get("free")?));
        Ok(DatabaseRoom { used_bytes: all.saturating_sub(free), free_bytes: free })
    }

    /// What the segments take.
    pub(crate) async fn history_held(&self) -> Result<Held, StoreError> {
        let row = sqlx::query(
            "SELECT count(*) AS segments, CAST(coalesce(sum(bytes), 0) AS BIGINT) AS bytes
             FROM segments",
        )
        .fetch_one(self.readers())
        .await?;
        Ok(Held {
            segments: unsigned(row.try_get("segments")?),
            bytes: unsigned(row.try_get("bytes")?),
        })
    }
}
