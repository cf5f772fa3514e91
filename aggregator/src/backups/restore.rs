//! A state folder from a backup. Everything is checked and written beside first; the folder
//! appears whole or not at all.

use super::archive::{self, ArchiveError, Manifest, fault};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    #[error("the state folder {0} is not empty: choose another, or move it aside with --force")]
    NotEmpty(PathBuf),
    #[error("{0} is in the way: an earlier restoration left it")]
    InTheWay(PathBuf),
    #[error("{operation} {path}")]
    File {
        operation: &'static str,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

/// What was restored.
#[derive(Clone, Debug, PartialEq)]
pub struct Restored {
    pub manifest: Manifest,
    /// Where what stood there before lies now.
    pub before: Option<PathBuf>,
}

/// Makes the folder `state` from the backup at `path`. With `force` a folder that is not empty is
/// moved aside.
///
/// # Errors
/// Where the backup is damaged, the passphrase wrong, or the folder not empty.
pub fn restore(
    path: &Path,
    passphrase: &str,
    state: &Path,
    force: bool,
) -> Result<Restored, RestoreError> {
    let full = match std::fs::read_dir(state) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == ErrorKind::NotFound => false,
        Err(source) => return Err(file("reading", state, source)),
    };
    if full && !force {
        return Err(RestoreError::NotEmpty(state.to_owned()));
    }
    let (beside, before) = (sibling(state, "restoring"), sibling(state, "before-restore"));
    for path in [&beside, &before] {
        if path.exists() {
            return Err(RestoreError::InTheWay(path.clone()));
        }
    }
    let unpacked = unpack(path, passphrase, &beside);
    let manifest = match unpacked {
        Ok(manifest) => manifest,
        Err(error) => {
            // What was unpacked of a bad backup is of no use.
            let _ = std::fs::remove_dir_all(&beside);
            return Err(error);
        }
    };
    if full {
        std::fs::rename(state, &before).map_err(|source| file("moving aside", state, source))?;
    }
    std::fs::rename(&beside, state).map_err(|source| file("renaming", &beside, source))?;
    Ok(Restored { manifest, before: full.then_some(before) })
}

fn unpack(path: &Path, passphrase: &str, into: &Path) -> Result<Manifest, RestoreError> {
    folder(into)?;
    let mut open: Option<File> = None;
    let (manifest, secrets) = archive::read(path, passphrase, |name, bytes, end| {
        let place = into.join(name);
        let failed = |source| fault("writing", &place, source);
        if open.is_none() {
            if let Some(parent) = place.parent() {
                let made = DirBuilder::new().recursive(true).mode(0o700).create(parent);
                made.map_err(|source| fault("creating", parent, source))?;
            }
            open = Some(secret_file(&place).map_err(failed)?);
        }
        if let Some(file) = &mut open {
            file.write_all(bytes).map_err(failed)?;
            if end {
                file.sync_all().map_err(failed)?;
                open = None;
            }
        }
        Ok(())
    })?;
    for (name, bytes) in secrets {
        let place = into.join(&name);
        if let Some(parent) = place.parent() {
            folder(parent)?;
        }
        let write = || {
            let mut file = secret_file(&place)?;
            file.write_all(&bytes)?;
            file.sync_all()
        };
        write().map_err(|source| file("writing", &place, source))?;
    }
    Ok(manifest)
}

fn secret_file(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn folder(path: &Path) -> Result<(), RestoreError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| file("creating", path, source))
}

fn sibling(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{suffix}"));
    path.with_file_name(name)
}

fn file(operation: &'static str, path: &Path, source: std::io::Error) -> RestoreError {
    RestoreError::File { operation, path: path.to_owned(), source }
}
