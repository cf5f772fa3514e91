//! Secrets that are shown once and kept as a hash. 256 random bits need no salt.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

pub(crate) type Hash = [u8; 32];

/// A new secret: its text, which is never stored, and what is.
pub(crate) fn issue(prefix: &str) -> Result<(String, Hash), getrandom::Error> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)?;
    let text = format!("{prefix}{}", URL_SAFE_NO_PAD.encode(secret));
    let hash = hash_of(&text);
    Ok((text, hash))
}

/// What the store knows a secret's text by.
pub(crate) fn hash_of(text: &str) -> Hash {
    Sha256::digest(text.as_bytes()).into()
}
