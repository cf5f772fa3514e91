//! Importing content: sources over the operator's folder, and the jobs that bring courses in.
//!
//! A job's row is its memory: it survives a restart and is taken up again. The files are read
//! here, an importer plugin on a connected machine makes documents of them, and what comes back
//! is checked and kept. An import that brings nothing has failed, and says so.

pub mod folder;
pub mod job;
mod packages;
mod run;

use crate::clock::Clock;
use crate::content::Content;
use crate::fleet::Sessions;
use crate::page::{Page, PageRequest};
use crate::plugins::Plugins;
use crate::store::{Store, StoreError};
use flyball_protocol::message::{PluginKind, PluginState, PluginStatus};
use folder::{Course, FolderError};
pub use job::{ImportRequest, Job, JobId, JobStatus, Progress};
use moka::sync::Cache;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use thiserror::Error;
use tokio::sync::{Notify, broadcast, watch};

/// Jobs that wait or run; more are refused.
pub const MAX_OPEN: u64 = 100;
/// Progress that a slow listener may miss.
const PROGRESS_QUEUE: usize = 64;

#[derive(Debug, Error)]
pub enum ImportsError {
    #[error("no connected machine has an importer for {origin}")]
    NoSource { origin: String, known: Vec<String> },
    #[error("the source {origin} has no course {course}")]
    NoCourse { origin: String, course: String },
    #[error("{MAX_OPEN} imports wait or run already, let some of them end first")]
    TooManyOpen,
    #[error("reading the folder of the sources")]
    Folder(#[from] FolderError),
    #[error("storing the import")]
    Store(#[from] StoreError),
    #[error("the importer of {origin} can't say what is there: {reason}")]
    Importer { origin: String, reason: String },
}

/// A place that courses come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub id: String,
    pub name: String,
    pub description: String,
    pub features: Vec<&'static str>,
    /// The plugin that reads it, where one is ready now.
    pub plugin: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Imports {
    store: Store,
    content: Content,
    sessions: Sessions,
    plugins: Plugins,
    clock: Clock,
    folder: Arc<Path>,
    queued: Arc<Notify>,
    /// The jobs that run now and how to stop them.
    running: Arc<Mutex<HashMap<JobId, watch::Sender<bool>>>>,
    progress: broadcast::Sender<Progress>,
    /// What importers said of packages, as long as these are the same.
    known: Cache<packages::Stamp, Arc<Course>>,
}

impl Imports {
    pub(crate) fn new(
        store: Store,
        content: Content,
        sessions: Sessions,
        plugins: Plugins,
        clock: Clock,
        folder: PathBuf,
    ) -> Self {
        Self {
            store,
            content,
            sessions,
            plugins,
            clock,
            folder: folder.into(),
            queued: Arc::default(),
            running: Arc::default(),
            progress: broadcast::Sender::new(PROGRESS_QUEUE),
            known: Cache::new(packages::MAX_KNOWN),
        }
    }

    /// What connected importers can read, and what the two kinds of folders are called.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn sources(&self) -> Result<Vec<Source>, StoreError> {
        let choices = self.plugins.choices().await?;
        let mut sources = BTreeMap::new();
        for plugin in self.importers().filter(|plugin| choices.is_enabled(&plugin.id)) {
            for handle in &plugin.handles {
                let source =
                    sources.entry(handle.clone()).or_insert_with(|| source(handle, &plugin));
                if plugin.state == PluginState::Ready {
                    source.plugin = Some(plugin.id.clone());
                }
            }
        }
        Ok(sources.into_values().collect())
    }

    /// # Errors
    /// Where the store fails.
    pub async fn source(&self, id: &str) -> Result<Option<Source>, StoreError> {
        Ok(self.sources().await?.into_iter().find(|source| source.id == id))
    }

    fn importers(&self) -> impl Iterator<Item = PluginStatus> {
        let plugins = self.sessions.plugins().into_iter().map(|(_, plugin)| plugin);
        plugins.filter(|plugin| plugin.kind == PluginKind::Importer)
    }

    /// The courses of a source, by id.
    ///
    /// # Errors
    /// Where there is no such source or its folder can't be read.
    pub async fn courses(&self, source: &str) -> Result<Vec<Course>, ImportsError> {
        let known = self.sources().await?;
        if !known.iter().any(|one| one.id == source) {
            let known = known.into_iter().map(|one| one.id).collect();
            return Err(ImportsError::NoSource { origin: source.into(), known });
        }
        if folder::is_own(source) {
            return Ok(folder::courses(&self.folder, source).await?);
        }
        self.packages(source).await
    }

    /// # Errors
    /// Where there is no such course.
    pub async fn course(&self, source: &str, course: &str) -> Result<Course, ImportsError> {
        self.find(source, course)
            .await?
            .ok_or_else(|| ImportsError::NoCourse { origin: source.into(), course: course.into() })
    }

    /// One course with its parts.
    async fn find(&self, source: &str, course: &str) -> Result<Option<Course>, ImportsError> {
        let found = self.courses(source).await?.into_iter().find(|c| c.id == course);
        match found {
            Some(found) if found.is_package && found.fault.is_none() => {
                self.with_parts(source, found).await.map(Some)
            }
            found => Ok(found),
        }
    }

    /// Queues an import.
    ///
    /// # Errors
    /// Where source or course are not there, or too many jobs wait.
    pub async fn start(
        &self,
        request: ImportRequest,
        requested_by: &str,
    ) -> Result<Job, ImportsError> {
        self.course(&request.source, &request.course).await?;
        if self.store.open_imports().await? >= MAX_OPEN {
            return Err(ImportsError::TooManyOpen);
        }
        let id = JobId(self.clock.new_id());
        let job = Job::queued(id, request, requested_by, self.clock.now_ms());
        self.store.add_import(&job).await?;
        self.announce(&job);
        self.queued.notify_one();
        Ok(job)
    }

    /// # Errors
    /// Where the store fails.
    pub async fn job(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        self.store.import(id).await
    }

    /// Jobs, newest first.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn jobs(
        &self,
        status: Option<JobStatus>,
        page: PageRequest,
    ) -> Result<Page<Job>, StoreError> {
        self.store.imports(status, page).await
    }

