//! How a spool comes up: whole, with holes that are reported, or set aside and made anew.

use super::disk::{Batch, Disk, sync_folder};
use super::seal::Seal;
use super::{
    Dictionary, Limits, Root, Shared, Spool, SpoolError, encode, keys, rebuild, scan, value,
};
use flyball_protocol::sync::{Epoch, Ranges, Seq};
use serde::{Serialize, de::DeserializeOwned};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, RwLock};

/// Damaged spools that are kept for a look.
const KEPT_ASIDE: u32 = 3;
/// Openings in a row that did not end before the next: sled may abort on what it finds.
const MAX_CRASHED_OPENINGS: usize = 3;

/// A spool that is open, and what was found.
#[derive(Debug)]
pub(crate) struct Opened<M> {
    pub(crate) spool: Spool<M>,
    pub(crate) report: Report,
}

/// What was found that an operator should know of.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// The spool could not be opened: where it lies now, and why.
    pub(crate) set_aside: Option<(PathBuf, String)>,
    /// Numbers that were durable once and are neither here nor known to be committed.
    pub(crate) missing: Ranges,
    /// A new epoch was begun.
    pub(crate) new_epoch: bool,
}

pub(super) fn open<M>(
    dir: &Path,
    limits: Limits,
    seal: Option<&Seal>,
    fresh: Epoch,
) -> Result<Opened<M>, SpoolError>
where
    M: Serialize + DeserializeOwned,
{
    let marker = Marker::at(dir);
    let tried = if marker.begin()? > MAX_CRASHED_OPENINGS {
        Err("opening it ended this program three times".to_owned())
    } else {
        match rebuild::settle(dir).and_then(|()| load(dir, limits, seal, fresh)) {
            Ok(opened) => Ok(opened),
            Err(error @ (SpoolError::Locked { .. } | SpoolError::Folder { .. })) => {
                marker.end()?;
                return Err(error);
            }
            Err(error) => Err(chain(&error)),
        }
    };
    let opened = match tried {
        Ok(opened) => opened,
        Err(reason) => {
            let to = set_aside(dir)?;
            let mut opened = load(dir, limits, seal, fresh)?;
            opened.report.set_aside = Some((to, reason));
            opened
        }
    };
    marker.end()?;
    Ok(opened)
}

fn load<M>(
    dir: &Path,
    limits: Limits,
    seal: Option<&Seal>,
    fresh: Epoch,
) -> Result<Opened<M>, SpoolError>
where
    M: Serialize + DeserializeOwned,
{
    let disk = Disk::open(dir)?;
    check_seal(&disk, seal)?;
    let dictionary = Dictionary::load(&disk)?;
    let root: Option<Root<M>> = read(&disk, keys::ROOT)?;
    let epoch: Option<Epoch> = read(&disk, keys::EPOCH)?;
    // Its own set has no bound but the disk's: what the quota dropped leaves holes.
    let pieces: Vec<(Seq, Seq)> = read(&disk, keys::SETTLED)?.unwrap_or_default();
    let mut settled = Ranges::new();
    pieces.into_iter().for_each(|(from, to)| settled.insert_range(from, to));
    let live = Live::scan(&disk, seal)?;

    let mut report = Report::default();
    let (known_next, meta) = root.map_or((Seq::FIRST, None), |root| (root.next_seq, root.meta));
    let next_seq = known_next.max(live.behind);
    let mut there = live.whole;
    there.merge(&settled);
    let mut all = Ranges::new();
    all.insert_range(Seq::FIRST, Seq(next_seq.0 - 1));
    report.missing = there.missing_from(&all);
    settled.merge(&report.missing);

    // A spool that lost its root does not know which numbers it gave.
    let kept = epoch.filter(|_| known_next == next_seq);
    report.new_epoch = kept.is_none();
    let epoch = kept.unwrap_or(fresh);
    let mut batch = live.damaged;
    if let Some(proof) = seal.filter(|seal| seal.writes()).and_then(Seal::proof) {
        batch.put(keys::SEAL, proof);
    }
    batch.put(keys::EPOCH, encode(&epoch)?);
    batch.put(keys::SETTLED, encode(&settled)?);
    disk.apply(batch)?;
    disk.sync()?;

    let shared = Shared {
        disk: RwLock::new(Some(disk)),
        dir: dir.to_owned(),
        seal: seal.cloned(),
        limits,
        epoch: AtomicU64::new(epoch.0),
        next_seq: AtomicU64::new(next_seq.0),
        live_bytes: AtomicU64::new(live.bytes),
        settled: Mutex::new(settled),
    };
    rebuild::when_due(&shared);
    let spool = Spool { shared: Arc::new(shared), dictionary, meta, appends: 0 };
    Ok(Opened { spool, report })
}

