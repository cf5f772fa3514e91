//! Reports over a range: energy, temperature, availability and events, of one device, a site, an
//! organization or everything. A report is one table; HTML and CSV are drawn from it.

mod drawing;
mod questions;

use crate::access::OrganizationId;
use crate::app::App;
use crate::clock::Clock;
use crate::jobs::{Job, JobError};
use crate::record::Record;
use crate::store::{Store, StoreError};
pub use drawing::{csv, html};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

/// Reports that are kept; of more, the oldest go.
const KEPT: u32 = 500;
/// No report covers more.
pub const MAX_RANGE_MS: u64 = 366 * 24 * 60 * 60 * 1_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportKind {
    /// Kilowatt-hours of every power series and energy counter.
    Energy,
    /// Lowest, mean and highest of every temperature, and the time over a limit.
    Temperature,
    /// How much of the range each machine sent readings for.
    Availability,
    Events,
}

/// What is asked of a report. Exactly one of range and `last_s` says when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReportQuestion {
    pub kind: ReportKind,
    pub device: Option<Uuid>,
    pub site: Option<Uuid>,
    pub organization: Option<Uuid>,
    pub from_ms: Option<u64>,
    pub to_ms: Option<u64>,
    /// So many seconds up to when it is made: for schedules.
    pub last_s: Option<u64>,
    /// Degrees Celsius, for temperatures.
    pub limit_celsius: Option<f64>,
}

impl ReportQuestion {
    fn range(&self, now_ms: u64) -> (u64, u64) {
        match self.last_s {
            Some(seconds) => (now_ms.saturating_sub(seconds.saturating_mul(1_000)), now_ms),
            None => (self.from_ms.unwrap_or_default(), self.to_ms.unwrap_or(now_ms)),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    pub id: Uuid,
    pub organization: Option<OrganizationId>,
    pub question: ReportQuestion,
    /// Not with lists.
    pub content: Option<Content>,
    pub record: Record,
}

/// What a report says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReportContent)]
pub struct Content {
    pub title: String,
    pub from: String,
    pub to: String,
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Cell>>,
    /// How it was reckoned, and what is missing.
    pub notes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReportColumn)]
pub struct Column {
    pub name: String,
    pub unit: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReportCell)]
#[serde(untagged)]
pub enum Cell {
    Number(f64),
    Text(String),
    /// There is nothing to say.
    Nothing,
}

#[derive(Clone, Debug)]
pub struct Reports {
    store: Store,
    clock: Clock,
}

impl Reports {
    pub(crate) const fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// Without what they say, newest first.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn list(&self) -> Result<Vec<Report>, StoreError> {
        self.store.reports_made().await
    }

    /// # Errors
    /// Where the store fails.
    pub async fn report(&self, id: Uuid) -> Result<Option<Report>, StoreError> {
        self.store.report(id).await
    }

    /// The work of a job.
    pub(crate) async fn make(&self, app: &App, job: &Job) -> Result<Value, JobError> {
        let question: ReportQuestion = serde_json::from_value(job.parameters.clone())
            .map_err(|_| JobError::Refused("the question can't be read".into()))?;
        // A range that moves is that of the time when the job was made, also at a later attempt.
        let range = question.range(job.created_at_ms);
        let content = questions::answer(app, &question, range, &app.jobs.progress(job.id)).await?;
        let rows = content.rows.len();
        let report = Report {
            id: job.id,
            organization: job.organization,
            question,
            content: Some(content),
            record: Record::new(job.created_by, self.clock.now_ms()),
        };
        self.store.add_report(&report, KEPT).await?;
        Ok(json!({ "rows": rows }))
    }
}
