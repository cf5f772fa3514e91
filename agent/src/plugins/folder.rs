//! The components in the operator's folder.

use super::hash::{Hash, Hashing};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// More files than this are not looked at.
const MAX_COMPONENTS: usize = 64;
/// As the compiler bounds it; a larger file is hashed no further and refused by it.
const MAX_COMPONENT_BYTES: u64 = 64 * 1024 * 1024;
const READ_BYTES: usize = 64 * 1024;

/// A file as the folder shows it, without reading it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Listed {
    pub(super) path: PathBuf,
    bytes: u64,
    changed: Option<SystemTime>,
}

impl Listed {
    /// What an operator calls it.
    pub(super) fn name(&self) -> String {
        self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }

    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// When it was written, in Unix milliseconds; 0 where the file system does not say.
    pub(super) fn changed_ms(&self) -> u64 {
        let since = self.changed.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
        since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

/// Every `*.wasm`, in the order of their names. A folder that is not there is empty.
pub(super) fn list(folder: &Path) -> io::Result<Vec<Listed>> {
    let files = match std::fs::read_dir(folder) {
        Ok(files) => files,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for file in files {
        let path = file?.path();
        if path.extension().is_none_or(|extension| extension != "wasm") {
            continue;
        }
        let meta = std::fs::metadata(&path)?;
        if meta.is_file() {
            found.push(Listed { path, bytes: meta.len(), changed: meta.modified().ok() });
        }
    }
    found.sort();
    if found.len() > MAX_COMPONENTS {
        tracing::warn!(files = found.len(), "only the first {MAX_COMPONENTS} plugins are used");
        found.truncate(MAX_COMPONENTS);
    }
    Ok(found)
}

pub(super) fn hash(path: &Path) -> io::Result<Hash> {
    let mut component = std::fs::File::open(path)?.take(MAX_COMPONENT_BYTES + 1);
    let mut hashing = Hashing::new();
    let mut buffer = vec![0; READ_BYTES];
    loop {
        match component.read(&mut buffer) {
            Ok(0) => return Ok(hashing.finish()),
            Ok(count) => hashing.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
