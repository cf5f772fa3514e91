//! The keys that sign access tokens: made at the first start, changed by age or by command, and
//! good for checking until the last token that they signed has ended.

use super::{Accounts, AccountsError};
use crate::access::token::AccessTokens;
use crate::clock::Clock;
use crate::store::{SigningKey, Store};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the keys are stored under.
const PURPOSE: &str = "access-token";
/// A key signs no longer than this.
const MAX_AGE_MS: u64 = 90 * 24 * 60 * 60 * 1_000;
/// How soon a key that another process has made is known here.
pub(super) const FRESH_MS: u64 = 5_000;

/// When the keys were read last.
#[derive(Clone, Debug)]
pub(super) struct SigningKeys(Arc<AtomicU64>);

impl SigningKeys {
    pub(super) fn read_at(now_ms: u64) -> Self {
        Self(Arc::new(AtomicU64::new(now_ms)))
    }

    /// Is it time to read them again? Only one of those who ask at once is told so.
    fn is_due(&self, now_ms: u64) -> bool {
        let last = self.0.load(Ordering::Relaxed);
        now_ms.abs_diff(last) >= FRESH_MS
            && self.0.compare_exchange(last, now_ms, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

pub(super) async fn open(store: &Store, clock: &Clock) -> Result<AccessTokens, AccountsError> {
    Ok(AccessTokens::new(current(store, clock).await?, clock.clone()))
}

/// The keys of the store; a new one where there is none or the newest is too old.
async fn current(store: &Store, clock: &Clock) -> Result<Vec<SigningKey>, AccountsError> {
    let keys = store.signing_keys(PURPOSE).await?;
    let signing = keys.iter().find(|key| key.retired_at_ms.is_none());
    match signing {
        Some(key) if clock.now_ms().saturating_sub(key.created_at_ms) < MAX_AGE_MS => Ok(keys),
        Some(_) | None => {
            rotate(store, clock).await?;
            Ok(store.signing_keys(PURPOSE).await?)
        }
    }
}

/// Adds a key that signs from now on and retires those before it; its id comes back. A server
/// that runs takes it up within seconds, and still takes what the old ones have signed.
///
/// # Errors
/// Where the store fails or the system has no randomness.
pub async fn rotate(store: &Store, clock: &Clock) -> Result<String, AccountsError> {
    let mut secret = vec![0; 32];
    getrandom::fill(&mut secret).map_err(AccountsError::Random)?;
    let (kid, created_at_ms) = (clock.new_id().to_string(), clock.now_ms());
    let key = SigningKey { kid: kid.clone(), secret, created_at_ms, retired_at_ms: None };
    store.rotate_signing_key(PURPOSE, &key).await?;
    Ok(kid)
}

impl Accounts {
    pub(super) async fn keep_signing_keys_fresh(&self) -> Result<(), AccountsError> {
        if self.signing_keys.is_due(self.clock.now_ms()) {
            self.tokens.replace(current(&self.store, &self.clock).await?);
        }
        Ok(())
    }
}
