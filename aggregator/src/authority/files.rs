//! Key files: mode 0600, written whole or not at all.

use super::AuthorityError;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

pub(super) fn create_folder(path: &Path) -> Result<(), AuthorityError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| fault("creating the folder", path, source))
}

pub(super) fn read_optional(path: &Path) -> Result<Option<Vec<u8>>, AuthorityError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(fault("reading", path, error)),
    }
}

/// Writes beside the path, syncs, renames, and syncs the folder: a cut leaves the old file or the
/// new one, and what came back whole stays. A fleet trusts the authority from its first word on.
pub(super) fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), AuthorityError> {
    let beside = path.with_extension("new");
    let write = || {
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        path.parent().map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all())
    };
    write().map_err(|source| fault("writing", path, source))
}

/// The 32 secret bytes of `path`, made where there are none.
pub(super) fn secret(path: &Path) -> Result<[u8; 32], AuthorityError> {
    match read_optional(path)? {
        Some(bytes) => {
            bytes.try_into().map_err(|_| AuthorityError::KeyLength { path: path.to_owned() })
        }
        None => {
            let mut secret = [0; 32];
            getrandom::fill(&mut secret)?;
            write_secret(path, &secret)?;
            Ok(secret)
        }
    }
}

fn fault(operation: &'static str, path: &Path, source: std::io::Error) -> AuthorityError {
    AuthorityError::File { operation, path: path.to_owned(), source }
}
