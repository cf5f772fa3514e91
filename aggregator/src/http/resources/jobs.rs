//! Work in the background.

use super::owned;
use crate::http::Api;
use crate::http::auth::Manager;
use crate::http::error::{ErrorCode, Problem};
use crate::http::extract::{Path, Query};
use crate::http::listing::{Asked, Listable};
use crate::http::paging::PageQuery;
use crate::http::reply::{Answer, Flat, Listed, Many, One, Resource};
use crate::http::time::{rfc3339, rfc3339_option};
use crate::jobs::{Job as Kept, JobKind, JobState, Wish};
use crate::listing::{Field, Form, Kind, List, words};
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Job {
    pub(super) id: Uuid,
    /// `backup`, `report` or `reseal`.
    kind: &'static str,
    /// `queued`, `running`, `succeeded`, `failed` or `cancelled`.
    pub(super) state: &'static str,
    organization_id: Option<Uuid>,
    percent_complete: Option<f64>,
    current_step: String,
    items_processed: u64,
    items_total: Option<u64>,
    /// Why the last attempt failed.
    errors: Vec<String>,
    warnings: Vec<String>,
    /// From 1; 0 before the first.
    attempt: u32,
    attempts_most: u32,
    created_at: String,
    started_at: Option<String>,
    /// When a queued one is tried next.
    next_attempt_at: Option<String>,
    finished_at: Option<String>,
    result: Option<Value>,
    /// The address of what it makes.
    target: Option<String>,
    schedule_id: Option<Uuid>,
    requested_by: String,
    reversible: bool,
}

impl Resource for Job {
    const FLAT: Flat = Flat::named("job", "jobs");
}

impl Listable for Job {
    const LIST: List = List {
        fields: &[
            Field::new("kind", Kind::OneOf(words!(JobKind))).bare(),
            Field::new("state", Kind::OneOf(words!(JobState))).bare(),
            Field::new("organization_id", Kind::Id),
            Field::new("schedule_id", Kind::Id),
            Field::new("requested_by", Kind::Text).searched(),
            Field::new("target", Kind::Text).searched(),
            Field::new("attempt", Kind::Number),
            Field::new("created_at", Kind::Time),
            Field::new("started_at", Kind::Time),
            Field::new("finished_at", Kind::Time),
            Field::new("id", Kind::Id),
        ],
        form: Form::Pages,
        includes: &[],
        labelled: false,
    };
}

impl From<Kept> for Job {
    fn from(job: Kept) -> Self {
        let percent_complete = match (job.state, job.items_total) {
            (JobState::Succeeded, _) => Some(100.0),
            (_, Some(total)) if total > 0 => {
                Some((job.items_processed as f64 / total as f64 * 100.0).min(100.0))
            }
            _ => None,
        };
        Self {
            id: job.id,
            kind: job.kind.name(),
            state: job.state.name(),
            organization_id: job.organization.map(|id| id.0),
            percent_complete,
            current_step: job.current_step,
            items_processed: job.items_processed,
            items_total: job.items_total,
            errors: job.error.into_iter().collect(),
            warnings: Vec::new(),
            attempt: job.attempt,
            attempts_most: job.attempts_most,
            created_at: rfc3339(job.created_at_ms),
            started_at: rfc3339_option(job.started_at_ms),
            next_attempt_at: (job.state == JobState::Queued).then(|| rfc3339(job.due_at_ms)),
            finished_at: rfc3339_option(job.finished_at_ms),
            result: job.result,
            target: job.target,
            schedule_id: job.schedule,
            requested_by: job.requested_by,
            reversible: false,
        }
    }
}

pub(crate) async fn list(
    State(api): State<Api>,
    Manager(caller): Manager,
    Query(page): Query<PageQuery>,
    Asked(listing, ..): Asked<Job>,
) -> Answer<Listed<Job>> {
    let page = page.request()?;
    let of = owned::seen(&caller);
    let found = api.app.jobs.list(&listing, of.as_deref(), page).await;
    let found = found.map_err(Problem::internal)?;
    let items = found.items.into_iter().map(Job::from).collect();
    Ok(Many::page(items, page.page, page.per_page, found.total).asked(listing))
}

async fn find(api: &Api, caller: &crate::access::Caller, id: Uuid) -> Result<Kept, Problem> {
    let job = api.app.jobs.job(id).await.map_err(Problem::internal)?;
    let seen = owned::seen(caller);
    job.filter(|job| match (&seen, job.organization) {
        (None, _) => true,
        (Some(seen), Some(organization)) => seen.contains(&organization),
        (Some(_), None) => false,
    })
    .ok_or_else(|| Problem::not_found("job", id))
}

pub(crate) async fn detail(
    State(api): State<Api>,
    Manager(caller): Manager,
    Path(id): Path<Uuid>,
) -> Answer<One<Job>> {
    Ok(One(find(&api, &caller, id).await?.into()))
}

pub(crate) async fn cancel(
    State(api): State<Api>,
    Manager(caller): Manager,
    Path(id): Path<Uuid>,
) -> Answer<One<Job>> {
    let job = find(&api, &caller, id).await?;
    owned::demand(&caller, job.organization)?;
    let wish = api.app.jobs.cancel(id).await.map_err(Problem::internal)?;
    granted(&api, &caller, id, wish, "it has ended already").await
}

pub(crate) async fn retry(
    State(api): State<Api>,
    Manager(caller): Manager,
    Path(id): Path<Uuid>,
) -> Answer<One<Job>> {
    let job = find(&api, &caller, id).await?;
    owned::demand(&caller, job.organization)?;
    let wish = api.app.jobs.retry(id).await.map_err(Problem::internal)?;
    granted(&api, &caller, id, wish, "only a job that failed or was cancelled is tried again").await
}

async fn granted(
    api: &Api,
    caller: &crate::access::Caller,
    id: Uuid,
    wish: Wish,
    why: &str,
) -> Answer<One<Job>> {
    match wish {
        Wish::Granted => Ok(One(find(api, caller, id).await?.into())),
        Wish::Late => Err(Problem::new(ErrorCode::StateConflict, why)),
    }
}
