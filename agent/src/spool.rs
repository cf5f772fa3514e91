//! The spool: what is durable here and not yet committed at the aggregator.
//!
//! Owns the numbering of entries within its epoch, the dictionary of series, and the bytes that
//! wait. [`Spool`] is its one writer, [`Outbox`] what the uplink drains; both may be used at the
//! same time. It never decides what is worth keeping beyond its quota: the oldest blocks are
//! thinned first and go last, events and outcomes stay, and each loss is named by a gap.

mod dictionary;
mod disk;
mod keys;
mod opening;
mod outbox;
mod quota;
mod rebuild;
mod scan;
mod seal;
mod thinning;
mod value;

#[cfg(test)]
mod tests;

pub(crate) use opening::{Opened, Report};
pub(crate) use outbox::Outbox;
pub(crate) use seal::{KEY_BYTES, Seal};

use dictionary::Dictionary;
use disk::{Batch, Disk, DiskError};
use flyball_protocol::entry::{EntryBody, EntryError};
use flyball_protocol::guard::Series;
use flyball_protocol::series::{Reader, SeriesRef};
use flyball_protocol::sync::{Epoch, Ranges, Seq};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// Appends between two looks at whether sled's file has grown too large: some ten minutes.
const REBUILD_LOOK: u32 = 64;

/// The bounds of one spool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// What it may take of the disk. Half of it may be live: sled never gives space back.
    pub(crate) quota_bytes: u64,
    /// How far behind the newest block the oldest may lie; as far as the bytes reach where absent.
    pub(crate) quota_days: Option<u32>,
}

impl Default for Limits {
    /// About thirty days of 200 series at 1 Hz, whole.
    fn default() -> Self {
        Self { quota_bytes: 1024 * 1024 * 1024, quota_days: None }
    }
}

impl Limits {
    const fn live_bytes(self) -> u64 {
        self.quota_bytes / 2
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum SpoolError {
    #[error(
        "another agent holds the spool in {path}; end it first, or give this one another --state"
    )]
    Locked { path: PathBuf },
    #[error("the spool's folder {path} cannot be used")]
    Folder { path: PathBuf, source: io::Error },
    #[error("the spool's store failed at {0}")]
    Store(&'static str, #[source] Box<dyn std::error::Error + Send + Sync>),
    #[error(
        "its entries are sealed with a key that this identity does not hold; put the identity \
         back that they were made under, or let the agent begin anew"
    )]
    Sealed,
    #[error("the spool is being rebuilt")]
    Rebuilding,
    #[error("an entry cannot be encoded")]
    Entry(#[source] EntryError),
    #[error("the spool's own records cannot be encoded")]
    Encode(#[source] postcard::Error),
    #[error("events and outcomes alone fill the quota of {quota_bytes} bytes")]
    Full { quota_bytes: u64 },
}

/// What of the spool's disk is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Bytes of entries that wait.
    pub(crate) live_bytes: u64,
    pub(crate) disk_bytes: u64,
    pub(crate) quota_bytes: u64,
}

/// What both halves share. Atomics and a lock rather than messages: the uplink reads and trims
/// while the writer waits for the disk, and neither may wait for the other's.
#[derive(Debug)]
struct Shared {
    /// Taken out only while the rebuilt one takes its place.
    disk: RwLock<Option<Disk>>,
    dir: PathBuf,
    seal: Option<Seal>,
    limits: Limits,
    epoch: AtomicU64,
    next_seq: AtomicU64,
    live_bytes: AtomicU64,
    /// Numbers that are gone for a reason: acknowledged or dropped.
    settled: Mutex<Ranges>,
}

impl Shared {
    fn epoch(&self) -> Epoch {
        Epoch(self.epoch.load(Ordering::Acquire))
    }

    fn next_seq(&self) -> Seq {
        Seq(self.next_seq.load(Ordering::Acquire))
    }

    /// Does something with the disk, which stays open meanwhile.
    fn with_disk<T>(
        &self,
        act: impl FnOnce(&Disk) -> Result<T, SpoolError>,
    ) -> Result<T, SpoolError> {
        let disk = self.disk.read().unwrap_or_else(PoisonError::into_inner);
        act(disk.as_ref().ok_or(SpoolError::Rebuilding)?)
    }

    fn usage(&self) -> Result<Usage, SpoolError> {
        Ok(Usage {
            live_bytes: self.live_bytes.load(Ordering::Relaxed),
            disk_bytes: self.with_disk(|disk| Ok(disk.size_on_disk()?))?,
            quota_bytes: self.limits.quota_bytes,
        })
    }

    /// Takes the right to remove entries, so that none is counted off twice.
    fn settling(&self) -> Settling<'_> {
        let settled = self.settled.lock().unwrap_or_else(PoisonError::into_inner);
        Settling { shared: self, settled }
    }

    /// Goes on under `epoch`. Entries keep their numbers, which are unused under the new one.
    fn renew_epoch(&self, epoch: Epoch) -> Result<(), SpoolError> {
        let mut batch = Batch::default();
        batch.put(keys::EPOCH, encode(&epoch)?);
        self.with_disk(|disk| {
            disk.apply(batch)?;
            Ok(disk.sync()?)
        })?;
        self.epoch.store(epoch.0, Ordering::Release);
        Ok(())
    }
}

/// The right to remove entries. Held over scans and batches, never over an fsync.
struct Settling<'a> {
    shared: &'a Shared,
    settled: MutexGuard<'a, Ranges>,
}