/// Entries that are sealed are of no use without their key.
fn check_seal(disk: &Disk, seal: Option<&Seal>) -> Result<(), SpoolError> {
    match (disk.get(keys::SEAL)?, seal) {
        (None, _) => Ok(()),
        (Some(proof), Some(seal)) if seal.proves(&proof) => Ok(()),
        (Some(_), _) => Err(SpoolError::Sealed),
    }
}

/// The entries that are there.
struct Live {
    whole: Ranges,
    bytes: u64,
    /// The number behind the last key.
    behind: Seq,
    /// Removes those whose checksum is wrong.
    damaged: Batch,
}

impl Live {
    fn scan(disk: &Disk, seal: Option<&Seal>) -> Result<Self, SpoolError> {
        let mut live =
            Self { whole: Ranges::new(), bytes: 0, behind: Seq::FIRST, damaged: Batch::default() };
        for stored in scan::entries(disk, Seq::FIRST, Seq(u64::MAX)) {
            let (seq, bytes) = stored?;
            live.behind = seq.next();
            if value::parse(seq, &bytes, seal).is_some() {
                live.whole.insert(seq);
                live.bytes += bytes.len() as u64;
            } else {
                for piece in 0..=value::MAX_PIECE {
                    live.damaged.remove(&keys::piece(seq, piece));
                }
            }
        }
        Ok(live)
    }
}

fn read<T: DeserializeOwned>(disk: &Disk, key: &[u8]) -> Result<Option<T>, SpoolError> {
    disk.get(key)?
        .map(|bytes| {
            postcard::from_bytes(&bytes)
                .map_err(|error| SpoolError::Store("reading its own records", Box::new(error)))
        })
        .transpose()
}

/// Moves the folder out of the way, and the oldest of those that lie there already away.
fn set_aside(dir: &Path) -> Result<PathBuf, SpoolError> {
    let aside = |place: u32| beside(dir, &format!("damaged-{place}"));
    let folder = |source| SpoolError::Folder { path: dir.to_owned(), source };
    for place in (1..=KEPT_ASIDE).rev() {
        if place == KEPT_ASIDE {
            absent_ok(fs::remove_dir_all(aside(place))).map_err(folder)?;
        } else {
            absent_ok(fs::rename(aside(place), aside(place + 1))).map_err(folder)?;
        }
    }
    fs::rename(dir, aside(1)).map_err(folder)?;
    if let Some(parent) = dir.parent() {
        sync_folder(parent).map_err(folder)?;
    }
    Ok(aside(1))
}

/// A file that stands while a spool is being opened; its length counts the openings in a row
/// that never ended.
struct Marker {
    path: PathBuf,
}

impl Marker {
    fn at(dir: &Path) -> Self {
        Self { path: beside(dir, "opening") }
    }

    /// Counts this opening in.
    fn begin(&self) -> Result<usize, SpoolError> {
        let folder = |source| SpoolError::Folder { path: self.path.clone(), source };
        if let Some(parent) = self.path.parent() {
            fs::create_dir_all(parent).map_err(folder)?;
        }
        let crashed = match fs::metadata(&self.path) {
            Ok(metadata) => usize::try_from(metadata.len()).unwrap_or(usize::MAX),
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(folder(error)),
        };
        let openings = crashed.saturating_add(1).min(MAX_CRASHED_OPENINGS + 1);
        fs::write(&self.path, vec![b'.'; openings]).map_err(folder)?;
        Ok(openings)
    }

    fn end(&self) -> Result<(), SpoolError> {
        absent_ok(fs::remove_file(&self.path))
            .map_err(|source| SpoolError::Folder { path: self.path.clone(), source })
    }
}

pub(super) fn beside(dir: &Path, suffix: &str) -> PathBuf {
    let mut name = dir.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(suffix);
    dir.with_file_name(name)
}

pub(super) fn absent_ok(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
