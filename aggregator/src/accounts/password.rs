//! Password hashing, off the runtime's threads and a few at a time, and what makes one weak.
//! Hashes of either kind are checked; the configuration says which kind is made.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use serde::{Deserialize, Serialize};
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

/// What bcrypt takes; it would leave out the rest.
const BCRYPT_MAX_BYTES: usize = 72;
const BCRYPT_COST: u32 = 12;

/// How new passwords are hashed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hashing {
    #[default]
    Argon2id,
    /// For those who must.
    Bcrypt,
}

#[derive(Debug, Error)]
pub enum PasswordError {
    #[error("too many sign-ins are under way")]
    Busy,
    #[error("hashing a password")]
    Hash(#[source] argon2::password_hash::Error),
    #[error("reading a stored password hash")]
    Stored(#[source] argon2::password_hash::phc::Error),
    #[error("hashing a password with bcrypt")]
    Bcrypt(#[source] bcrypt::BcryptError),
    #[error("the hashing thread ended early")]
    Thread(#[source] tokio::task::JoinError),
}

/// Hashes and checks passwords.
#[derive(Clone, Debug)]
pub struct Passwords {
    hashing: Hashing,
    waiting: Arc<Semaphore>,
    turns: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new(Hashing::default())
    }
}

impl Passwords {
    #[must_use]
    pub fn new(hashing: Hashing) -> Self {
        Self {
            hashing,
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
        let hashing = self.hashing;
        self.in_turn(move || {
            if hashing == Hashing::Bcrypt {
                return bcrypt::hash(password.as_bytes(), BCRYPT_COST)
                    .map_err(PasswordError::Bcrypt);
            }
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
        let nobody = match self.hashing {
            Hashing::Argon2id => NOBODY,
            Hashing::Bcrypt => BCRYPT_NOBODY,
        };
        let stored = stored.unwrap_or(nobody).to_owned();
        self.in_turn(move || {
            if is_bcrypt(&stored) {
                let same = bcrypt::verify(password.as_bytes(), &stored);
                return same.map(|same| same && known).map_err(PasswordError::Bcrypt);
            }
            let hash = PasswordHash::new(&stored).map_err(PasswordError::Stored)?;
            let same = Argon2::default().verify_password(password.as_bytes(), &hash);
            Ok(same.is_ok() && known)
        })
        .await
    }

    /// Would a new hash be of another kind than `stored`?
    #[must_use]
    pub fn is_outdated(&self, stored: &str) -> bool {
        is_bcrypt(stored) != (self.hashing == Hashing::Bcrypt)
    }

    /// What makes `password` too weak, as advice; empty where it is good enough.
    #[must_use]
    pub fn weaknesses(&self, password: &str) -> Vec<&'static str> {
        if self.hashing == Hashing::Bcrypt && password.len() > BCRYPT_MAX_BYTES {
            return vec!["use at most 72 bytes"];
        }
        weaknesses(password)
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

const BCRYPT_NOBODY: &str = "$2b$12$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

fn is_bcrypt(hash: &str) -> bool {
    ["$2a$", "$2b$", "$2x$", "$2y$"].iter().any(|prefix| hash.starts_with(prefix))
}

fn weaknesses(password: &str) -> Vec<&'static str> {
    let length = password.chars().count();
    if password.contains('\0') {
        return vec!["leave out null characters"];
    }
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
    async fn bcrypt_hashes_are_checked_and_replaced_where_argon2_is_chosen() {
        // From the test vectors of OpenBSD's implementation.
        let old = "$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkY8jIucDrjc8deX1s.";
        let passwords = Passwords::default();
        assert!(passwords.is_outdated(old));
        assert!(!passwords.is_outdated(NOBODY));
        let bcrypt = Passwords::new(Hashing::Bcrypt);
        assert!(bcrypt.is_outdated(NOBODY));
        let hash = bcrypt.hash("correct horse").await.unwrap();
        assert!(hash.starts_with("$2b$12$"), "{hash}");
        for passwords in [passwords, bcrypt.clone()] {
            assert!(passwords.matches("correct horse", Some(&hash)).await.unwrap());
            assert!(!passwords.matches("wrong horse", Some(&hash)).await.unwrap());
        }
        assert!(!bcrypt.matches("x", None).await.unwrap());
        assert!(!bcrypt.weaknesses(&"x1".repeat(40)).is_empty());
        assert!(passwords_take_the_length(&Passwords::default()));
    }

    fn passwords_take_the_length(passwords: &Passwords) -> bool {
        passwords.weaknesses(&"x1".repeat(40)).is_empty()
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
