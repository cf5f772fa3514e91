//! Credentials of equipment, sealed at rest.
//!
//! Each is a file of its own below the state folder, sealed with XChaCha20-Poly1305 under a key
//! that lies beside it or that the service manager brings (`$CREDENTIALS_DIRECTORY`). The seal
//! covers the name, so that one file can't be put in another's place. A secret comes in over
//! standard input and goes out to a driver's standard input; it is in no argument, environment,
//! log line or error.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use flyball_driver_messages::{Login, Secret};
use rustix::rand::{GetRandomFlags, getrandom};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use zeroize::Zeroizing;

const FOLDER: &str = "credentials";
const SUFFIX: &str = "sealed";
const KEY_FILE: &str = "credentials.key";
/// The name of the key among the service manager's credentials.
const KEY_CREDENTIAL: &str = "flyball-credentials-key";
const MAGIC: &[u8; 8] = b"flycred1";
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
/// A longer secret is none.
pub(super) const MAX_SECRET_BYTES: usize = 4096;
const MAX_FILE_BYTES: u64 = 8192;
/// A name is a file's name and a table's key at once.
const MAX_NAME_BYTES: usize = 64;

#[derive(Debug, thiserror::Error)]
pub(crate) enum CredentialError {
    #[error("`{0}` is no name of a credential: lower-case letters, digits, `-`, `_` and `.` are")]
    Name(String),
    #[error("{} cannot be read", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} cannot be written", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{} is open to others than its owner; set it to mode 0600", path.display())]
    Open { path: PathBuf },
    #[error("{} is no key of {KEY_BYTES} bytes", path.display())]
    Key { path: PathBuf },
    #[error(
        "{} was not sealed here under this name, or was changed; set the credential anew",
        path.display()
    )]
    Sealed { path: PathBuf },
    #[error("no randomness can be had")]
    Random(#[source] rustix::io::Errno),
    #[error("a secret has 1 to {MAX_SECRET_BYTES} bytes of text")]
    Secret,
}

/// What is sealed.
#[derive(Serialize, Deserialize)]
struct Sealed {
    user: String,
    secret: Secret,
}

/// The credentials below one state folder.
#[derive(Clone, Debug)]
pub(crate) struct Vault {
    folder: PathBuf,
    own_key: PathBuf,
    /// The key that the service manager brings, where it does.
    brought_key: Option<PathBuf>,
}

/// When a sealed file was written; another value is another credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    modified: Option<SystemTime>,
    inode: u64,
}

impl Vault {
    /// `brought` is the service manager's folder of credentials.
    pub(crate) fn new(state: &Path, brought: Option<&Path>) -> Self {
        let brought_key = brought.map(|folder| folder.join(KEY_CREDENTIAL));
        Self {
            folder: state.join(FOLDER),
            own_key: state.join(KEY_FILE),
            brought_key: brought_key.filter(|file| file.exists()),
        }
    }

