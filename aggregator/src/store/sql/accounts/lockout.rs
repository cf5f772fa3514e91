//! Wrong sign-ins by address.

use crate::accounts::lockout::{MAX_FAILURES, MAX_LOCK_MS, lock_ms};
use crate::store::StoreError;
use crate::store::sql::{Store, ms, small, unsigned_option};
use sqlx::Row as _;

/// Failures are forgotten after twice the longest lock.
const KEPT_MS: u64 = 2 * MAX_LOCK_MS;

impl Store {
    pub(crate) async fn locked_until(
        &self,
        email_hash: &[u8; 32],
    ) -> Result<Option<u64>, StoreError> {
        let until: Option<Option<i64>> = sqlx::query_scalar(
            "SELECT locked_until_ms FROM sign_in_failures WHERE email_hash = $1",
        )
        .bind(email_hash.as_slice())
        .fetch_optional(self.readers())
        .await?;
        Ok(unsigned_option(until.flatten()))
    }

    /// Counts a failure; true where it locks the address.
    pub(crate) async fn count_failure(
        &self,
        email_hash: &[u8; 32],
        now_ms: u64,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM sign_in_failures WHERE updated_at_ms < $1")
            .bind(ms(now_ms.saturating_sub(KEPT_MS)))
            .execute(&mut *transaction)
            .await?;
        let row = sqlx::query(
            "INSERT INTO sign_in_failures
               (email_hash, failures, locks, locked_until_ms, updated_at_ms)
             VALUES ($1, 1, 0, NULL, $2)
             ON CONFLICT (email_hash) DO UPDATE SET
               failures = sign_in_failures.failures + 1, updated_at_ms = excluded.updated_at_ms
             RETURNING failures, locks",
        )
        .bind(email_hash.as_slice())
        .bind(ms(now_ms))
        .fetch_one(&mut *transaction)
        .await?;
        let failures: i64 = row.try_get("failures")?;
        let locks: u32 = small("sign_in_failures.locks", row.try_get("locks")?)?;
        let locks_now = failures >= i64::from(MAX_FAILURES);
        if locks_now {
            sqlx::query(
                "UPDATE sign_in_failures SET failures = 0, locks = locks + 1, locked_until_ms = $1
                 WHERE email_hash = $2",
            )
            .bind(ms(now_ms + lock_ms(locks)))
            .bind(email_hash.as_slice())
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(locks_now)
    }

    /// A sign-in succeeded.
    pub(crate) async fn forget_failures(&self, email_hash: &[u8; 32]) -> Result<(), StoreError> {
        let statement = sqlx::query("DELETE FROM sign_in_failures WHERE email_hash = $1");
        self.write(statement.bind(email_hash.as_slice())).await?;
        Ok(())
    }
}
