//! The one file that knows sled.
//!
//! sled 0.34 acknowledges a flush before the data is safe from a power cut: it only asks the
//! kernel to begin writing. So [`Disk::sync`] flushes and then syncs sled's file through a second
//! descriptor. Values stay small, since sled puts large leaves into files that it never syncs.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// What one leaf and its path need; the uplink reads in order.
const CACHE_BYTES: u64 = 2 * 1024 * 1024;

/// How often and how long a lock is waited for: two seconds in all.
const LOCK_WAITS: u32 = 40;
const LOCK_WAIT: Duration = Duration::from_millis(50);

#[derive(Debug, thiserror::Error)]
pub(super) enum DiskError {
    #[error("{path} is held by another process")]
    Locked { path: PathBuf },
    #[error("the folder {path} cannot be used")]
    Folder { path: PathBuf, source: io::Error },
    #[error("sled failed at {operation}")]
    Store { operation: &'static str, source: Box<dyn std::error::Error + Send + Sync> },
}

fn store<E>(operation: &'static str) -> impl FnOnce(E) -> DiskError
where
    E: std::error::Error + Send + Sync + 'static,
{
    move |error| DiskError::Store { operation, source: Box::new(error) }
}

/// Changes that happen together or not at all.
#[derive(Debug, Default)]
pub(super) struct Batch(sled::Batch);

impl Batch {
    pub(super) fn put(&mut self, key: &[u8], value: Vec<u8>) {
        self.0.insert(key, value);
    }

    pub(super) fn remove(&mut self, key: &[u8]) {
        self.0.remove(key);
    }
}

/// One ordered tree of keys and values.
#[derive(Debug)]
pub(super) struct Disk {
    db: sled::Db,
    file: File,
}

impl Disk {
    /// Opens the tree in `dir`, making it where there is none.
    pub(super) fn open(dir: &Path) -> Result<Self, DiskError> {
        let folder = |source| DiskError::Folder { path: dir.to_owned(), source };
        fs::create_dir_all(dir).map_err(folder)?;
        let db = open_unlocked(dir)?;
        let file = File::open(dir.join("db")).map_err(folder)?;
        file.sync_all().map_err(folder)?;
        for dir in [Some(dir), dir.parent()].into_iter().flatten() {
            sync_folder(dir).map_err(folder)?;
        }
        Ok(Self { db, file })
    }

    /// Hands a batch over. It is whole or absent after a crash, and safe after a [`Self::sync`].
    pub(super) fn apply(&self, batch: Batch) -> Result<(), DiskError> {
        self.db.apply_batch(batch.0).map_err(store("a write"))
    }

    /// Makes everything that was handed over survive a power cut.
    pub(super) fn sync(&self) -> Result<(), DiskError> {
        self.db.flush().map_err(store("a flush"))?;
        self.file.sync_all().map_err(store("a sync"))
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, DiskError> {
        let value = self.db.get(key).map_err(store("a read"))?;
        Ok(value.map(|value| value.to_vec()))
    }

    /// Keys from `from` to before `to`, in order, with their values.
    pub(super) fn range(
        &self,
        from: Vec<u8>,
        to: Vec<u8>,
    ) -> impl Iterator<Item = Result<(Vec<u8>, Vec<u8>), DiskError>> + use<> {
        self.db.range(from..to).map(|pair| {
            let (key, value) = pair.map_err(store("a scan"))?;
            Ok((key.to_vec(), value.to_vec()))
        })
    }

    pub(super) fn size_on_disk(&self) -> Result<u64, DiskError> {
        self.db.size_on_disk().map_err(store("a look at its size"))
    }
}

/// Opens sled, waiting a little for one that is just being closed: a killed agent holds its lock
/// until its last write is through.
fn open_unlocked(dir: &Path) -> Result<sled::Db, DiskError> {
    let mut waits = 0;
    loop {
        let opened = sled::Config::new()
            .path(dir)
            .mode(sled::Mode::LowSpace)
            .cache_capacity(CACHE_BYTES)
            .flush_every_ms(Some(1000))
            .open()
            .map_err(|error| opening(dir, error));
        match opened {
            Err(DiskError::Locked { .. }) if waits < LOCK_WAITS => {
                waits += 1;
                thread::sleep(LOCK_WAIT);
            }
            opened => return opened,
        }
    }
}

pub(super) fn sync_folder(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// sled says "could not acquire lock" as an I/O error of kind `Other`.
fn opening(dir: &Path, error: sled::Error) -> DiskError {
    match error {
        sled::Error::Io(source) if source.to_string().contains("acquire lock") => {
            DiskError::Locked { path: dir.to_owned() }
        }
        sled::Error::Io(source)
            if matches!(
                source.kind(),
                io::ErrorKind::PermissionDenied
                    | io::ErrorKind::StorageFull
                    | io::ErrorKind::QuotaExceeded
                    | io::ErrorKind::ReadOnlyFilesystem
            ) =>
        {
            DiskError::Folder { path: dir.to_owned(), source }
        }
        error => store("opening")(error),
    }
}
