//! Parts of objects of a remote store, kept on this machine's disk.
//!
//! A part is a file of its own under its object's folder, with its checksum before it; one that
//! was torn is like one that is not there. What is there at the start is known again, so a
//! restart finds the cache warm. Objects never change, and their parts go with them.

use super::CacheMeter;
use bytes::Bytes;
use moka::notification::RemovalCause;
use moka::sync::Cache;
use sha2::{Digest, Sha256};
use std::fs;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What a part is kept for at most: an object that another replica removed is forgotten then.
const KEPT: Duration = Duration::from_hours(7 * 24);
/// The bytes of the checksum before a part.
const HEAD: usize = 4;
/// What is being written.
const UNFINISHED: &str = "tmp";

#[derive(Debug, thiserror::Error)]
#[error("{operation} {path}")]
pub struct DiskCacheError {
    operation: &'static str,
    path: PathBuf,
    source: std::io::Error,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Part {
    /// Its object's, as a folder's name.
    object: String,
    from: u64,
    to: u64,
}

impl Part {
    fn of(object: &str, range: &Range<u64>) -> Self {
        Self { object: folder_of(object), from: range.start, to: range.end }
    }

    /// Its file under `folder`.
    fn path(&self, folder: &Path) -> PathBuf {
        folder.join(&self.object).join(format!("{}-{}", self.from, self.to))
    }

