//! sled never gives space back: where its file is more than twice what lives in it, the living
//! part is copied into a new one that takes its place. A crash at any step leaves one whole spool,
//! which [`settle`] finds.

use super::disk::{Batch, Disk, sync_folder};
use super::opening::{absent_ok, beside};
use super::{Shared, SpoolError, Usage};
use crate::logging::chain;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::PoisonError;

/// sled's own files, empty, and what it writes ahead: nothing is gained below.
const FLOOR_BYTES: u64 = 32 * 1024 * 1024;
/// The spool stands still while it is copied: more than this waits until it has drained.
const MAX_LIVE_BYTES: u64 = 64 * 1024 * 1024;
/// Records of one batch.
const BATCH: usize = 256;

/// Being written, worth nothing.
const REBUILDING: &str = "rebuilding";
/// Whole: the spool, whatever else is there.
const REBUILT: &str = "rebuilt";
/// The old one, worth nothing any more.
const REPLACED: &str = "replaced";

fn is_due(usage: Usage) -> bool {
    let Usage { live_bytes, disk_bytes, .. } = usage;
    disk_bytes > FLOOR_BYTES && live_bytes <= MAX_LIVE_BYTES && disk_bytes / 2 > live_bytes
}

/// Rebuilds where that is due. What fails is said, and leaves the spool as it was.
pub(super) fn when_due(shared: &Shared) {
    let rebuilt = shared.usage().and_then(|before| {
        if !is_due(before) {
            return Ok(());
        }
        now(shared)?;
        let (before, after) = (before.disk_bytes, shared.usage()?.disk_bytes);
        tracing::info!(before, after, "the spool's file was rebuilt");
        Ok(())
    });
    if let Err(error) = rebuilt {
        tracing::error!(error = chain(&error), "the spool's file could not be rebuilt");
    }
}

/// Nobody reads, trims or appends meanwhile.
pub(super) fn now(shared: &Shared) -> Result<(), SpoolError> {
    let _settling = shared.settling();
    let mut place = shared.disk.write().unwrap_or_else(PoisonError::into_inner);
    let old = place.as_ref().ok_or(SpoolError::Rebuilding)?;
    let dir = &shared.dir;
    let new = beside(dir, REBUILDING);
    if let Err(error) = absent_ok(fs::remove_dir_all(&new))
        .map_err(|source| SpoolError::Folder { path: new.clone(), source })
        .and_then(|()| copy(old, &new))
    {
        // Left where it stands it is removed at the next opening.
        let _left = fs::remove_dir_all(&new);
        return Err(error);
    }
    take_place(dir, &new, &beside(dir, REBUILT))?;
    // sled's threads write by path: they have to be gone before the paths move.
    drop(place.take());
    settle(dir)?;
    *place = Some(Disk::open(dir)?);
    Ok(())
}

fn copy(old: &Disk, new: &Path) -> Result<(), SpoolError> {
    let disk = Disk::open(new)?;
    let mut batch = Batch::default();
    for (number, record) in old.range(Vec::new(), vec![0xff; 16]).enumerate() {
        let (key, value) = record?;
        batch.put(&key, value);
        if number % BATCH == BATCH - 1 {
            disk.apply(std::mem::take(&mut batch))?;
        }
    }
    disk.apply(batch)?;
    Ok(disk.sync()?)
}

/// Ends a rebuild that was under way: after it there is one spool and nothing else of it.
pub(super) fn settle(dir: &Path) -> Result<(), SpoolError> {
    let rebuilt = beside(dir, REBUILT);
    let replaced = beside(dir, REPLACED);
    let remove = |path: &Path| {
        absent_ok(fs::remove_dir_all(path))
            .map_err(|source| SpoolError::Folder { path: path.to_owned(), source })
    };
    remove(&beside(dir, REBUILDING))?;
    if rebuilt.exists() {
        if dir.exists() {
            remove(&replaced)?;
            take_place(dir, dir, &replaced)?;
        }
        take_place(dir, &rebuilt, dir)?;
    }
    remove(&replaced)
}

fn take_place(dir: &Path, from: &Path, to: &Path) -> Result<(), SpoolError> {
    let moved = || -> io::Result<()> {
        fs::rename(from, to)?;
        dir.parent().map_or(Ok(()), sync_folder)
    };
    moved().map_err(|source| SpoolError::Folder { path: from.to_owned(), source })
}
