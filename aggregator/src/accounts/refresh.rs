//! Refresh tokens: opaque, random, kept as a hash.

use super::{REFRESH_TTL_MS, secret};

const PREFIX: &str = "fbr1.";

/// A refresh token as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    pub hash: [u8; 32],
    pub issued_at_ms: u64,
    pub expires_at_ms: u64,
}

impl RefreshToken {
    /// A new token: its text, which is never stored, and what is.
    pub(super) fn issue(now_ms: u64) -> Result<(String, Self), getrandom::Error> {
        let (text, hash) = secret::issue(PREFIX)?;
        let expires_at_ms = now_ms + REFRESH_TTL_MS;
        Ok((text, Self { hash, issued_at_ms: now_ms, expires_at_ms }))
    }

    /// What the store knows a token's text by.
    pub(super) fn hash_of(text: &str) -> [u8; 32] {
        secret::hash_of(text)
    }
}
