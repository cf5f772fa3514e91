//! Password hashing, off the runtime's threads and a few at a time, and what makes one weak.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use std::sync::Arc;
use thiserror::Error;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

/// The shortest and the longest password.
pub const MIN_CHARS: usize = 8;
pub const MAX_CHARS: usize = 128;
/// Each takes 19 MiB and one core for some tens of milliseconds.
const AT_ONCE: usize = 2;
/// How many may wait for their turn; a flood of sign-ins is refused past it.
const MAX_WAITING: usize = 32;

#[derive(Debug, Error)]
pub enum PasswordError {
    #[error("too many sign-ins are under way")]
    Busy,
    #[error("hashing a password")]
    Hash(#[source] argon2::password_hash::Error),
    #[error("reading a stored password hash")]
    Stored(#[source] argon2::password_hash::phc::Error),
    #[error("the hashing thread ended early")]
    Thread(#[source] tokio::task::JoinError),
}

/// Hashes and checks passwords with argon2id.
#[derive(Clone, Debug)]
pub struct Passwords {
    waiting: Arc<Semaphore>,
    turns: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            waiting: Arc::new(Semaphore::new(MAX_WAITING)),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

impl Passwords {
    /// The hash of `password` as a PHC string, with a salt of its own.
    ///
    /// # Errors
    /// Where too many wait, or hashing itself fails.
    pub async fn hash(&self, password: &str) -> Result<String, PasswordError> {
        let password = Zeroizing::new(password.to_owned());
        self.in_turn(move || {
            let mut salt = [0; 16];
            getrandom::fill(&mut salt)
                .map_err(|_| PasswordError::Hash(argon2::password_hash::Error::Crypto))?;
            Argon2::default()
                .hash_password_with_salt(password.as_bytes(), &salt)
                .map(|hash| hash.to_string())
                .map_err(PasswordError::Hash)
        })
        .await
    }

    /// Does `password` match? Without a stored hash it costs the same time and is false, so
    /// that an answer's delay does not tell whether an account exists.
    ///
    /// # Errors
    /// Where too many wait, or the stored hash cannot be read.
    pub async fn matches(
        &self,
        password: &str,
        stored: Option<&str>,
    ) -> Result<bool, PasswordError> {
        let password = Zeroizing::new(password.to_owned());
        let known = stored.is_some();
        let stored = stored.unwrap_or(NOBODY).to_owned();
        self.in_turn(move || {
            let hash = PasswordHash::new(&stored).map_err(PasswordError::Stored)?;
            let same = Argon2::default().verify_password(password.as_bytes(), &hash);
            Ok(same.is_ok() && known)
        })
        .await
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let _waiting = self.waiting.try_acquire().map_err(|_| PasswordError::Busy)?;
        let _turn = self.turns.acquire().await.map_err(|_| PasswordError::Busy)?;
        tokio::task::spawn_blocking(work).await.map_err(PasswordError::Thread)?
    }
}

/// A hash with the parameters of real ones that no password opens on purpose.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGlzIGhlcmU$SQFzSs4bqVWmT4+Z9y6GdWn7cVdUo6DkRPSGJ2i5rEA";

/// What makes `password` too weak, as advice; empty where it is good enough.
#[must_use]
pub fn weaknesses(password: &str) -> Vec<&'static str> {
    let length = password.chars().count();
    if length > MAX_CHARS {
        return vec!["use at most 128 characters"];
    }
    let has = |test: fn(char) -> bool| password.chars().any(test);
    let traits = [
        (length >= MIN_CHARS, "use at least 8 characters"),
        (length >= 12, "use 12 characters or more"),
        (length >= 16, "use 16 characters or more"),
        (has(|c| c.is_uppercase()), "add an upper-case letter"),
        (has(|c| c.is_lowercase()), "add a lower-case letter"),
        (has(|c| c.is_ascii_digit()), "add a digit"),
        (has(|c| !c.is_alphanumeric()), "add a symbol"),
    ];
    let score = traits.iter().filter(|(met, _)| *met).count();
    if length >= MIN_CHARS && score >= 2 {
        return Vec::new();
    }
    traits.iter().filter(|(met, _)| !met).map(|(_, advice)| *advice).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_opens_its_own_hash_and_no_other_does() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.matches("correct horse", Some(&hash)).await.unwrap());
        assert!(!passwords.matches("wrong horse", Some(&hash)).await.unwrap());
        assert!(!passwords.matches("correct horse", None).await.unwrap());
    }

    #[tokio::test]
    async fn a_flood_of_sign_ins_is_refused_past_its_bound() {
        let passwords = Passwords::default();
        let attempts = (0..MAX_WAITING + 8).map(|_| passwords.matches("x", None));
        let answers = futures_util::future::join_all(attempts).await;
        let refused = answers.iter().filter(|a| matches!(a, Err(PasswordError::Busy))).count();
        assert_eq!(refused, 8);
    }

    #[test]
    fn short_plain_and_overlong_passwords_are_weak() {
        for (password, weak) in [
            ("short1!", true),
            ("12345678", false),
            ("abcdefgh", false),
            ("correct horse battery", false),
            ("日本語日本語日本", true),
        ] {
            assert_eq!(!weaknesses(password).is_empty(), weak, "{password}");
        }
        assert!(!weaknesses(&"x".repeat(129)).is_empty());
    }
}