    /// Seals a credential; one of the same name is replaced.
    ///
    /// # Errors
    /// Where the name or the secret is none, or the file can't be written.
    pub(crate) fn set(
        &self,
        name: &str,
        user: &str,
        secret: Secret,
    ) -> Result<(), CredentialError> {
        let path = self.path(name)?;
        let length = secret.expose().len();
        if length == 0 || length > MAX_SECRET_BYTES || user.len() > 256 {
            return Err(CredentialError::Secret);
        }
        let write = |source| CredentialError::Write { path: path.clone(), source };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder).map_err(write)?;
        let key = self.key_or_new()?;
        let sealed = Sealed { user: user.to_owned(), secret };
        let plain = postcard::to_stdvec(&sealed).map_err(|_| CredentialError::Secret)?;
        let plain = Zeroizing::new(plain);
        let mut nonce = [0; NONCE_BYTES];
        fill(&mut nonce)?;
        let payload = Payload { msg: &plain, aad: &context(name) };
        let body = cipher(&key)
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| CredentialError::Secret)?;
        let bytes = [MAGIC.as_slice(), &nonce, &body].concat();
        crate::durable::replace(&path, &bytes).map_err(write)
    }

    /// Opens a credential; `None` where there is none of this name.
    ///
    /// # Errors
    /// Where it can't be read, was changed, or was sealed elsewhere or under another name.
    pub(crate) fn open(&self, name: &str) -> Result<Option<Login>, CredentialError> {
        let path = self.path(name)?;
        let Some(bytes) = read(&path, MAX_FILE_BYTES)? else {
            return Ok(None);
        };
        let broken = || CredentialError::Sealed { path: path.clone() };
        let (nonce, body) = bytes
            .strip_prefix(MAGIC.as_slice())
            .and_then(|rest| rest.split_first_chunk::<NONCE_BYTES>())
            .ok_or_else(broken)?;
        let key = self.key()?.ok_or_else(broken)?;
        let payload = Payload { msg: body, aad: &context(name) };
        let plain = cipher(&key).decrypt(&XNonce::from(*nonce), payload).map_err(|_| broken())?;
        let plain = Zeroizing::new(plain);
        let Sealed { user, secret } = postcard::from_bytes(&plain).map_err(|_| broken())?;
        Ok(Some(Login { user, secret }))
    }

    /// Which credential stands under `name` now, without opening it.
    pub(crate) fn version(&self, name: &str) -> Option<Version> {
        let metadata = fs::metadata(self.path(name).ok()?).ok()?;
        Some(Version { modified: metadata.modified().ok(), inode: metadata.ino() })
    }

    /// The names, in their order.
    ///
    /// # Errors
    /// Where the folder can't be read.
    pub(crate) fn names(&self) -> Result<Vec<String>, CredentialError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(CredentialError::Read { path: self.folder.clone(), source }),
        };
        let mut names: Vec<String> = entries
            .flatten()
            .map(|entry| PathBuf::from(entry.file_name()))
            .filter(|file| file.extension().is_some_and(|suffix| suffix == SUFFIX))
            .filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned()))
            .collect();
        names.sort();
        Ok(names)
    }

    /// Removes a credential. False where there was none.
    ///
    /// # Errors
    /// Where its file can't be removed.
    pub(crate) fn remove(&self, name: &str) -> Result<bool, CredentialError> {
        let path = self.path(name)?;
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(CredentialError::Write { path, source }),
        }
    }

    fn path(&self, name: &str) -> Result<PathBuf, CredentialError> {
        if is_name(name) {
            Ok(self.folder.join(format!("{name}.{SUFFIX}")))
        } else {
            Err(CredentialError::Name(name.to_owned()))
        }
    }

    /// The key; `None` where there is none yet.
    fn key(&self) -> Result<Option<Zeroizing<[u8; KEY_BYTES]>>, CredentialError> {
        if let Some(path) = &self.brought_key {
            // The service manager keeps this one; its modes are its own.
            let bytes = read(path, KEY_BYTES as u64 + 1)?;
            return bytes.map(|bytes| key_of(path, &bytes)).transpose();
        }
        let path = &self.own_key;
        let Some(bytes) = read(path, KEY_BYTES as u64 + 1)? else {
            return Ok(None);
        };
        let metadata = fs::metadata(path);
        let metadata =
            metadata.map_err(|source| CredentialError::Read { path: path.clone(), source })?;
        if metadata.mode() & 0o077 != 0 {
            return Err(CredentialError::Open { path: path.clone() });
        }
        key_of(path, &bytes).map(Some)
    }

    fn key_or_new(&self) -> Result<Zeroizing<[u8; KEY_BYTES]>, CredentialError> {
        if let Some(key) = self.key()? {
            return Ok(key);
        }
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        fill(key.as_mut_slice())?;
        let path = &self.own_key;
        let make = || {
            let mut options = OpenOptions::new();
            let mut file = options.write(true).create_new(true).mode(0o600).open(path)?;
            file.write_all(key.as_slice())?;
            file.sync_all()
        };
        make().map_err(|source| CredentialError::Write { path: path.clone(), source })?;
        Ok(key)
    }
}

/// Whether `name` may name a credential, or a piece of equipment.
pub(super) fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    !name.is_empty()
        && name.len() <= MAX_NAME_BYTES
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(plain)
}

fn context(name: &str) -> Vec<u8> {
    [b"flyball credential 1: ".as_slice(), name.as_bytes()].concat()
}

fn cipher(key: &[u8; KEY_BYTES]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&Key::from(*key))
}

fn key_of(path: &Path, bytes: &[u8]) -> Result<Zeroizing<[u8; KEY_BYTES]>, CredentialError> {
    let key = bytes.try_into().map_err(|_| CredentialError::Key { path: path.to_owned() })?;
    Ok(Zeroizing::new(key))
}

fn fill(mut bytes: &mut [u8]) -> Result<(), CredentialError> {
    while !bytes.is_empty() {
        let drawn = getrandom(&mut *bytes, GetRandomFlags::empty());
        let drawn = drawn.map_err(CredentialError::Random)?;
        bytes = &mut bytes[drawn..];
    }
    Ok(())
}

