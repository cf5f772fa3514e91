//! The runner: takes queued jobs one at a time and sees each to its end.

use super::{Course, ImportRequest, Imports, ImportsError, Job, folder};
use crate::app::shutdown::Shutdown;
use crate::content::umcf::{self, Document, DocumentError};
use crate::content::{Asset, ContentError, MAX_DOCUMENT_BYTES, NewCurriculum, slug, sniff};
use crate::fleet::DeviceId;
use crate::fleet::sessions::{SendError, Target};
use crate::plugins::Ended;
use crate::store::StoreError;
use flyball_protocol::message::{
    File, Job as PluginJob, JobEvent, JobFailureKind, JobRequest, PluginKind, PluginState,
};
use std::time::Duration;
use thiserror::Error;
use tokio::sync::watch;

/// How long one plugin job may take.
const DEADLINE_MS: u32 = 10 * 60 * 1000;
/// How long a job waits for a machine that has its importer.
const PATIENCE: Duration = Duration::from_secs(600);
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often it is begun anew after the machine went away.
const MAX_ATTEMPTS: u32 = 5;
/// After the store failed.
const PAUSE: Duration = Duration::from_secs(5);
const MAX_ITEMS: usize = 5_000;
const MAX_ITEM_BYTES: usize = 256 * 1024 * 1024;

