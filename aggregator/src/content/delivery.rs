//! Brings curricula to the machines that keep them for readers nearby, so that a site that is cut
//! off still has its content.
//!
//! A machine is asked once on each connection what it keeps; what it lacks is sent in pieces, one
//! machine's after the other, and what it shall keep no longer is taken off.

use crate::app::shutdown::Shutdown;
use crate::clock::Clock;
use crate::content::AssetInfo;
use crate::fleet::sessions::Target;
use crate::fleet::{DeviceId, Sessions};
use crate::store::{Store, StoreError};
use crate::tenancy::{Machines, Tenancy};
use flyball_protocol::message::{
    Job, JobEvent, JobFailure, JobFailureKind, JobRequest, ShelfAsset, ShelfPiece,
};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use tokio::time::MissedTickBehavior;

pub const MAX_PLACEMENTS: usize = 500;
const LOOK: Duration = Duration::from_secs(5);
/// Machines that are sent to at once.
const AT_ONCE: usize = 4;
const PIECE_BYTES: u32 = 4 * 1024 * 1024;
/// For one piece over a slow line.
const PIECE_MS: u32 = 120_000;
/// What failed is tried again after that.
const REST_MS: u64 = 60_000;

/// Where a curriculum is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    pub curriculum: String,
    pub target: Machines,
    pub placed_by: String,
    pub placed_at_ms: u64,
}

/// How far a curriculum is on one machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    Waiting,
    /// Bytes.
    Sending {
        sent: u64,
        total: u64,
    },
    Kept,
    Failed(String),
}

/// What is sent: a number that changes with everything that readers get.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Version {
    curriculum: String,
    number: u64,
    title: String,
    document: Vec<u8>,
    assets: Vec<AssetInfo>,
}

impl Version {
    fn bytes(&self) -> u64 {
        self.document.len() as u64 + self.assets.iter().map(|asset| asset.size).sum::<u64>()
    }
}

#[derive(Clone, Debug)]
pub struct Delivery {
    store: Store,
    sessions: Sessions,
    tenancy: Tenancy,
    clock: Clock,
    changed: Arc<Notify>,
    machines: Arc<Mutex<HashMap<DeviceId, Machine>>>,
    room: Arc<Semaphore>,
}

#[derive(Debug)]
struct Machine {
    connection: u64,
    shelf: Shelf,
    /// Somebody is at it.
    busy: bool,
    /// What failed rests until then.
    until_ms: u64,
    progress: BTreeMap<String, Progress>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Shelf {
    Unknown,
    /// It keeps nothing for readers, and why.
    None(String),
    Kept(BTreeMap<String, u64>),
}

/// What one machine has to be told.
#[derive(Debug)]
struct Errand {
    device: DeviceId,
    connection: u64,
    kept: Option<BTreeMap<String, u64>>,
    wanted: BTreeMap<String, u64>,
}

impl Delivery {
    pub(crate) fn new(store: Store, sessions: Sessions, tenancy: Tenancy, clock: Clock) -> Self {
        let (changed, machines) = (Arc::default(), Arc::default());
        let room = Arc::new(Semaphore::new(AT_ONCE));
        Self { store, sessions, tenancy, clock, changed, machines, room }
    }

    /// A curriculum was placed, or changed.
    pub fn wake(&self) {
        self.changed.notify_one();
    }

