//! The database's half of the history's mark: the id, and whether it lies in the object store.

use crate::history::{Claim, HistoryId, Mark};
use crate::store::StoreError;
use crate::store::sql::engine::Engine;
use crate::store::sql::{Connection, Store, from_json, ms, to_json, unsigned};
use sqlx::Row as _;

/// The setting of the mark.
const MARK: &str = "history.mark";

impl Store {
    /// The mark, where the database has one.
    pub(crate) async fn history_mark(&self) -> Result<Option<Mark>, StoreError> {
        Ok(read(&mut *self.readers.acquire().await?).await?.map(|(mark, _)| mark))
    }

    /// Takes it on to mark an object store that has no mark. A claim that is still unwritten
    /// since before `stale_ms` was cut off and is taken over, with its id.
    pub(crate) async fn claim_history(
        &self,
        proposed: HistoryId,
        now_ms: u64,
        stale_ms: u64,
    ) -> Result<Claim, StoreError> {
        // On PostgreSQL too, writes that begin like this one take turns.
        let mut transaction = self.begin().await?;
        let alone = self.engine == Engine::Sqlite;
        let id = match read(&mut transaction).await? {
            None => proposed,
            // No other aggregator can have a file, and nothing was lost with the marked store.
            Some((mark, _)) if mark.written && alone && is_empty(&mut transaction).await? => {
                proposed
            }
            Some((mark, _)) if mark.written => return Ok(Claim::Written(mark.id)),
            Some((mark, claimed_ms)) if alone || claimed_ms < stale_ms => mark.id,
            Some(_) => return Ok(Claim::Pending),
        };
        set(&mut transaction, Mark { id, written: false }, now_ms).await?;
        transaction.commit().await?;
        Ok(Claim::Made(id))
    }

    /// The mark of this id lies in the object store; the one that stands from now on comes back.
    pub(crate) async fn history_marked(
        &self,
        id: HistoryId,
        now_ms: u64,
    ) -> Result<HistoryId, StoreError> {
        let mut transaction = self.begin().await?;
        if let Some((mark, _)) = read(&mut transaction).await?
            && (mark.written || mark.id != id)
        {
            return Ok(mark.id);
        }
        set(&mut transaction, Mark { id, written: true }, now_ms).await?;
        transaction.commit().await?;
        Ok(id)
    }
}

/// The mark and when it was set.
async fn read(connection: &mut Connection) -> Result<Option<(Mark, u64)>, StoreError> {
    let row = sqlx::query("SELECT value, updated_at_ms FROM settings WHERE name = $1")
        .bind(MARK)
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let mark = from_json("settings.value", row.try_get("value")?)?;
    Ok(Some((mark, unsigned(row.try_get("updated_at_ms")?))))
}

async fn set(connection: &mut Connection, mark: Mark, now_ms: u64) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO settings (name, value, updated_at_ms) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET value = $2, updated_at_ms = $3",
    )
    .bind(MARK)
    .bind(to_json("settings.value", &mark)?)
    .bind(ms(now_ms))
    .execute(connection)
    .await?;
    Ok(())
}

async fn is_empty(connection: &mut Connection) -> Result<bool, StoreError> {
    let any = sqlx::query("SELECT 1 FROM segments LIMIT 1").fetch_optional(connection).await?;
    Ok(any.is_none())
}
