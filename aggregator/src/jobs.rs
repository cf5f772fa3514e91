//! Work in the background: durable, with progress, tried again after failures, cancelled on
//! request, made at its times by schedules.
//!
//! A job belongs to the replica that holds its lease. A replica that dies leaves its jobs to the
//! others once the lease is over; two never run one at once. What a job does is `outbound::work`'s.

mod cadence;
mod schedule;

use crate::access::{OrganizationId, UserId};
use crate::clock::Clock;
use crate::listing::Listing;
use crate::page::{Page, PageRequest};
use crate::resilience::Backoff;
use crate::sealing::{Sealing, SealingError};
use crate::store::{Store, StoreError};
pub use cadence::{Cadence, CadenceError, Weekday};
pub use schedule::{MAX_SCHEDULES, NewSchedule, Schedule, ScheduleError};
use serde_json::Value;
use std::time::Duration;
use uuid::Uuid;
use zeroize::Zeroizing;

/// Of those that ended, so many are kept, for so long.
const KEPT: u32 = 1_000;
const KEPT_MS: u64 = 30 * 24 * 60 * 60 * 1_000;
/// Jobs that wait; a further one is refused.
pub const MAX_WAITING: u64 = 1_000;
/// How long a job is its holder's without a word of it.
pub const LEASE: Duration = Duration::from_secs(30);
pub const RENEW: Duration = Duration::from_secs(5);
const ATTEMPTS: u32 = 3;
const BACKOFF: Backoff =
    Backoff { first: Duration::from_secs(10), longest: Duration::from_secs(10 * 60) };

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobKind {
    Backup,
    Report,
    /// Seals every sealed field anew with the newest key.
    Reseal,
}

impl JobKind {
    pub const ALL: [Self; 3] = [Self::Backup, Self::Report, Self::Reseal];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Report => "report",
            Self::Reseal => "reseal",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// ```text
/// queued ──claimed──▶ running ──▶ succeeded | failed | cancelled
///    ▲                   │
///    └──to be tried again┘
/// ```
/// Queued ones are cancelled at once; failed and cancelled ones are queued again by `retry`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobState {
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
}

impl JobState {
    pub const ALL: [Self; 5] =
        [Self::Queued, Self::Running, Self::Succeeded, Self::Failed, Self::Cancelled];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    pub id: Uuid,
    pub kind: JobKind,
    pub state: JobState,
    pub organization: Option<OrganizationId>,
    /// The address of what it makes.
    pub target: Option<String>,
    pub parameters: Value,
    /// Sealed; gone once the job has succeeded.
    pub(crate) secret: Option<Vec<u8>>,
    pub result: Option<Value>,
    /// Why the last attempt failed.
    pub error: Option<String>,
    pub current_step: String,
    pub items_processed: u64,
    pub items_total: Option<u64>,
    /// Of `attempts_most`, from 1; 0 before the first.
    pub attempt: u32,
    pub attempts_most: u32,
    pub due_at_ms: u64,
    pub schedule: Option<Uuid>,
    /// The account's e-mail.
    pub requested_by: String,
    pub created_by: Option<UserId>,
    pub created_at_ms: u64,
    pub started_at_ms: Option<u64>,
    pub finished_at_ms: Option<u64>,
}

/// What a job is made of.
#[derive(Clone, Debug)]
pub struct NewJob {
    pub id: Uuid,
    pub kind: JobKind,
    pub organization: Option<OrganizationId>,
    pub target: Option<String>,
    pub parameters: Value,
    pub secret: Option<Zeroizing<String>>,
    pub schedule: Option<Uuid>,
    pub requested_by: String,
    pub created_by: Option<UserId>,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq)]
pub enum JobEnd {
    Succeeded(Value),
    /// To be tried again at this time.
    Again {
        due_at_ms: u64,
        why: String,
    },
    Failed(String),
    Cancelled,
}

/// Why an attempt came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// It may come to something next time.
    #[error("{0}")]
    MayPass(String),
    /// It would fail again.
    #[error("{0}")]
    Refused(String),
}

#[derive(Debug, thiserror::Error)]
pub enum JobsError {
    #[error("{MAX_WAITING} jobs are waiting already")]
    Full,
    #[error("sealing the job's secret")]
    Sealing(#[from] SealingError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What became of a wish to cancel or to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    Granted,
    /// It is in no state for that.
    Late,
}

#[derive(Clone, Debug)]
pub struct Jobs {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) sealing: Sealing,
    /// This process, among replicas.
    holder: String,
}

/// How a running job says where it stands.
#[derive(Clone, Debug)]
pub struct Progress {
    jobs: Jobs,
    id: Uuid,
}

impl Progress {
    /// # Errors
    /// Where the store fails.
    pub async fn tell(&self, step: &str, done: u64, total: Option<u64>) -> Result<(), StoreError> {
        self.jobs.store.tell_job(self.id, &self.jobs.holder, step, done, total).await
    }
}

