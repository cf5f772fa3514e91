//! Answers that are kept for a repeated request.

use crate::store::StoreError;
use crate::store::sql::{Connection, Store, from_json, ms, small, to_json};
use sqlx::Row as _;

/// How long a key holds.
const KEEP_MS: u64 = 24 * 60 * 60 * 1_000;
/// No request takes as long: what is older was cut off with its process.
const ABANDONED_MS: u64 = 120_000;
/// One new key in so many looks after the bound of all.
const SAMPLED: u8 = 64;
/// How many old rows one request takes along.
const PRUNE: i64 = 100;

/// An answer as it is kept; the body is sealed by the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAnswer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// Nothing until now; from now on it is in flight.
    New,
    InFlight,
    /// The owner has as many keys as are kept of one.
    Full,
    /// It was used for another body.
    Mismatch,
    Kept(KeptAnswer),
}

/// How many keys are kept at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyBounds {
    pub per_owner: u32,
    pub in_all: u32,
}

/// Takes away the oldest keys beyond the bound of all, but none that is in flight.
async fn drop_oldest(connection: &mut Connection, most: u32) -> Result<(), StoreError> {
    let from: Option<i64> = sqlx::query_scalar(
        "SELECT started_at_ms FROM idempotency ORDER BY started_at_ms DESC LIMIT 1 OFFSET $1",
    )
    .bind(i64::from(most))
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(from) = from {
        sqlx::query("DELETE FROM idempotency WHERE started_at_ms <= $1 AND status IS NOT NULL")
            .bind(from)
            .execute(connection)
            .await?;
    }
    Ok(())
}

impl Store {
    /// Claims a key for one request.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn begin_idempotent(
        &self,
        key_hash: &[u8; 32],
        body_hash: &[u8; 32],
        owner: &str,
        bounds: KeyBounds,
        now_ms: u64,
    ) -> Result<Begun, StoreError> {
        // Most floods are of repeated keys, or of new ones by somebody who has too many: neither
        // takes the turn of one who writes.
        if let Some(known) = self.known_key(key_hash, body_hash, now_ms).await? {
            return Ok(known);
        }
        if self.is_full(owner, bounds.per_owner, now_ms).await? {
            return Ok(Begun::Full);
        }
        let mut transaction = self.begin().await?;
        sqlx::query(
            "DELETE FROM idempotency WHERE key_hash IN
               (SELECT key_hash FROM idempotency WHERE started_at_ms < $1 LIMIT $2)",
        )
        .bind(ms(now_ms.saturating_sub(KEEP_MS)))
        .bind(PRUNE)
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "DELETE FROM idempotency WHERE key_hash = $1
             AND (started_at_ms < $2 OR (status IS NULL AND started_at_ms < $3))",
        )
        .bind(key_hash.as_slice())
        .bind(ms(now_ms.saturating_sub(KEEP_MS)))
        .bind(ms(now_ms.saturating_sub(ABANDONED_MS)))
        .execute(&mut *transaction)
        .await?;
        let added = sqlx::query(
            "INSERT INTO idempotency (key_hash, body_hash, started_at_ms, owner)
             VALUES ($1, $2, $3, $4) ON CONFLICT (key_hash) DO NOTHING",
        )
        .bind(key_hash.as_slice())
        .bind(body_hash.as_slice())
        .bind(ms(now_ms))
        .bind(owner)
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        if added == 1 && key_hash[0].is_multiple_of(SAMPLED) {
            drop_oldest(&mut transaction, bounds.in_all).await?;
        }
        transaction.commit().await?;
        if added == 1 {
            return Ok(Begun::New);
        }
        // Another request was first by a moment.
        let known = self.known_key(key_hash, body_hash, now_ms).await?;
        Ok(known.unwrap_or(Begun::InFlight))
    }

    /// What stands under a key, but nothing that was cut off or has expired.
    async fn known_key(
        &self,
        key_hash: &[u8; 32],
        body_hash: &[u8; 32],
        now_ms: u64,
    ) -> Result<Option<Begun>, StoreError> {
        let row = sqlx::query(
            "SELECT body_hash, status, headers, body, started_at_ms FROM idempotency
             WHERE key_hash = $1",
        )
        .bind(key_hash.as_slice())
        .fetch_optional(self.readers())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let status = row.try_get::<Option<i64>, _>("status")?;
        let holds_ms = if status.is_some() { KEEP_MS } else { ABANDONED_MS };
        if row.try_get::<i64, _>("started_at_ms")? < ms(now_ms.saturating_sub(holds_ms)) {
            return Ok(None);
        }
        if row.try_get::<&[u8], _>("body_hash")? != body_hash.as_slice() {
            return Ok(Some(Begun::Mismatch));
        }
        let Some(status) = status else { return Ok(Some(Begun::InFlight)) };
        let status = small("idempotency.status", status)?;
        let headers = from_json("idempotency.headers", row.try_get("headers")?)?;
        Ok(Some(Begun::Kept(KeptAnswer { status, headers, body: row.try_get("body")? })))
    }

    /// Requests that come at the same moment may each see room for one more.
    async fn is_full(&self, owner: &str, most: u32, now_ms: u64) -> Result<bool, StoreError> {
        let last: Option<i64> = sqlx::query_scalar(
            "SELECT started_at_ms FROM idempotency WHERE owner = $1 AND started_at_ms >= $2
             ORDER BY started_at_ms LIMIT 1 OFFSET $3",
        )
        .bind(owner)
        .bind(ms(now_ms.saturating_sub(KEEP_MS)))
        .bind(i64::from(most.saturating_sub(1)))
        .fetch_optional(self.readers())
        .await?;
        Ok(most == 0 || last.is_some())
    }

    /// Keeps the answer of a claimed key.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn keep_answer(
        &self,
        key_hash: &[u8; 32],
        answer: &KeptAnswer,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "UPDATE idempotency SET status = $1, headers = $2, body = $3 WHERE key_hash = $4",
        )
        .bind(i64::from(answer.status))
        .bind(to_json("idempotency.headers", &answer.headers)?)
        .bind(&answer.body)
        .bind(key_hash.as_slice())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Gives a claimed key back: its request had no effect.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn forget_idempotent(&self, key_hash: &[u8; 32]) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM idempotency WHERE key_hash = $1")
            .bind(key_hash.as_slice())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }
}
