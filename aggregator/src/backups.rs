//! Backups of the embedded store, taken while it runs, with what else a state folder needs: the
//! history's objects where they lie in a folder, and the keys, sealed by a passphrase that nobody
//! keeps. PostgreSQL has its own tools, and is refused by name of them.

mod archive;
mod restore;

use crate::access::UserId;
use crate::app::App;
use crate::clock::{Clock, rfc3339};
use crate::config::Config;
use crate::history::Objects;
use crate::jobs::{Job, JobError, Progress};
use crate::record::Record;
use crate::store::{Database, Store, StoreError};
pub use archive::{ArchiveError, Manifest};
use archive::{Secrets, Writer};
pub use restore::{RestoreError, Restored, restore};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use uuid::Uuid;
use zeroize::Zeroizing;

pub const MIN_PASSPHRASE: usize = 12;
pub const MAX_PASSPHRASE: usize = 1_024;
pub const MAX_BACKUPS: u64 = 100;
/// Key files are small; a larger file of the state folder is none.
const MAX_SECRET_BYTES: u64 = 1024 * 1024;
const MAX_SECRETS: usize = 1_000;
/// Folders and files of the state folder that are no keys.
const NO_SECRETS: [&str; 6] = ["backups", "history", "imports", "cache", "logs", "aggregator.lock"];
const DATABASE: &str = "aggregator.db";

#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("{operation} {path}")]
    File {
        operation: &'static str,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the database is PostgreSQL: back it up with pg_dump, and the state folder beside it")]
    Postgres,
    #[error("the state folder holds more than {MAX_SECRETS} small files")]
    TooManyFiles,
    #[error("the object {0} of the history has gone while the backup was taken")]
    Gone(String),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error("reading the database")]
    Store(#[from] StoreError),
    #[error("a thread has failed")]
    Thread(#[from] tokio::task::JoinError),
}

/// A backup in the state folder.
#[derive(Clone, Debug, PartialEq)]
pub struct Backup {
    pub id: Uuid,
    pub bytes: u64,
    /// Of the whole file, hexadecimal.
    pub sha256: String,
    pub manifest: Manifest,
    pub record: Record,
}

/// A backup that was just written.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken {
    pub bytes: u64,
    pub sha256: String,
    pub manifest: Manifest,
}

/// What a backup is taken of.
#[derive(Clone, Debug)]
pub struct Source {
    pub store: Store,
    pub database: Database,
    pub state: PathBuf,
    /// Where the history's objects are, if that is a folder.
    pub history: Option<PathBuf>,
    pub now_ms: u64,
}

#[derive(Clone, Debug)]
pub struct Backups {
    store: Store,
    clock: Clock,
    folder: PathBuf,
}

impl Source {
    /// # Errors
    /// Where the history's settings can't be read.
    pub fn of(
        config: &Config,
        store: Store,
        now_ms: u64,
    ) -> Result<Self, crate::history::ObjectsError> {
        let history = Objects::open(&config.history, &config.state)?;
        let history = history.local_folder().map(Path::to_owned);
        Ok(Self {
            store,
            database: config.database(),
            state: config.state.clone(),
            history,
            now_ms,
        })
    }
}

/// Writes a backup to `path`, whole or not at all.
///
/// # Errors
/// Where anything of it can't be read or written, and on PostgreSQL.
pub async fn take(
    source: Source,
    path: &Path,
    passphrase: Zeroizing<String>,
    progress: Option<&Progress>,
) -> Result<Taken, BackupError> {
    if matches!(source.database, Database::Postgres(_)) {
        return Err(BackupError::Postgres);
    }
    let snapshot = path.with_extension("snapshot");
    let part = path.with_extension("part");
    remove(&snapshot)?;
    remove(&part)?;
    let tell = async |step: &str, done, total| match progress {
        Some(progress) => progress.tell(step, done, total).await,
        None => Ok(()),
    };
    tell("copying the database", 0, None).await?;
    let outcome = async {
        source.store.snapshot_into(&snapshot).await?;
        let objects = match &source.history {
            Some(folder) => Store::objects_of(&snapshot)
                .await?
                .into_iter()
                .map(|object| (object.clone(), folder.join(object)))
                .collect(),
            None => Vec::new(),
        };
        tell("writing the archive", 0, Some(objects.len() as u64)).await?;
        let (state, now_ms) = (source.state.clone(), source.now_ms);
        let (snapshot, part) = (snapshot.clone(), part.clone());
        let writing = tokio::task::spawn_blocking(move || {
            write(&part, &snapshot, &objects, &secrets(&state)?, &passphrase, now_ms)
        });
        writing.await?
    };
    let outcome = outcome.await;
    remove(&snapshot)?;
    match outcome {
        Ok(taken) => {
            std::fs::rename(&part, path).map_err(|source| file("renaming", &part, source))?;
            Ok(taken)
        }
        Err(error) => {
            remove(&part)?;
            Err(error)
        }
    }
}