    fn parse(object: &str, file: &str) -> Option<Self> {
        let (from, to) = file.split_once('-')?;
        Some(Self { object: object.to_owned(), from: from.parse().ok()?, to: to.parse().ok()? })
    }
}

/// A name that no object can choose.
fn folder_of(object: &str) -> String {
    let digest = Sha256::digest(object.as_bytes());
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[derive(Debug)]
pub(crate) struct DiskCache {
    folder: PathBuf,
    /// What each part takes.
    parts: Cache<Part, u32>,
    meter: CacheMeter,
    written: AtomicU64,
}

impl DiskCache {
    /// Opens the cache in `folder`, of at most `bytes`.
    pub(crate) fn open(folder: &Path, bytes: u64) -> Result<Self, DiskCacheError> {
        let own = folder.to_owned();
        let parts = Cache::builder()
            .max_capacity(bytes)
            .weigher(|_: &Part, bytes: &u32| *bytes)
            .time_to_live(KEPT)
            .support_invalidation_closures()
            .eviction_listener(move |part: std::sync::Arc<Part>, _, cause| {
                if cause != RemovalCause::Replaced {
                    forget(&part.path(&own));
                }
            })
            .build();
        let cache = Self {
            folder: folder.to_owned(),
            parts,
            meter: CacheMeter::new("history_disk"),
            written: AtomicU64::new(0),
        };
        cache.warm()?;
        Ok(cache)
    }

    pub(crate) const fn meter(&self) -> &CacheMeter {
        &self.meter
    }

    /// Finds what is there since before.
    fn warm(&self) -> Result<(), DiskCacheError> {
        let failed = |operation, path: &Path| {
            let path = path.to_owned();
            move |source| DiskCacheError { operation, path, source }
        };
        fs::create_dir_all(&self.folder).map_err(failed("creating", &self.folder))?;
        for object in fs::read_dir(&self.folder).map_err(failed("listing", &self.folder))? {
            let object = object.map_err(failed("listing", &self.folder))?;
            let name = object.file_name();
            if name == UNFINISHED {
                let path = object.path();
                fs::remove_dir_all(&path).map_err(failed("removing", &path))?;
                continue;
            }
            let Ok(files) = fs::read_dir(object.path()) else { continue };
            for file in files.flatten() {
                let part =
                    Part::parse(&name.to_string_lossy(), &file.file_name().to_string_lossy());
                let bytes = file.metadata().map_or(0, |metadata| metadata.len());
                match (part, u32::try_from(bytes)) {
                    (Some(part), Ok(bytes)) => self.parts.insert(part, bytes),
                    _ => forget(&file.path()),
                }
            }
        }
        self.parts.run_pending_tasks();
        let unfinished = self.folder.join(UNFINISHED);
        fs::create_dir_all(&unfinished).map_err(failed("creating", &unfinished))
    }

    /// A part, where it is there and whole.
    pub(crate) fn get(&self, object: &str, range: &Range<u64>) -> Option<Bytes> {
        let part = Part::of(object, range);
        let known = self.parts.get(&part).is_some();
        let found = known.then(|| self.read(&part)).flatten();
        if known && found.is_none() {
            self.parts.invalidate(&part);
        }
        self.meter.asked(found)
    }

    fn read(&self, part: &Part) -> Option<Bytes> {
        let file = Bytes::from(fs::read(part.path(&self.folder)).ok()?);
        let (head, bytes) = file.split_at_checked(HEAD)?;
        let whole = u64::try_from(bytes.len()).is_ok_and(|length| length == part.to - part.from);
        let intact = head == crc32fast::hash(bytes).to_be_bytes().as_slice();
        (whole && intact).then(|| file.slice(HEAD..))
    }

    /// Keeps a part. One that cannot be written is not kept, and nothing else happens.
    pub(crate) fn put(&self, object: &str, range: &Range<u64>, bytes: &[u8]) {
        let part = Part::of(object, range);
        let Ok(length) = u32::try_from(bytes.len() + HEAD) else { return };
        if let Err(error) = self.write(&part, bytes) {
            let error = &error as &dyn std::error::Error;
            tracing::debug!(error, object, "a part was not kept on the disk");
            return;
        }
        self.parts.insert(part, length);
    }

    fn write(&self, part: &Part, bytes: &[u8]) -> std::io::Result<()> {
        let number = self.written.fetch_add(1, Ordering::Relaxed);
        let unfinished = self.folder.join(UNFINISHED).join(number.to_string());
        let mut whole = crc32fast::hash(bytes).to_be_bytes().to_vec();
        whole.extend_from_slice(bytes);
        fs::write(&unfinished, whole)?;
        let path = part.path(&self.folder);
        fs::create_dir_all(self.folder.join(&part.object))?;
        fs::rename(&unfinished, path)
    }

    /// Forgets all parts of an object that is gone.
    pub(crate) fn remove(&self, object: &str) {
        let folder = folder_of(object);
        let gone = folder.clone();
        // Refused only without support for it.
        let _ = self.parts.invalidate_entries_if(move |part, _| part.object == gone);
        if let Err(error) = fs::remove_dir_all(self.folder.join(&folder))
            && error.kind() != ErrorKind::NotFound
        {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, object, "parts of a removed object stay on the disk for a week");
        }
    }
}

fn forget(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != ErrorKind::NotFound
    {
        tracing::debug!(path = %path.display(), %error, "a part that is kept no more stays");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &Path) -> usize {
        let folders = fs::read_dir(folder).unwrap().flatten();
        folders.map(|folder| fs::read_dir(folder.path()).unwrap().count()).sum()
    }

    #[test]
    fn a_part_is_there_again_after_a_restart_and_only_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let cache = DiskCache::open(folder.path(), 1 << 20).unwrap();
        assert_eq!(cache.get("a/1", &(10..14)), None);
        cache.put("a/1", &(10..14), b"four");
        assert_eq!(cache.get("a/1", &(10..14)).unwrap(), "four");
        assert_eq!(cache.get("a/1", &(10..13)), None);
        drop(cache);
        let cache = DiskCache::open(folder.path(), 1 << 20).unwrap();
        assert_eq!(cache.get("a/1", &(10..14)).unwrap(), "four");
        let path = Part::of("a/1", &(10..14)).path(folder.path());
        fs::write(&path, b"torn").unwrap();
        assert_eq!(cache.get("a/1", &(10..14)), None);
    }

    #[test]
    fn parts_of_an_object_go_with_it_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let cache = DiskCache::open(folder.path(), 1 << 20).unwrap();
        cache.put("a", &(0..1), b"1");
        cache.put("a", &(1..2), b"2");
        cache.put("b", &(0..1), b"3");
        cache.remove("a");
        assert_eq!(cache.get("a", &(0..1)), None);
        assert_eq!(cache.get("b", &(0..1)).unwrap(), "3");
        assert_eq!(files(folder.path()), 1);
    }

    #[test]
    fn the_disk_holds_no_more_than_it_may() {
        let folder = tempfile::tempdir().unwrap();
        let cache = DiskCache::open(folder.path(), 10_000).unwrap();
        for at in 0..100 {
            cache.put("a", &(at * 996..(at + 1) * 996), &[7; 996]);
            cache.parts.run_pending_tasks();
        }
        assert!(files(folder.path()) <= 10, "{} files of a thousand bytes", files(folder.path()));
        drop(cache);
        let smaller = DiskCache::open(folder.path(), 3_000).unwrap();
        smaller.parts.run_pending_tasks();
        assert!(files(folder.path()) <= 3);
    }
}
