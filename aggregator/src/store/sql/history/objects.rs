//! Objects that no row reads: noted before they are written, and when they are replaced.

use crate::store::StoreError;
use crate::store::sql::{Statement, Store, ms};

impl Store {
    /// Notes an object that is about to be written: were it never published, it is removed after
    /// `remove_after_ms`.
    pub(crate) async fn note_object(
        &self,
        object: &str,
        remove_after_ms: u64,
    ) -> Result<(), StoreError> {
        self.write(note(object, remove_after_ms)).await.map(drop)
    }

    /// Objects whose time is over.
    pub(crate) async fn dead_objects(
        &self,
        now_ms: u64,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        let objects = sqlx::query_scalar(
            "SELECT object FROM dead_objects WHERE remove_after_ms <= $1
             ORDER BY remove_after_ms LIMIT $2",
        )
        .bind(ms(now_ms))
        .bind(i64::from(limit))
        .fetch_all(self.readers())
        .await?;
        Ok(objects)
    }

    /// Forgets a dead object, before it is removed: nobody can publish it any more.
    pub(crate) async fn bury(&self, object: &str, now_ms: u64) -> Result<bool, StoreError> {
        let burial =
            sqlx::query("DELETE FROM dead_objects WHERE object = $1 AND remove_after_ms <= $2")
                .bind(object)
                .bind(ms(now_ms));
        Ok(self.write(burial).await? == 1)
    }
}

pub(super) fn note(object: &str, remove_after_ms: u64) -> Statement<'_> {
    sqlx::query(
        "INSERT INTO dead_objects (object, remove_after_ms) VALUES ($1, $2)
         ON CONFLICT (object) DO UPDATE SET remove_after_ms = $2",
    )
    .bind(object)
    .bind(ms(remove_after_ms))
}
