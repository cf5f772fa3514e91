//! What wrong passwords and codes bring: a lock that doubles with every one in a row. Addresses
//! without an account are counted alike, so that a lock tells nothing.

use super::{Accounts, AccountsError, Origin, secret};
use crate::audit::{AuditEntry, Decision};
use crate::store::StoreError;
use serde_json::json;

/// Failures in a row that lock.
pub const MAX_FAILURES: u32 = 5;
/// The first lock; each further one lasts twice as long as the one before.
pub const LOCK_MS: u64 = 15 * 60 * 1_000;
/// The longest.
pub const MAX_LOCK_MS: u64 = 24 * 60 * 60 * 1_000;

/// How long the lock after `locks` earlier ones lasts.
#[must_use]
pub fn lock_ms(locks: u32) -> u64 {
    LOCK_MS.saturating_mul(1 << locks.min(20)).min(MAX_LOCK_MS)
}

/// What an address is counted by.
pub(super) fn address(email: &str) -> [u8; 32] {
    secret::hash_of(&email.to_lowercase())
}

impl Accounts {
    pub(super) async fn refuse_locked(
        &self,
        email: &str,
        origin: &Origin,
    ) -> Result<(), AccountsError> {
        let until_ms = self.store.locked_until(&address(email)).await?;
        match until_ms.filter(|until_ms| *until_ms > self.clock.now_ms()) {
            None => Ok(()),
            Some(until_ms) => {
                self.refuse(email, "locked", origin).await?;
                Err(AccountsError::Locked { until_ms })
            }
        }
    }

    pub(super) async fn count_failure(
        &self,
        email: &str,
        reason: &str,
        origin: &Origin,
    ) -> Result<(), AccountsError> {
        let now_ms = self.clock.now_ms();
        let locked = self.store.count_failure(&address(email), now_ms).await?;
        let reason = if locked { "locked_now" } else { reason };
        Ok(self.refuse(email, reason, origin).await?)
    }

    /// Notes a sign-in that was refused.
    pub(super) async fn refuse(
        &self,
        email: &str,
        reason: &str,
        origin: &Origin,
    ) -> Result<(), StoreError> {
        let entry = AuditEntry {
            decision: Decision::Refused,
            ..self.done(
                email,
                "auth.login",
                format!("user:{email}"),
                json!({ "reason": reason }),
                origin,
            )
        };
        self.store.add_audit(&entry).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_lock_lasts_twice_as_long_as_the_one_before_up_to_a_day() {
        assert_eq!((lock_ms(0), lock_ms(1), lock_ms(2)), (LOCK_MS, 2 * LOCK_MS, 4 * LOCK_MS));
        assert_eq!((lock_ms(7), lock_ms(u32::MAX)), (MAX_LOCK_MS, MAX_LOCK_MS));
    }
}
