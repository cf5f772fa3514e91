//! One import and what may happen to it. Pure: time is an argument.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use uuid::Uuid;

/// No job keeps more errors or warnings.
const MAX_NOTES: usize = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(pub Uuid);

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What is announced: the job as it stands.
pub type Progress = Arc<Job>;

/// ```text
/// queued ──taken up──▶ in_progress ──▶ complete | failed
///    │   ◀──restart──       │
///    └──────cancel──────────┴──▶ cancelled
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobStatus {
    Queued,
    InProgress,
    Complete,
    Failed,
    Cancelled,
}

impl JobStatus {
    pub const ALL: [Self; 5] =
        [Self::Queued, Self::InProgress, Self::Complete, Self::Failed, Self::Cancelled];

    /// The word of the API and of the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::InProgress => "in_progress",
            Self::Complete => "complete",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    #[must_use]
    pub const fn is_final(self) -> bool {
        match self {
            Self::Queued | Self::InProgress => false,
            Self::Complete | Self::Failed | Self::Cancelled => true,
        }
    }
}

/// What is to be imported, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportRequest {
    pub source: String,
    pub course: String,
    /// The id of the curriculum; of the document's own where absent.
    pub output_name: Option<String>,
    /// All of it where empty.
    pub selection: Vec<String>,
    /// `includeTranscripts` → `true` and so on, as the importer knows them.
    pub switches: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    pub id: JobId,
    pub request: ImportRequest,
    pub status: JobStatus,
    pub state: JobState,
    pub requested_by: String,
    pub created_at_ms: u64,
    pub started_at_ms: Option<u64>,
    pub finished_at_ms: Option<u64>,
}

/// How far it is, and what it met.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobState {
    pub percent: u8,
    pub step: String,
    pub items_processed: u64,
    pub items_total: u64,
    pub errors: Vec<String>,
    pub warnings: Vec<String>,
    /// The curricula that it made.
    pub curricula: Vec<String>,
}

impl Job {
    pub(super) fn queued(
        id: JobId,
        request: ImportRequest,
        requested_by: &str,
        now_ms: u64,
    ) -> Self {
        Self {
            id,
            request,
            status: JobStatus::Queued,
            state: JobState { step: "queued".into(), ..JobState::default() },
            requested_by: requested_by.into(),
            created_at_ms: now_ms,
            started_at_ms: None,
            finished_at_ms: None,
        }
    }

    pub(super) fn handle_start(&mut self, now_ms: u64) {
        self.status = JobStatus::InProgress;
        self.started_at_ms.get_or_insert(now_ms);
        // What an attempt before a restart had met, this one meets again.
        self.state = JobState { step: "download".into(), ..JobState::default() };
    }

    /// A step forward; the percentage never falls.
    pub(super) fn handle_step(&mut self, percent: u8, step: impl Into<String>) {
        self.state.percent = self.state.percent.max(percent.min(99));
        self.state.step = step.into();
    }

    pub(super) fn warn(&mut self, warning: impl Into<String>) {
        if self.state.warnings.len() < MAX_NOTES {
            self.state.warnings.push(warning.into());
        }
    }

    pub(super) fn handle_complete(&mut self, now_ms: u64) {
        self.end(JobStatus::Complete, now_ms);
        self.state.percent = 100;
        self.state.step = "complete".into();
    }

    pub(super) fn handle_failure(&mut self, error: String, now_ms: u64) {
        self.end(JobStatus::Failed, now_ms);
        self.state.errors.push(error);
    }

    /// False where it had ended already.
    pub(super) fn handle_cancel(&mut self, now_ms: u64) -> bool {
        if self.status.is_final() {
            return false;
        }
        self.end(JobStatus::Cancelled, now_ms);
        self.state.step = "cancelled".into();
        true
    }

    fn end(&mut self, status: JobStatus, now_ms: u64) {
        self.status = status;
        self.finished_at_ms = Some(now_ms);
    }

    /// When it may end if it goes on as it did.
    #[must_use]
    pub fn estimate_ms(&self, now_ms: u64) -> Option<u64> {
        let started_ms = self.started_at_ms?;
        let done = u64::from(self.state.percent);
        if self.status != JobStatus::InProgress || done < 5 {
            return None;
        }
        let spent_ms = now_ms.saturating_sub(started_ms);
        Some(now_ms + spent_ms * (100 - done) / done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> Job {
        let request = ImportRequest {
            source: "umcf".into(),
            course: "c".into(),
            output_name: None,
            selection: Vec::new(),
            switches: Vec::new(),
        };
        Job::queued(JobId(Uuid::from_u128(1)), request, "a@example.org", 1_000)
    }

    #[test]
    fn a_job_that_ended_is_not_cancelled() {
        let mut job = job();
        job.handle_start(2_000);
        job.handle_complete(3_000);
        assert!(!job.handle_cancel(4_000));
        assert_eq!((job.status, job.finished_at_ms), (JobStatus::Complete, Some(3_000)));
    }

    #[test]
    fn progress_never_falls_and_an_estimate_follows_it() {
        let mut job = job();
        job.handle_start(0);
        assert_eq!(job.estimate_ms(1_000), None);
        job.handle_step(50, "extract");
        job.handle_step(30, "extract");
        assert_eq!(job.state.percent, 50);
        assert_eq!(job.estimate_ms(10_000), Some(20_000));
    }
}