impl Jobs {
    pub(crate) fn new(store: Store, clock: Clock, sealing: Sealing) -> Self {
        let holder = Uuid::new_v4().to_string();
        Self { store, clock, sealing, holder }
    }

    /// Queues a job.
    ///
    /// # Errors
    /// Where too many wait, or the store fails.
    pub async fn queue(&self, new: NewJob) -> Result<Job, JobsError> {
        if self.store.waiting_jobs().await? >= MAX_WAITING {
            return Err(JobsError::Full);
        }
        let job = self.drawn_up(new)?;
        self.store.add_job(&job).await?;
        Ok(job)
    }

    pub(crate) fn drawn_up(&self, new: NewJob) -> Result<Job, JobsError> {
        let now_ms = self.clock.now_ms();
        let secret = new
            .secret
            .map(|secret| self.sealing.seal(&job_secret(new.id), secret.as_bytes()))
            .transpose()?;
        Ok(Job {
            id: new.id,
            kind: new.kind,
            state: JobState::Queued,
            organization: new.organization,
            target: new.target,
            parameters: new.parameters,
            secret,
            result: None,
            error: None,
            current_step: "queued".into(),
            items_processed: 0,
            items_total: None,
            attempt: 0,
            attempts_most: ATTEMPTS,
            due_at_ms: now_ms,
            schedule: new.schedule,
            requested_by: new.requested_by,
            created_by: new.created_by,
            created_at_ms: now_ms,
            started_at_ms: None,
            finished_at_ms: None,
        })
    }

    /// What the job was given in confidence.
    ///
    /// # Errors
    /// Where it can't be opened.
    pub(crate) fn secret(&self, job: &Job) -> Result<Option<Zeroizing<String>>, SealingError> {
        let Some(sealed) = &job.secret else { return Ok(None) };
        let plain = self.sealing.open_sealed(&job_secret(job.id), sealed)?;
        let text = std::str::from_utf8(&plain).map_err(|_| SealingError::Broken)?;
        Ok(Some(Zeroizing::new(text.to_owned())))
    }

    /// # Errors
    /// Where the store fails.
    pub async fn job(&self, id: Uuid) -> Result<Option<Job>, StoreError> {
        self.store.job(id).await
    }

    /// Newest first; of these organizations only, where some are given.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn list(
        &self,
        listing: &Listing,
        of: Option<&[OrganizationId]>,
        page: PageRequest,
    ) -> Result<Page<Job>, StoreError> {
        self.store.jobs(listing, of, page).await
    }

    /// Ends a queued job at once, and a running one as soon as its holder sees it.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn cancel(&self, id: Uuid) -> Result<Wish, StoreError> {
        self.store.cancel_job(id, self.clock.now_ms()).await
    }

    /// Queues a job anew that failed or was cancelled.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn retry(&self, id: Uuid) -> Result<Wish, StoreError> {
        self.store.retry_job(id, self.clock.now_ms()).await
    }

    /// Takes the next job that is due, if there is one.
    pub(crate) async fn claim(&self) -> Result<Option<Job>, StoreError> {
        let now_ms = self.clock.now_ms();
        let until_ms = now_ms + LEASE.as_millis() as u64;
        self.store.claim_job(&self.holder, now_ms, until_ms).await
    }

    /// Prolongs the lease; false where the job is another's by now or is to be cancelled.
    pub(crate) async fn keep(&self, id: Uuid) -> Result<bool, StoreError> {
        let until_ms = self.clock.now_ms() + LEASE.as_millis() as u64;
        self.store.keep_job(id, &self.holder, until_ms).await
    }

    pub(crate) fn progress(&self, id: Uuid) -> Progress {
        Progress { jobs: self.clone(), id }
    }

    /// Records how an attempt ended; where the job is another's by now, nothing.
    pub(crate) async fn settle(
        &self,
        job: &Job,
        ended: Option<Result<Value, JobError>>,
    ) -> Result<(), StoreError> {
        let now_ms = self.clock.now_ms();
        let end = match ended {
            None => JobEnd::Cancelled,
            Some(Ok(result)) => JobEnd::Succeeded(result),
            Some(Err(JobError::MayPass(why))) if job.attempt < job.attempts_most => {
                JobEnd::Again { due_at_ms: now_ms + BACKOFF.pause_ms(job.attempt), why }
            }
            Some(Err(JobError::MayPass(why) | JobError::Refused(why))) => JobEnd::Failed(why),
        };
        self.store.settle_job(job.id, &self.holder, &end, now_ms).await
    }

    /// Removes what ended long ago.
    pub(crate) async fn prune(&self) -> Result<(), StoreError> {
        let before_ms = self.clock.now_ms().saturating_sub(KEPT_MS);
        self.store.prune_jobs(before_ms, KEPT).await
    }
}

pub(crate) fn job_secret(id: Uuid) -> String {
    format!("jobs.secret:{id}")
}