    /// Ends a job that waits or runs; `None` where there is no such job, false where it had
    /// ended.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn cancel(&self, id: JobId) -> Result<Option<bool>, StoreError> {
        let Some(mut job) = self.store.import(id).await? else { return Ok(None) };
        if !job.handle_cancel(self.clock.now_ms()) {
            return Ok(Some(false));
        }
        if let Some(stop) = self.lock().get(&id) {
            // The runner may just have ended; the row below says what holds.
            let _ = stop.send(true);
        }
        let cancelled = self.store.save_import(&job).await?;
        if cancelled {
            self.announce(&job);
        }
        Ok(Some(cancelled))
    }

    /// Every step of every job from now on.
    #[must_use]
    pub fn progress(&self) -> broadcast::Receiver<Progress> {
        self.progress.subscribe()
    }

    fn announce(&self, job: &Job) {
        // Nobody has to listen.
        let _ = self.progress.send(Arc::new(job.clone()));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<JobId, watch::Sender<bool>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn source(id: &str, plugin: &PluginStatus) -> Source {
    let (name, description) = match id {
        folder::UMCF => ("UMCF documents", "UMCF files in the import folder."),
        folder::MARKDOWN => ("Markdown folders", "Folders of Markdown files in the import folder."),
        _ => (plugin.name.as_str(), plugin.description.as_str()),
    };
    Source {
        id: id.into(),
        name: name.into(),
        description: description.into(),
        features: vec!["transcripts"],
        plugin: None,
    }
}