    pub async fn run(self, shutdown: Shutdown) {
        let mut stop = shutdown.subscribe();
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.wait() => return,
                () = self.changed.notified() => {}
                _ = look.tick() => {}
            }
            if let Err(error) = self.pass().await {
                tracing::warn!(%error, "content can't be brought to machines now");
            }
        }
    }

    /// How far `curriculum` is on a machine that shall keep it.
    #[must_use]
    pub fn progress(&self, device: DeviceId, curriculum: &str) -> Progress {
        self.with_machines(|machines| {
            let Some(machine) = machines.get(&device) else { return Progress::Waiting };
            match &machine.shelf {
                Shelf::None(why) => Progress::Failed(why.clone()),
                _ => machine.progress.get(curriculum).cloned().unwrap_or(Progress::Waiting),
            }
        })
    }

    /// Begins to send what machines lack. What was begun goes on by itself.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn pass(&self) -> Result<(), StoreError> {
        let placements = self.store.curriculum_placements().await?;
        let mut numbers = BTreeMap::new();
        for placement in &placements {
            if let Some(number) = self.number(&placement.curriculum).await? {
                numbers.insert(placement.curriculum.clone(), number);
            }
        }
        let tenancy = self.tenancy.map().await?;
        let now_ms = self.clock.now_ms();
        let online = self.sessions.connections();
        let errands = self.with_machines(|machines| {
            let here: BTreeSet<DeviceId> = online.iter().map(|(device, _)| *device).collect();
            machines.retain(|device, _| here.contains(device));
            let mut errands = Vec::new();
            for (device, connection) in online {
                let machine = machines.entry(device).or_insert_with(|| Machine::new(connection));
                if machine.connection != connection {
                    *machine = Machine::new(connection);
                }
                let meant = placements.iter().filter(|p| p.target.hold(device, &tenancy));
                let wanted: BTreeMap<String, u64> = meant
                    .filter_map(|p| Some((p.curriculum.clone(), *numbers.get(&p.curriculum)?)))
                    .collect();
                machine.progress.retain(|curriculum, _| wanted.contains_key(curriculum));
                if machine.busy || machine.until_ms > now_ms || machine.has(&wanted) {
                    continue;
                }
                machine.busy = true;
                let kept = match &machine.shelf {
                    Shelf::Kept(kept) => Some(kept.clone()),
                    Shelf::Unknown | Shelf::None(_) => None,
                };
                errands.push(Errand { device, connection, kept, wanted });
            }
            errands
        });
        for errand in errands {
            tokio::spawn(self.clone().go(errand));
        }
        Ok(())
    }

    async fn go(self, errand: Errand) {
        // It is never closed.
        let Ok(_turn) = self.room.acquire().await else { return };
        let device = errand.device;
        let (shelf, failure) = match &errand.kept {
            Some(kept) => self.bring(&errand, kept.clone()).await,
            None => match self.ask(device).await {
                Ok(kept) => self.bring(&errand, kept).await,
                Err(failure) => (Shelf::None(failure.message), None),
            },
        };
        let until_ms = match &failure {
            Some(failure) => {
                tracing::info!(%device, failure, "content did not come to a machine");
                self.clock.now_ms() + REST_MS
            }
            None => 0,
        };
        self.with_machine(&errand, |machine| {
            machine.shelf = shelf;
            machine.busy = false;
            machine.until_ms = until_ms;
        });
        self.wake();
    }

    /// What the machine keeps.
    async fn ask(&self, device: DeviceId) -> Result<BTreeMap<String, u64>, JobFailure> {
        let mut kept = BTreeMap::new();
        self.work(device, Job::Shelf, |event| {
            if let JobEvent::Shelf(all) = event {
                kept = all.into_iter().collect();
            }
        })
        .await?;
        Ok(kept)
    }

    /// Sends what is lacking and takes off what is too much; what the machine keeps then, and the
    /// first thing that failed.
    async fn bring(
        &self,
        errand: &Errand,
        mut kept: BTreeMap<String, u64>,
    ) -> (Shelf, Option<String>) {
        let mut failed = None;
        let surplus: Vec<(String, u64)> =
            kept.clone().into_iter().filter(|(id, _)| !errand.wanted.contains_key(id)).collect();
        for (curriculum, revision) in surplus {
            let piece = ShelfPiece::Removed;
            let job = Job::Shelve { curriculum: curriculum.clone(), revision, piece };
            match self.work(errand.device, job, |_| {}).await {
                Ok(()) => drop(kept.remove(&curriculum)),
                Err(failure) => failed = failed.or(Some(failure.message)),
            }
        }
        for (curriculum, number) in &errand.wanted {
            let there = kept.get(curriculum) == Some(number);
            let sent = if there { Ok(*number) } else { self.send(errand, curriculum).await };
            let progress = match sent {
                Ok(number) => {
                    kept.insert(curriculum.clone(), number);
                    Progress::Kept
                }
                Err(why) => {
                    failed = failed.or(Some(why.clone()));
                    Progress::Failed(why)
                }
            };
            self.with_machine(errand, |m| drop(m.progress.insert(curriculum.clone(), progress)));
        }
        (Shelf::Kept(kept), failed)
    }

    /// Sends one curriculum; the number of the version that was sent.
    async fn send(&self, errand: &Errand, curriculum: &str) -> Result<u64, String> {
        let read = self.version(curriculum).await.map_err(|error| error.to_string())?;
        let version = read.ok_or("the curriculum is gone")?;
        let (total, mut sent) = (version.bytes(), 0);
        let (title, bytes) = (version.title.clone(), version.document.clone());
        let mut tell = async |piece: ShelfPiece, bytes: u64| {
            let revision = version.number;
            let job = Job::Shelve { curriculum: curriculum.to_owned(), revision, piece };
            let done = self.work(errand.device, job, |_| {}).await;
            sent += bytes;
            let progress = Progress::Sending { sent, total };
            self.with_machine(errand, |m| {
                drop(m.progress.insert(curriculum.to_owned(), progress));
            });
            done.map_err(|failure| failure.message)
        };
        let length = bytes.len() as u64;
        tell(ShelfPiece::Document { title, bytes }, length).await?;
        for asset in &version.assets {
            let about = ShelfAsset {
                id: asset.id.clone(),
                topic: asset.topic.clone(),
                kind: asset.kind.clone(),
                title: asset.title.clone(),
                media_type: asset.media_type.clone(),
                size: asset.size,
            };
            let mut offset = 0;
            while offset == 0 || offset < asset.size {
                let read = &self.store;
                let part = read.curriculum_asset_part(curriculum, &asset.id, offset, PIECE_BYTES);
                let part = part.await.map_err(|error| error.to_string())?;
                let bytes = part.ok_or_else(|| format!("the asset `{}` is gone", asset.id))?;
                let length = bytes.len() as u64;
                tell(ShelfPiece::Asset { about: about.clone(), offset, bytes }, length).await?;
                if length == 0 {
                    break;
                }
                offset += length;
            }
        }
        let assets = u32::try_from(version.assets.len()).unwrap_or(u32::MAX);
        tell(ShelfPiece::Whole { assets }, 0).await?;
        Ok(version.number)
    }

    async fn version(&self, curriculum: &str) -> Result<Option<Version>, StoreError> {
        let Some((document, revision)) = self.store.curriculum_document(curriculum).await? else {
            return Ok(None);
        };
        let Some(known) = self.store.curriculum(curriculum).await? else { return Ok(None) };
        let assets = self.store.curriculum_assets(curriculum).await?;
        Ok(Some(Version {
            number: number(revision, &assets),
            curriculum: curriculum.to_owned(),
            title: known.summary.title,
            document: document.into_bytes(),
            assets,
        }))
    }

    /// The same without reading the document.
    async fn number(&self, curriculum: &str) -> Result<Option<u64>, StoreError> {
        let Some(revision) = self.store.curriculum_revision_now(curriculum).await? else {
            return Ok(None);
        };
        Ok(Some(number(revision, &self.store.curriculum_assets(curriculum).await?)))
    }

    async fn work(
        &self,
        device: DeviceId,
        job: Job,
        mut hear: impl FnMut(JobEvent),
    ) -> Result<(), JobFailure> {
        let request = JobRequest { deadline_ms: PIECE_MS, plugin: String::new(), job };
        let events = self.sessions.run_job(Target::Device(device), request);
        let mut events = events.map_err(|error| JobFailure {
            kind: JobFailureKind::Unavailable,
            message: error.to_string(),
            diagnostics: Vec::new(),
        })?;
        while let Some(event) = events.next().await {
            match event {
                JobEvent::Failed(failure) => return Err(failure),
                event => hear(event),
            }
        }
        Ok(())
    }

    fn with_machines<T>(&self, work: impl FnOnce(&mut HashMap<DeviceId, Machine>) -> T) -> T {
        work(&mut self.machines.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The machine of an errand, as long as it is on the same connection.
    fn with_machine(&self, errand: &Errand, work: impl FnOnce(&mut Machine)) {
        self.with_machines(|machines| {
            let machine = machines.get_mut(&errand.device);
            if let Some(machine) = machine.filter(|m| m.connection == errand.connection) {
                work(machine);
            }
        });
    }
}

impl Machine {
    const fn new(connection: u64) -> Self {
        let progress = BTreeMap::new();
        Self { connection, shelf: Shelf::Unknown, busy: false, until_ms: 0, progress }
    }

    /// Is there nothing to tell it?
    fn has(&self, wanted: &BTreeMap<String, u64>) -> bool {
        match &self.shelf {
            Shelf::Unknown => false,
            Shelf::None(_) => true,
            Shelf::Kept(kept) => kept == wanted,
        }
    }
}

fn number(revision: u64, assets: &[AssetInfo]) -> u64 {
    let mut hashing = Sha256::new();
    hashing.update(revision.to_le_bytes());
    for asset in assets {
        let topic = asset.topic.as_deref().unwrap_or_default();
        for word in [&asset.id, topic, &asset.kind, &asset.title, &asset.media_type, &asset.sha256]
        {
            hashing.update(word.as_bytes());
            hashing.update([0]);
        }
        hashing.update(asset.size.to_le_bytes());
    }
    let first = hashing.finalize().first_chunk::<8>().copied().unwrap_or_default();
    u64::from_le_bytes(first)
}
