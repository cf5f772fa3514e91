//! Fields that are encrypted at rest: secrets that have to be read again, and texts that hold some.
//!
//! The keys lie in the state folder and never in the database. A sealed value names its key, so
//! that keys can be exchanged while old values are still read; what it belongs to is part of its
//! proof, so that a value put into another row or column does not open.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use zeroize::Zeroizing;

/// The file in the state folder.
pub const FILE: &str = "keyring.json";
const FORMAT: u8 = 1;
const KID: usize = 8;
const NONCE: usize = 12;
/// Keys that one file holds.
const MAX_KEYS: usize = 100;

#[derive(Debug, thiserror::Error)]
pub enum SealingError {
    #[error("{operation} {path}")]
    File {
        operation: &'static str,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the keyring {0} cannot be read: restore it from a backup")]
    Keyring(PathBuf),
    #[error("the system has no randomness")]
    Random(#[from] getrandom::Error),
    #[error("the value is sealed with a key that the keyring does not hold")]
    UnknownKey,
    #[error("the value was changed, or belongs elsewhere")]
    Broken,
    #[error("the keyring holds {MAX_KEYS} keys already")]
    Full,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    current: String,
    keys: BTreeMap<String, String>,
}

#[derive(Clone, Default)]
struct Keyring {
    current: [u8; KID],
    keys: BTreeMap<[u8; KID], Zeroizing<[u8; 32]>>,
}

/// The keyring, as it was read last.
#[derive(Clone)]
pub struct Sealing {
    path: PathBuf,
    keyring: Arc<RwLock<Keyring>>,
}

impl std::fmt::Debug for Sealing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealing").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Sealing {
    /// Opens the keyring of the state folder; makes one with a first key where there is none.
    ///
    /// # Errors
    /// Where it can't be read or written.
    pub fn open(state: &Path) -> Result<Self, SealingError> {
        let path = state.join(FILE);
        let keyring = match read(&path)? {
            Some(keyring) => keyring,
            None => {
                let mut keyring = Keyring::default();
                keyring.add_key()?;
                // Another process may make the first one at the same moment: its stands.
                match write(&path, &keyring, true) {
                    Ok(()) => keyring,
                    Err(SealingError::File { source, .. })
                        if source.kind() == ErrorKind::AlreadyExists =>
                    {
                        read(&path)?.ok_or_else(|| SealingError::Keyring(path.clone()))?
                    }
                    Err(error) => return Err(error),
                }
            }
        };
        Ok(Self { path, keyring: Arc::new(RwLock::new(keyring)) })
    }

    /// Seals `plain` for `context`, which names the place that it is kept at: `webhooks.secret:ID`.
    ///
    /// # Errors
    /// Where the system has no randomness.
    pub fn seal(&self, context: &str, plain: &[u8]) -> Result<Vec<u8>, SealingError> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce)?;
        let keyring = self.keyring.read().unwrap_or_else(PoisonError::into_inner);
        let key = keyring.key(keyring.current)?;
        let mut sealed = plain.to_vec();
        key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(context.as_bytes()),
            &mut sealed,
        )
        .map_err(|_| SealingError::Broken)?;
        Ok([&[FORMAT], keyring.current.as_slice(), &nonce, &sealed].concat())
    }

    /// What was sealed for `context`.
    ///
    /// # Errors
    /// Where it was changed, belongs elsewhere, or its key is gone.
    pub fn open_sealed(
        &self,
        context: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealingError> {
        match self.open_once(context, sealed) {
            // Another process may have added the key since.
            Err(SealingError::UnknownKey) => {
                self.reload()?;
                self.open_once(context, sealed)
            }
            opened => opened,
        }
    }

    /// Is the value sealed with the newest key?
    #[must_use]
    pub fn is_current(&self, sealed: &[u8]) -> bool {
        let keyring = self.keyring.read().unwrap_or_else(PoisonError::into_inner);
        sealed.get(1..=KID) == Some(keyring.current.as_slice())
    }

    /// Adds a key, with which everything is sealed from now on. What was sealed before is read with
    /// the old ones until it is sealed anew. Gives the new key's name.
    ///
    /// # Errors
    /// Where the keyring can't be written or is full.
    pub fn rotate(&self) -> Result<String, SealingError> {
        self.reload()?;
        let mut keyring = self.keyring.write().unwrap_or_else(PoisonError::into_inner);
        if keyring.keys.len() >= MAX_KEYS {
            return Err(SealingError::Full);
        }
        let mut next = keyring.clone();
        next.add_key()?;
        write(&self.path, &next, false)?;
        *keyring = next;
        Ok(hex(&keyring.current))
    }

    /// Reads the keyring again: another process may have rotated it.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn reload(&self) -> Result<(), SealingError> {
        let keyring = read(&self.path)?.ok_or_else(|| SealingError::Keyring(self.path.clone()))?;
        *self.keyring.write().unwrap_or_else(PoisonError::into_inner) = keyring;
        Ok(())
    }

    fn open_once(&self, context: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealingError> {
        let (&format, rest) = sealed.split_first().ok_or(SealingError::Broken)?;
        let (kid, rest) = rest.split_first_chunk::<KID>().ok_or(SealingError::Broken)?;
        let (nonce, body) = rest.split_first_chunk::<NONCE>().ok_or(SealingError::Broken)?;
        if format != FORMAT {
            return Err(SealingError::Broken);
        }
        let keyring = self.keyring.read().unwrap_or_else(PoisonError::into_inner);
        let key = keyring.key(*kid)?;
        let mut body = Zeroizing::new(body.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let plain = key
            .open_in_place(nonce, Aad::from(context.as_bytes()), &mut body)
            .map_err(|_| SealingError::Broken)?
            .len();
        body.truncate(plain);
        Ok(body)
    }
}

impl Keyring {
    fn add_key(&mut self) -> Result<(), SealingError> {
        let (mut kid, mut key) = ([0; KID], Zeroizing::new([0; 32]));
        getrandom::fill(&mut kid)?;
        getrandom::fill(key.as_mut_slice())?;
        self.keys.insert(kid, key);
        self.current = kid;
        Ok(())
    }

    fn key(&self, kid: [u8; KID]) -> Result<LessSafeKey, SealingError> {
        let key = self.keys.get(&kid).ok_or(SealingError::UnknownKey)?;
        let key = UnboundKey::new(&CHACHA20_POLY1305, key.as_slice());
        key.map(LessSafeKey::new).map_err(|_| SealingError::Broken)
    }
}

fn read(path: &Path) -> Result<Option<Keyring>, SealingError> {
    let text = match std::fs::read(path) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(SealingError::File { operation: "reading", path: path.to_owned(), source });
        }
    };
    let strange = || SealingError::Keyring(path.to_owned());
    let file: File = serde_json::from_slice(&text).map_err(|_| strange())?;
    let mut keyring =
        Keyring { current: unhex(&file.current).ok_or_else(strange)?, ..Keyring::default() };
    for (kid, key) in &file.keys {
        let key = Zeroizing::new(STANDARD.decode(key).map_err(|_| strange())?);
        let key = Zeroizing::new(<[u8; 32]>::try_from(key.as_slice()).map_err(|_| strange())?);
        keyring.keys.insert(unhex(kid).ok_or_else(strange)?, key);
    }
    if keyring.keys.contains_key(&keyring.current) { Ok(Some(keyring)) } else { Err(strange()) }
}

