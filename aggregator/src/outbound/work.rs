//! Jobs at work: claimed one after another, each under its lease.

use super::reseal;
use crate::app::App;
use crate::app::shutdown::Stop;
use crate::jobs::{Job, JobError, JobKind, JobsError, RENEW};
use crate::store::StoreError;
use serde_json::Value;

const LOOK_EVERY: std::time::Duration = std::time::Duration::from_secs(1);

/// Makes the jobs of the schedules that are due.
pub(super) async fn schedule(app: App) -> Result<(), JobsError> {
    for job in app.jobs.make_due().await? {
        tracing::info!(job = %job.id, kind = job.kind.name(), "a schedule made a job");
    }
    Ok(())
}

/// One job at a time, until shutdown; the one that runs then is left to its lease.
pub(super) async fn run(app: App, stop: Stop) {
    super::every(stop, LOOK_EVERY, app, |app| async move { run_due(&app).await }).await;
}

/// Runs everything that is due, one after another.
///
/// # Errors
/// Where the store fails.
pub async fn run_due(app: &App) -> Result<(), StoreError> {
    while let Some(job) = app.jobs.claim().await? {
        run_one(app, job).await?;
    }
    Ok(())
}

async fn run_one(app: &App, job: Job) -> Result<(), StoreError> {
    if job.attempt > job.attempts_most {
        let why = "the server ended while it ran, more often than it is tried".to_owned();
        return app.jobs.settle(&job, Some(Err(JobError::Refused(why)))).await;
    }
    let ended = tokio::select! {
        ended = work(app, &job) => Some(ended),
        kept = keep(app, &job) => {
            kept?;
            None
        }
    };
    if let Some(Err(error)) = &ended {
        tracing::warn!(job = %job.id, kind = job.kind.name(), %error, "a job's attempt failed");
    }
    app.jobs.settle(&job, ended).await
}

/// Prolongs the lease, and comes back once the job is to be left.
async fn keep(app: &App, job: &Job) -> Result<(), StoreError> {
    loop {
        tokio::time::sleep(RENEW).await;
        if !app.jobs.keep(job.id).await? {
            return Ok(());
        }
    }
}

async fn work(app: &App, job: &Job) -> Result<Value, JobError> {
    match job.kind {
        JobKind::Backup => app.backups.make(app, job).await,
        JobKind::Report => app.reports.make(app, job).await,
        JobKind::Reseal => reseal::work(app, job).await,
    }
}

impl From<StoreError> for JobError {
    fn from(error: StoreError) -> Self {
        let why = crate::resilience::chain(&error);
        if error.is_of_content() { Self::Refused(why) } else { Self::MayPass(why) }
    }
}