#[derive(Debug, Error)]
enum RunError {
    #[error("{0}")]
    Folder(#[from] folder::FolderError),
    #[error("the course is not in the folder any more")]
    Gone,
    #[error("{0}")]
    Course(String),
    #[error("the licence {0} allows no derivatives, so the course is not copied")]
    Licence(String),
    #[error("no machine with an importer for it connected in time")]
    NoPlugin,
    /// Worth another attempt.
    #[error("the machine went away: {0}")]
    Away(String),
    #[error("the importer failed: {0}")]
    Failed(String),
    #[error("the course has no lecture {0}")]
    NoLecture(String),
    #[error("the import brought nothing")]
    Empty,
    #[error("the import brought more than {MAX_ITEMS} items or {MAX_ITEM_BYTES} bytes")]
    TooMuch,
    #[error("a document of the import can't be kept: {0}")]
    Document(#[from] DocumentError),
    #[error("keeping the documents failed")]
    Content(#[from] ContentError),
    #[error("keeping the job's progress failed")]
    Store(#[from] StoreError),
}

/// What an import brought.
#[derive(Default)]
struct Haul {
    documents: Vec<(String, Document)>,
    assets: Vec<Asset>,
    bytes: usize,
}

impl Imports {
    /// Runs jobs until the process shuts down. Jobs that ran when it last ended run again.
    pub async fn run(self, shutdown: Shutdown) {
        let mut stop = shutdown.subscribe();
        let work = async {
            loop {
                if let Err(error) = self.run_queued().await {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "imports stand still"
                    );
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
                self.queued.notified().await;
            }
        };
        tokio::select! {
            () = stop.wait() => {}
            () = work => {}
        }
    }

    async fn run_queued(&self) -> Result<(), StoreError> {
        while let Some(job) = self.store.next_import().await? {
            self.run_job(job).await?;
        }
        Ok(())
    }

    async fn run_job(&self, mut job: Job) -> Result<(), StoreError> {
        let (stop, mut stopped) = watch::channel(false);
        self.lock().insert(job.id, stop);
        job.handle_start(self.clock.now_ms());
        let ended = if self.save(&job).await? {
            tokio::select! {
                // The row says so already.
                _ = stopped.wait_for(|stopped| *stopped) => None,
                result = self.import(&mut job) => Some(result),
            }
        } else {
            None
        };
        self.lock().remove(&job.id);
        match ended {
            None => return Ok(()),
            Some(Ok(())) => job.handle_complete(self.clock.now_ms()),
            Some(Err(error)) => {
                tracing::warn!(job = %job.id, error = &error as &dyn std::error::Error, "an import failed");
                job.handle_failure(error.to_string(), self.clock.now_ms());
            }
        }
        self.save(&job).await?;
        Ok(())
    }

    /// Stores and announces; false where the job was cancelled meanwhile.
    async fn save(&self, job: &Job) -> Result<bool, StoreError> {
        let saved = self.store.save_import(job).await?;
        if saved {
            self.announce(job);
        }
        Ok(saved)
    }

    async fn step(&self, job: &mut Job, percent: u8, step: &str) -> Result<(), StoreError> {
        job.handle_step(percent, step);
        self.save(job).await?;
        Ok(())
    }

    async fn import(&self, job: &mut Job) -> Result<(), RunError> {
        self.step(job, 0, "download").await?;
        let request = job.request.clone();
        let course = self.course_once_there(job, &request).await?;
        if let Some(licence) = course.licence.clone().filter(|_| !course.may_import()) {
            return Err(RunError::Licence(licence));
        }
        if let Some(fault) = course.fault.clone() {
            return Err(RunError::Course(fault));
        }
        let files = folder::files(&self.folder, &course).await?;
        let (files, selection) =
            course.choose(files, &request.selection).map_err(RunError::NoLecture)?;
        self.step(job, 20, "validate").await?;
        let mut attempt = 1;
        let haul = loop {
            match self.extract(job, &request, &files, &selection).await {
                Err(RunError::Away(reason)) if attempt < MAX_ATTEMPTS => {
                    job.warn(format!("attempt {attempt}: the machine went away: {reason}"));
                    attempt += 1;
                }
                result => break result?,
            }
        };
        self.step(job, 95, "store").await?;
        self.keep(job, &request, haul).await
    }

    /// The course, as soon as a machine can say what it is: after a restart, machines come back one
    /// by one.
    async fn course_once_there(
        &self,
        job: &mut Job,
        request: &ImportRequest,
    ) -> Result<Course, RunError> {
        let mut attempt = 1;
        loop {
            self.importer(job, &request.source).await?;
            match self.find(&request.source, &request.course).await {
                Ok(course) => return course.ok_or(RunError::Gone),
                Err(ImportsError::NoSource { .. } | ImportsError::Importer { .. })
                    if attempt < MAX_ATTEMPTS =>
                {
                    attempt += 1;
                    tokio::time::sleep(LOOK_EVERY).await;
                }
                Err(error) => return Err(RunError::Course(error.to_string())),
            }
        }
    }

    /// The importer's part: documents and assets of the files.
    async fn extract(
        &self,
        job: &mut Job,
        request: &ImportRequest,
        files: &[File],
        selection: &[String],
    ) -> Result<Haul, RunError> {
        let (device, plugin) = self.importer(job, &request.source).await?;
        let switches = self.plugins.choices().await?.complete(&plugin, &request.switches);
        self.step(job, 30, "extract").await?;
        let import = PluginJob::Import {
            files: files.to_vec(),
            item: request.course.clone(),
            selection: selection.to_vec(),
            switches,
        };
        let since = self.plugins.stopwatch();
        let count = |ended| self.plugins.usage().count(&plugin, ended, since.elapsed());
        let order = JobRequest { deadline_ms: DEADLINE_MS, plugin: plugin.clone(), job: import };
        let mut events = self.sessions.run_job(Target::Device(device), order).map_err(away)?;
        let mut haul = Haul::default();
        while let Some(event) = events.next().await {
            match event {
                // What a plugin logs comes as progress that counts nothing.
                JobEvent::Progress { done: 0, total: None, note } => job.warn(note),
                JobEvent::Progress { done, total, note } => {
                    job.state.items_processed = done;
                    job.state.items_total = total.unwrap_or(job.state.items_total).max(done);
                    let part = done * 50 / job.state.items_total.max(1);
                    let percent = 30 + u8::try_from(part.min(50)).unwrap_or(50);
                    let step = if note.is_empty() { "extract" } else { &note };
                    self.step(job, percent, step).await?;
                }
                JobEvent::Item { id, title, media_type, bytes } => {
                    haul.take(id, title, media_type, bytes)?;
                }
                JobEvent::Diagnostics(diagnostics) => {
                    for diagnostic in diagnostics {
                        job.warn(diagnostic.message);
                    }
                }
                JobEvent::Failed(failure) => {
                    count(failure.kind.into());
                    return Err(failed(failure.kind, failure.message));
                }
                JobEvent::Done
                | JobEvent::Image { .. }
                | JobEvent::Entries { .. }
                | JobEvent::Detail { .. }
                | JobEvent::Component(_)
                | JobEvent::Lacking(_)
                | JobEvent::Shelf(_) => {}
            }
        }
        count(Ended::Done);
        if haul.documents.is_empty() { Err(RunError::Empty) } else { Ok(haul) }
    }

    /// A machine that has the importer ready; waits for one.
    async fn importer(&self, job: &mut Job, source: &str) -> Result<(DeviceId, String), RunError> {
        let rounds = PATIENCE.as_secs() / LOOK_EVERY.as_secs();
        for round in 0..rounds {
            let choices = self.plugins.choices().await?;
            let ready = self.sessions.plugins().into_iter().find(|(_, plugin)| {
                plugin.kind == PluginKind::Importer
                    && choices.is_enabled(&plugin.id)
                    && plugin.state == PluginState::Ready
                    && plugin.handles.iter().any(|handle| handle == source)
            });
            if let Some((device, plugin)) = ready {
                return Ok((device, plugin.id));
            }
            if round == 0 {
                self.step(job, 20, "waiting for a machine with the importer").await?;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Err(RunError::NoPlugin)
    }

    async fn keep(
        &self,
        job: &mut Job,
        request: &ImportRequest,
        haul: Haul,
    ) -> Result<(), RunError> {
        if let Some(licence) = haul.forbidding_licence() {
            return Err(RunError::Licence(licence));
        }
        let several = haul.documents.len() > 1;
        let mut assets = Vec::with_capacity(haul.assets.len());
        for asset in haul.assets {
            let Asset { id, title, bytes, .. } = asset;
            match sniff::checked(bytes) {
                Ok((media_type, bytes)) => {
                    assets.push(Asset { id, title, media_type: media_type.into(), bytes });
                }
                Err(error) => job.warn(format!("the asset {id} was left out: {error}")),
            }
        }
        for (index, (item, document)) in haul.documents.into_iter().enumerate() {
            let id = curriculum_id(request, &item, &document, several.then_some(index));
            let new = NewCurriculum {
                id: id.clone(),
                document,
                source: Some(request.source.clone()),
                import_job: Some(job.id.to_string()),
                assets: std::mem::take(&mut assets),
                created_at_ms: None,
                at_ms: self.content.now_ms(),
            };
            self.content.keep(&new).await?;
            job.state.curricula.push(id);
        }
        Ok(())
    }
}

impl Haul {
    fn take(
        &mut self,
        id: String,
        title: String,
        media_type: String,
        bytes: Vec<u8>,
    ) -> Result<(), RunError> {
        self.bytes += bytes.len();
        if self.bytes > MAX_ITEM_BYTES || self.documents.len() + self.assets.len() >= MAX_ITEMS {
            return Err(RunError::TooMuch);
        }
        if media_type == "application/json" || media_type.ends_with("+json") {
            let text = String::from_utf8(bytes)
                .map_err(|_| RunError::Failed("a document is no UTF-8".into()))?;
            self.documents.push((id, Document::parse(text, MAX_DOCUMENT_BYTES)?));
        } else {
            self.assets.push(Asset { id, title, media_type, bytes });
        }
        Ok(())
    }

    fn forbidding_licence(&self) -> Option<String> {
        let mut licences = self.documents.iter().filter_map(|(_, document)| document.licence());
        licences.find(|licence| !umcf::allows_derivatives(licence)).map(str::to_owned)
    }
}

fn curriculum_id(
    request: &ImportRequest,
    item: &str,
    document: &Document,
    index: Option<usize>,
) -> String {
    let own = umcf::id(document.value()).unwrap_or(item);
    let name = request.output_name.as_deref().unwrap_or(own);
    let name =
        Some(slug(name)).filter(|name| !name.is_empty()).unwrap_or_else(|| slug(&request.course));
    match index {
        Some(index) if index > 0 && request.output_name.is_some() => {
            format!("{name}-{}", index + 1)
        }
        Some(_) | None => name,
    }
}

fn away(error: SendError) -> RunError {
    RunError::Away(error.to_string())
}

fn failed(kind: JobFailureKind, message: String) -> RunError {
    match kind {
        JobFailureKind::Unavailable => RunError::Away(message),
        JobFailureKind::InvalidInput
        | JobFailureKind::Unsupported
        | JobFailureKind::Denied
        | JobFailureKind::Cancelled
        | JobFailureKind::Limit
        | JobFailureKind::Trapped
        | JobFailureKind::Upstream
        | JobFailureKind::Internal => RunError::Failed(message),
    }
}