/// Whole or not at all; `first` refuses to replace one that is there.
fn write(path: &Path, keyring: &Keyring, first: bool) -> Result<(), SealingError> {
    let keys = keyring.keys.iter().map(|(kid, key)| (hex(kid), STANDARD.encode(key.as_slice())));
    let file = File { current: hex(&keyring.current), keys: keys.collect() };
    let fault = |source| SealingError::File { operation: "writing", path: path.to_owned(), source };
    let text = serde_json::to_vec_pretty(&file).map_err(|error| fault(error.into()))?;
    let text = Zeroizing::new(text);
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let put = || {
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(&text)?;
        file.sync_all()?;
        if first {
            let linked = std::fs::hard_link(&beside, path);
            std::fs::remove_file(&beside)?;
            linked?;
        } else {
            std::fs::rename(&beside, path)?;
        }
        path.parent().map_or(Ok(()), |folder| std::fs::File::open(folder)?.sync_all())
    };
    put().map_err(fault)
}

fn hex(kid: &[u8; KID]) -> String {
    format!("{:016x}", u64::from_be_bytes(*kid))
}

fn unhex(text: &str) -> Option<[u8; KID]> {
    (text.len() == 2 * KID)
        .then(|| u64::from_str_radix(text, 16).ok())
        .flatten()
        .map(u64::to_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_is_sealed_opens_at_its_own_place_and_nowhere_else() {
        let state = tempfile::tempdir().unwrap();
        let sealing = Sealing::open(state.path()).unwrap();
        let sealed = sealing.seal("webhooks.secret:1", b"secret").unwrap();
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        assert_eq!(*sealing.open_sealed("webhooks.secret:1", &sealed).unwrap(), b"secret");
        let elsewhere = sealing.open_sealed("webhooks.secret:2", &sealed);
        assert!(matches!(elsewhere, Err(SealingError::Broken)));
        for place in [0, 5, 12, sealed.len() - 1] {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(sealing.open_sealed("webhooks.secret:1", &changed).is_err(), "{place}");
        }
        assert!(sealing.open_sealed("webhooks.secret:1", &sealed[..10]).is_err());
        let mode = std::fs::metadata(state.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn after_a_rotation_the_old_is_read_and_the_new_is_another_keys_also_in_other_processes() {
        let state = tempfile::tempdir().unwrap();
        let one = Sealing::open(state.path()).unwrap();
        let other = Sealing::open(state.path()).unwrap();
        let old = one.seal("c", b"old").unwrap();
        one.rotate().unwrap();
        assert!(!one.is_current(&old));
        let new = one.seal("c", b"new").unwrap();
        assert!(one.is_current(&new));
        assert_eq!(*one.open_sealed("c", &old).unwrap(), b"old");
        assert_eq!(*other.open_sealed("c", &new).unwrap(), b"new");
    }

    #[test]
    fn a_keyring_that_cannot_be_read_is_named_and_never_replaced() {
        let state = tempfile::tempdir().unwrap();
        std::fs::write(state.path().join(FILE), "{}").unwrap();
        assert!(matches!(Sealing::open(state.path()), Err(SealingError::Keyring(_))));
        assert_eq!(std::fs::read(state.path().join(FILE)).unwrap(), b"{}");
    }
}