/// A file of at most `most` bytes; `None` where there is none.
fn read(path: &Path, most: u64) -> Result<Option<Zeroizing<Vec<u8>>>, CredentialError> {
    let read = |source| CredentialError::Read { path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(read(source)),
    };
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(most).read_to_end(&mut bytes).map_err(read)?;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn vault() -> (tempfile::TempDir, Vault) {
        let state = tempfile::tempdir().unwrap();
        let vault = Vault::new(state.path(), None);
        (state, vault)
    }

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[test]
    fn what_was_sealed_opens_and_lies_in_no_file() {
        let (state, vault) = vault();
        vault.set("bmc-1", "admin", secret("correct-horse")).unwrap();
        let login = vault.open("bmc-1").unwrap().unwrap();
        assert_eq!((login.user.as_str(), login.secret.expose()), ("admin", "correct-horse"));
        assert_eq!(vault.names().unwrap(), ["bmc-1"]);
        let file = state.path().join("credentials/bmc-1.sealed");
        let bytes = fs::read(&file).unwrap();
        assert!(!bytes.windows(5).any(|window| window == b"horse" || window == b"admin"));
        for path in [&file, &state.path().join(KEY_FILE)] {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert!(!format!("{login:?}").contains("horse"));
    }

    #[test]
    fn the_same_secret_is_never_sealed_the_same() {
        let (state, vault) = vault();
        let file = state.path().join("credentials/a.sealed");
        vault.set("a", "", secret("x")).unwrap();
        let first = fs::read(&file).unwrap();
        vault.set("a", "", secret("x")).unwrap();
        assert_ne!(fs::read(&file).unwrap(), first);
    }

    #[test]
    fn every_changed_byte_is_refused() {
        let (state, vault) = vault();
        vault.set("bmc-1", "admin", secret("correct-horse")).unwrap();
        let file = state.path().join("credentials/bmc-1.sealed");
        let good = fs::read(&file).unwrap();
        for index in 0..good.len() {
            let mut bad = good.clone();
            bad[index] ^= 1;
            fs::write(&file, bad).unwrap();
            let error = vault.open("bmc-1").unwrap_err();
            assert!(matches!(error, CredentialError::Sealed { .. }), "byte {index}");
        }
        fs::write(&file, &good[..good.len() - 1]).unwrap();
        assert!(vault.open("bmc-1").is_err());
    }

    #[test]
    fn a_file_under_another_name_or_with_another_key_is_refused() {
        let (state, vault) = vault();
        vault.set("bmc-1", "admin", secret("correct-horse")).unwrap();
        let folder = state.path().join("credentials");
        fs::copy(folder.join("bmc-1.sealed"), folder.join("bmc-2.sealed")).unwrap();
        assert!(matches!(vault.open("bmc-2"), Err(CredentialError::Sealed { .. })));
        let (elsewhere, other) = self::vault();
        other.set("own", "", secret("x")).unwrap();
        let there = elsewhere.path().join("credentials/bmc-1.sealed");
        fs::copy(folder.join("bmc-1.sealed"), there).unwrap();
        let error = other.open("bmc-1").unwrap_err();
        assert!(error.to_string().contains("set the credential anew"), "{error}");
    }

    #[test]
    fn a_key_that_others_can_read_is_not_used() {
        let (state, vault) = vault();
        vault.set("bmc-1", "admin", secret("correct-horse")).unwrap();
        let key = state.path().join(KEY_FILE);
        fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(vault.open("bmc-1"), Err(CredentialError::Open { .. })));
    }

    #[test]
    fn the_service_managers_key_is_taken_before_the_own() {
        let (state, _) = vault();
        let brought = tempfile::tempdir().unwrap();
        fs::write(brought.path().join(KEY_CREDENTIAL), [7; KEY_BYTES]).unwrap();
        let vault = Vault::new(state.path(), Some(brought.path()));
        vault.set("bmc-1", "admin", secret("correct-horse")).unwrap();
        assert!(!state.path().join(KEY_FILE).exists());
        assert!(vault.open("bmc-1").unwrap().is_some());
        assert!(Vault::new(state.path(), None).open("bmc-1").is_err());
    }

    #[test]
    fn a_name_leads_to_no_other_folder() {
        let (_state, vault) = vault();
        for name in ["", "../x", "a/b", ".hidden", "Upper", &"a".repeat(65)] {
            let error = vault.set(name, "", secret("x")).unwrap_err();
            assert!(matches!(error, CredentialError::Name(_)), "{name:?}");
        }
        assert!(!vault.remove("nobody").unwrap());
    }
}