fn write(
    path: &Path,
    snapshot: &Path,
    objects: &[(String, PathBuf)],
    secrets: &[(String, Zeroizing<Vec<u8>>)],
    passphrase: &str,
    now_ms: u64,
) -> Result<Taken, BackupError> {
    let mut writer = Writer::create(path)?;
    writer.add_file(DATABASE, snapshot)?;
    for (object, place) in objects {
        match writer.add_file(&format!("history/{object}"), place) {
            Err(ArchiveError::Missing(_)) => return Err(BackupError::Gone(object.clone())),
            added => added?,
        }
    }
    writer.add_secrets(secrets, passphrase)?;
    let (bytes, sha256, manifest) = writer.finish(&rfc3339(now_ms))?;
    Ok(Taken { bytes, sha256, manifest })
}

/// The small files of the state folder by their relative paths: keys, certificates, settings.
fn secrets(state: &Path) -> Result<Secrets, BackupError> {
    let (mut found, mut folders) = (Vec::new(), vec![PathBuf::new()]);
    while let Some(folder) = folders.pop() {
        let whole = state.join(&folder);
        let entries =
            std::fs::read_dir(&whole).map_err(|source| file("reading", &whole, source))?;
        for entry in entries {
            let entry = entry.map_err(|source| file("reading", &whole, source))?;
            let relative = folder.join(entry.file_name());
            let Some(name) = relative.to_str().map(str::to_owned) else { continue };
            let at_top = folder.as_os_str().is_empty();
            if at_top && (NO_SECRETS.contains(&name.as_str()) || name.contains(".db")) {
                continue;
            }
            let path = entry.path();
            let about = entry.metadata().map_err(|source| file("looking at", &path, source))?;
            if about.is_dir() {
                folders.push(relative);
            } else if about.is_file() && about.len() <= MAX_SECRET_BYTES {
                if found.len() >= MAX_SECRETS {
                    return Err(BackupError::TooManyFiles);
                }
                let bytes =
                    std::fs::read(&path).map_err(|source| file("reading", &path, source))?;
                found.push((name, Zeroizing::new(bytes)));
            }
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
}

impl Backups {
    pub(crate) fn new(store: Store, clock: Clock, state: &Path) -> Self {
        Self { store, clock, folder: state.join("backups") }
    }

    /// Where the backup lies.
    #[must_use]
    pub fn path(&self, id: Uuid) -> PathBuf {
        self.folder.join(format!("{id}.flyball"))
    }

    /// Newest first.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn list(&self) -> Result<Vec<Backup>, StoreError> {
        self.store.backups().await
    }

    /// # Errors
    /// Where the store fails.
    pub async fn backup(&self, id: Uuid) -> Result<Option<Backup>, StoreError> {
        self.store.backup(id).await
    }

    /// Removes the file and its row; false where there is none.
    ///
    /// # Errors
    /// Where either can't be removed.
    pub async fn remove(&self, id: Uuid, by: UserId) -> Result<bool, BackupError> {
        let removed = self.store.remove_backup(id, by, self.clock.now_ms()).await?;
        if removed {
            remove(&self.path(id))?;
        }
        Ok(removed)
    }

    /// The work of a job.
    pub(crate) async fn make(&self, app: &App, job: &Job) -> Result<Value, JobError> {
        let passphrase =
            app.jobs.secret(job).map_err(|error| JobError::Refused(error.to_string()))?;
        let passphrase = passphrase
            .ok_or_else(|| JobError::Refused("the backup was given no passphrase".into()))?;
        if self.store.count_backups().await? >= MAX_BACKUPS {
            let why = format!("there are {MAX_BACKUPS} backups already, delete some");
            return Err(JobError::Refused(why));
        }
        std::fs::create_dir_all(&self.folder)
            .map_err(|source| file("creating", &self.folder, source))?;
        let source = Source::of(&app.config, self.store.clone(), self.clock.now_ms())
            .map_err(|error| JobError::MayPass(crate::resilience::chain(&error)))?;
        let path = self.path(job.id);
        let progress = app.jobs.progress(job.id);
        let taken = take(source, &path, passphrase, Some(&progress)).await?;
        let backup = Backup {
            id: job.id,
            bytes: taken.bytes,
            sha256: taken.sha256,
            manifest: taken.manifest,
            record: Record::new(job.created_by, self.clock.now_ms()),
        };
        self.store.add_backup(&backup).await?;
        Ok(json!({ "bytes": backup.bytes, "sha256": backup.sha256 }))
    }
}

impl From<BackupError> for JobError {
    fn from(error: BackupError) -> Self {
        let why = crate::resilience::chain(&error);
        match error {
            BackupError::Postgres | BackupError::TooManyFiles => Self::Refused(why),
            _ => Self::MayPass(why),
        }
    }
}

fn remove(path: &Path) -> Result<(), BackupError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(file("removing", path, error))
        }
        _ => Ok(()),
    }
}

fn file(operation: &'static str, path: &Path, source: std::io::Error) -> BackupError {
    BackupError::File { operation, path: path.to_owned(), source }
}