impl Settling<'_> {
    /// Hands `batch` over with `gone` settled, and counts `freed` bytes off.
    fn apply(&mut self, gone: &Ranges, mut batch: Batch, freed: u64) -> Result<(), SpoolError> {
        let mut after = self.settled.clone();
        after.merge(gone);
        if after != *self.settled {
            batch.put(keys::SETTLED, encode(&after)?);
        }
        self.shared.with_disk(|disk| Ok(disk.apply(batch)?))?;
        *self.settled = after;
        self.shared.live_bytes.fetch_sub(freed, Ordering::Relaxed);
        Ok(())
    }
}

/// The writing half.
#[derive(Debug)]
pub(crate) struct Spool<M> {
    shared: Arc<Shared>,
    dictionary: Dictionary,
    meta: Option<M>,
    appends: u32,
}

/// What stands beside the entries and changes with them, in the same batch.
#[derive(Debug, Serialize, Deserialize)]
struct Root<M> {
    next_seq: Seq,
    meta: Option<M>,
}

/// What an append gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Appended {
    /// The first number behind the new entries.
    pub(crate) next_seq: Seq,
    /// Blocks that the quota thinned for them.
    pub(crate) thinned_blocks: u64,
    /// Blocks that it dropped.
    pub(crate) dropped_blocks: u64,
}

impl<M: Serialize + DeserializeOwned> Spool<M> {
    /// Opens the spool in `dir`, nothing of it sealed. One that cannot be opened is set aside and a new one is made;
    /// the report says so. `fresh` is a random epoch for the case that one is needed.
    ///
    /// # Errors
    /// Where another process holds it, or the folder cannot be used at all.
    #[cfg(test)]
    pub(crate) fn open(dir: &Path, limits: Limits, fresh: Epoch) -> Result<Opened<M>, SpoolError> {
        Self::open_sealed(dir, limits, None, fresh)
    }

    /// The same with entries that are sealed at rest.
    ///
    /// # Errors
    /// Where another process holds it, or the folder cannot be used at all. A spool that was
    /// sealed with another key is set aside.
    pub(crate) fn open_sealed(
        dir: &Path,
        limits: Limits,
        seal: Option<&Seal>,
        fresh: Epoch,
    ) -> Result<Opened<M>, SpoolError> {
        opening::open(dir, limits, seal, fresh)
    }

    /// Makes `bodies` durable in their order, together with `meta`: all of them or none. When it
    /// returns they survive a power cut.
    ///
    /// # Errors
    /// Where the disk fails or is full of what may not be dropped; nothing was appended then.
    pub(crate) fn append_batch(
        &mut self,
        bodies: &[EntryBody],
        meta: M,
    ) -> Result<Appended, SpoolError> {
        let mut encoded = Vec::with_capacity(bodies.len());
        for body in bodies {
            encoded.push(body.encode().map_err(SpoolError::Entry)?);
        }
        let mut settling = self.shared.settling();
        let room = quota::make_room(&self.shared, bodies, &encoded)?;
        for body in &room.bodies {
            encoded.push(body.encode().map_err(SpoolError::Entry)?);
        }
        let mut batch = Batch::default();
        let mut seq = self.shared.next_seq();
        let mut bytes = 0;
        for body in encoded {
            bytes += value::put(&mut batch, seq, &body, self.shared.seal.as_ref());
            seq = seq.next();
        }
        let root = Root { next_seq: seq, meta: Some(meta) };
        batch.put(keys::ROOT, encode(&root)?);
        room.remove_in(&mut batch);
        settling.apply(&room.seqs, batch, room.freed)?;
        drop(settling);
        self.shared.live_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.shared.with_disk(|disk| Ok(disk.sync()?))?;
        self.shared.next_seq.store(seq.0, Ordering::Release);
        self.meta = root.meta;
        self.appends = self.appends.wrapping_add(1);
        if self.appends.is_multiple_of(REBUILD_LOOK) {
            rebuild::when_due(&self.shared);
        }
        Ok(Appended { next_seq: seq, thinned_blocks: room.thinned, dropped_blocks: room.dropped })
    }

    /// The numbers of these series within this epoch, new ones made durable first; `None` for one
    /// that breaks a bound of [`flyball_protocol::series::SeriesDef::check`].
    ///
    /// # Errors
    /// Where the disk fails.
    pub(crate) fn register(
        &mut self,
        reader: Reader,
        series: &[Series],
    ) -> Result<Vec<Option<SeriesRef>>, SpoolError> {
        let dictionary = &mut self.dictionary;
        self.shared.with_disk(|disk| dictionary.register(disk, reader, series))
    }

    /// What the last append wrote beside its entries.
    pub(crate) const fn meta(&self) -> Option<&M> {
        self.meta.as_ref()
    }

    pub(crate) fn epoch(&self) -> Epoch {
        self.shared.epoch()
    }

    pub(crate) fn next_seq(&self) -> Seq {
        self.shared.next_seq()
    }

    /// Goes on under another epoch, so that no number is used twice.
    ///
    /// # Errors
    /// Where the disk fails; the old epoch holds then.
    pub(crate) fn renew_epoch(&mut self, epoch: Epoch) -> Result<(), SpoolError> {
        self.shared.renew_epoch(epoch)
    }

    /// The reading half; it may be cloned and sent to another thread.
    pub(crate) fn outbox(&self) -> Outbox {
        Outbox::new(Arc::clone(&self.shared))
    }
}

impl From<DiskError> for SpoolError {
    fn from(error: DiskError) -> Self {
        match error {
            DiskError::Locked { path } => Self::Locked { path },
            DiskError::Folder { path, source } => Self::Folder { path, source },
            DiskError::Store { operation, source } => Self::Store(operation, source),
        }
    }
}

fn encode<T: Serialize>(record: &T) -> Result<Vec<u8>, SpoolError> {
    postcard::to_stdvec(record).map_err(SpoolError::Encode)
}
