//! Rate limits that replicas share: a row a key, locked while one request is counted.

use crate::rates::{Meter, Rate, RateState, Ruling};
use crate::store::StoreError;
use crate::store::sql::{Store, ms, small, unsigned};
use sqlx::Row as _;

/// How many idle rows one request takes along.
const PRUNE: i64 = 20;

impl RateState for Store {
    async fn take(&self, key: &str, rate: Rate, now_ms: u64) -> Result<Ruling, StoreError> {
        let mut transaction = self.begin_on_rows().await?;
        let fresh = Meter::new(rate, now_ms);
        // The conflicting update changes nothing and locks the row.
        let row = sqlx::query(
            "INSERT INTO rates (key, tokens, refilled_at_ms, window_from_ms, used, idle_at_ms)
             VALUES ($1, $2, $3, $3, 0, $4)
             ON CONFLICT (key) DO UPDATE SET key = excluded.key
             RETURNING tokens, refilled_at_ms, window_from_ms, used",
        )
        .bind(key)
        .bind(fresh.tokens)
        .bind(ms(now_ms))
        .bind(ms(idle_at_ms(rate, now_ms)))
        .fetch_one(&mut *transaction)
        .await?;
        let mut meter = Meter {
            tokens: row.try_get("tokens")?,
            refilled_at_ms: unsigned(row.try_get("refilled_at_ms")?),
            window_from_ms: unsigned(row.try_get("window_from_ms")?),
            used: small("rates.used", row.try_get("used")?)?,
        };
        let ruling = meter.take(rate, now_ms);
        sqlx::query(
            "UPDATE rates SET tokens = $1, refilled_at_ms = $2, window_from_ms = $3, used = $4,
               idle_at_ms = $5 WHERE key = $6",
        )
        .bind(meter.tokens)
        .bind(ms(meter.refilled_at_ms))
        .bind(ms(meter.window_from_ms))
        .bind(i64::from(meter.used))
        .bind(ms(idle_at_ms(rate, now_ms)))
        .bind(key)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        if meter.used == 1 {
            self.forget_idle_rates(now_ms).await?;
        }
        Ok(ruling)
    }
}

/// From when on a new meter would say the same.
fn idle_at_ms(rate: Rate, now_ms: u64) -> u64 {
    let fills_s = u64::from(rate.burst) * u64::from(rate.window_s) / u64::from(rate.requests) + 1;
    now_ms + fills_s.max(u64::from(rate.window_s)) * 1_000
}

impl Store {
    /// Takes what is idle away, a few rows with every window that begins: more go than come.
    async fn forget_idle_rates(&self, now_ms: u64) -> Result<(), StoreError> {
        let mut transaction = self.begin_on_rows().await?;
        let rows = sqlx::query("SELECT key FROM rates WHERE idle_at_ms < $1 ORDER BY key LIMIT $2")
            .bind(ms(now_ms))
            .bind(PRUNE)
            .fetch_all(&mut *transaction)
            .await?;
        for row in rows {
            let key: String = row.try_get("key")?;
            sqlx::query("DELETE FROM rates WHERE key = $1 AND idle_at_ms < $2")
                .bind(key)
                .bind(ms(now_ms))
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}
