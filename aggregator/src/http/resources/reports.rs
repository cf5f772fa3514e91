//! Reports: asked for, made by a job, and read as JSON, as a page or as a table.

use super::owned;
use crate::access::{Caller, OrganizationId, Right, Scope, SiteId};
use crate::http::Api;
use crate::http::accept::Accept;
use crate::http::auth::Reader;
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::extract::{Body, Path};
use crate::http::listing::{Asked, Listable, sift};
use crate::http::reply::{Accepted, Answer, Document, Drawn, Flat, Listed, Many, One, Resource};
use crate::http::time::{parse_rfc3339, rfc3339, rfc3339_option};
use crate::jobs::{Job, JobKind, JobState, JobsError, NewJob};
use crate::listing::{Field, Form, Kind, List, words};
use crate::reports::{
    Content, MAX_RANGE_MS, Report as Kept, ReportKind, ReportQuestion, csv, html,
};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

/// Either `from` and `to`, or `last_seconds`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReportRequest {
    kind: ReportKind,
    /// Of one device; without it of a site, an organization or everything.
    device_id: Option<Uuid>,
    site_id: Option<Uuid>,
    organization_id: Option<Uuid>,
    /// RFC 3339.
    from: Option<String>,
    /// RFC 3339, exclusive; now where absent.
    to: Option<String>,
    /// Up to when the report is made; a year at most.
    last_seconds: Option<u64>,
    /// Degrees; temperatures only.
    limit_celsius: Option<f64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Report {
    id: Uuid,
    kind: ReportKind,
    /// `queued`, `running`, `succeeded`, `failed` or `cancelled`.
    state: &'static str,
    device_id: Option<Uuid>,
    site_id: Option<Uuid>,
    organization_id: Option<Uuid>,
    from: Option<String>,
    to: Option<String>,
    last_seconds: Option<u64>,
    limit_celsius: Option<f64>,
    /// Why it could not be made.
    error: Option<String>,
    /// The job that makes it.
    job: String,
    /// What it says, once it is made.
    content: Option<String>,
    created_at: String,
    created_by: Option<Uuid>,
}

impl Resource for Report {
    const FLAT: Flat = Flat::named("report", "reports");
}

impl Listable for Report {
    const LIST: List = List {
        fields: &[
            Field::new("kind", Kind::OneOf(&["energy", "temperature", "availability", "events"])),
            Field::new("state", Kind::OneOf(words!(JobState))),
            Field::new("device_id", Kind::Id),
            Field::new("site_id", Kind::Id),
            Field::new("organization_id", Kind::Id),
            Field::new("from", Kind::Time),
            Field::new("to", Kind::Time),
            Field::new("created_at", Kind::Time),
            Field::new("created_by", Kind::Id),
            Field::new("id", Kind::Id),
        ],
        form: Form::Whole,
        includes: &[],
        labelled: false,
    };
}

impl Resource for Content {
    const FLAT: Flat = Flat::named("content", "contents");
}

impl ReportRequest {
    /// What it asks for, where the caller may ask that. Schedules have no fixed range.
    pub(super) async fn parse(
        self,
        api: &Api,
        caller: &Caller,
        organization: Option<OrganizationId>,
        scheduled: bool,
    ) -> Result<ReportQuestion, Problem> {
        let field = |name: &str| if scheduled { format!("report.{name}") } else { name.to_owned() };
        let mut faults = Vec::new();
        let mut time = |name: &str, text: Option<&String>| -> Option<u64> {
            let text = text?;
            let parsed = parse_rfc3339(text);
            if parsed.is_none() {
                let message = "is an RFC 3339 time";
                faults.push(FieldError::body(&field(name), "invalid_value", message));
            }
            parsed
        };
        let from_ms = time("from", self.from.as_ref());
        let to_ms = time("to", self.to.as_ref());
        let now_ms = api.app.clock.now_ms();
        let fault = match (from_ms, self.last_seconds) {
            (None, Some(seconds)) => {
                let fits = (1..=MAX_RANGE_MS / 1_000).contains(&seconds) && self.to.is_none();
                let message = "is 1 to a year, and stands without from and to";
                (!fits).then_some(("last_seconds", "out_of_range", message))
            }
            (Some(from), None) if !scheduled => {
                let to = to_ms.unwrap_or(now_ms);
                let fits = from < to && to - from <= MAX_RANGE_MS;
                let message = "is before to, by a year at most";
                (!fits).then_some(("from", "out_of_range", message))
            }
            _ if scheduled => {
                let message = "a scheduled report needs it, and no from";
                Some(("last_seconds", "missing_field", message))
            }
            _ => Some(("from", "missing_field", "either from or last_seconds is given")),
        };
        if let (Some((name, code, message)), true) = (fault, faults.is_empty()) {
            faults.push(FieldError::body(&field(name), code, message));
        }
        if self.limit_celsius.is_some_and(|limit| !limit.is_finite()) {
            let message = "is a number of degrees";
            faults.push(FieldError::body(&field("limit_celsius"), "out_of_range", message));
        }
        let named = [self.device_id, self.site_id, self.organization_id];
        if named.iter().flatten().count() > 1 {
            let message = "at most one of device, site and organization is named";
            faults.push(FieldError::body(&field("device_id"), "invalid_value", message));
        }
        if !faults.is_empty() {
            return Err(Problem::invalid(faults));
        }
        let mut of = self.organization_id.map(OrganizationId).or(organization);
        let refused = || {
            let message = "only who manages it has reports of a site, an organization or \
                           everything; name a device that you see";
            Problem::new(ErrorCode::Forbidden, message).detail("right", Right::Manage.name())
        };
        if let Some(id) = self.device_id {
            super::devices::find(api, caller, Right::Read, id).await?;
        } else if let Some(site) = self.site_id {
            let (site, tenancy) = (Scope::Site(SiteId(site)), &api.app.tenancy);
            let may = tenancy.may(&caller.grants, Right::Manage, site).await;
            if !may.map_err(Problem::internal)? {
                return Err(refused());
            }
            of = tenancy.map().await.map_err(Problem::internal)?.organization_of(site);
        } else if !sees_all(caller, of) {
            return Err(refused());
        }
        Ok(ReportQuestion {
            kind: self.kind,
            device: self.device_id,
            site: self.site_id,
            organization: of.map(|id| id.0),
            from_ms,
            to_ms: from_ms.map(|_| to_ms.unwrap_or(now_ms)),
            last_s: self.last_seconds,
            limit_celsius: self.limit_celsius,
        })
    }
}

fn report(question: &ReportQuestion, id: Uuid) -> Report {
    Report {
        id,
        kind: question.kind,
        state: JobState::Succeeded.name(),
        device_id: question.device,
        site_id: question.site,
        organization_id: question.organization,
        from: rfc3339_option(question.from_ms),
        to: rfc3339_option(question.to_ms),
        last_seconds: question.last_s,
        limit_celsius: question.limit_celsius,
        error: None,
        job: format!("/api/v1/jobs/{id}"),
        content: Some(format!("/api/v1/reports/{id}/content")),
        created_at: String::new(),
        created_by: None,
    }
}

impl From<Kept> for Report {
    fn from(kept: Kept) -> Self {
        Self {
            created_at: rfc3339(kept.record.created_at_ms),
            created_by: kept.record.created_by.map(|user| user.0),
            ..report(&kept.question, kept.id)
        }
    }
}

/// One that is not made yet.
fn of_job(job: Job) -> Result<Report, Problem> {
    let question: ReportQuestion =
        serde_json::from_value(job.parameters).map_err(Problem::internal)?;
    Ok(Report {
        state: job.state.name(),
        error: job.error,
        content: None,
        created_at: rfc3339(job.created_at_ms),
        created_by: job.created_by.map(|user| user.0),
        ..report(&question, job.id)
    })
}

pub(crate) async fn create(
    State(api): State<Api>,
    Reader(caller): Reader,
    Body(request): Body<ReportRequest>,
) -> Answer<Accepted<Report>> {
    let question = request.parse(&api, &caller, None, false).await?;
    let id = api.app.clock.new_id();
    let location = format!("/api/v1/reports/{id}");
    let job = api.app.jobs.queue(NewJob {
        id,
        kind: JobKind::Report,
        organization: question.organization.map(OrganizationId),
        target: Some(location.clone()),
        parameters: json!(question),
        secret: None,
        schedule: None,
        requested_by: caller.email,
        created_by: Some(caller.user),
    });
    let job = job.await.map_err(full)?;
    Ok(Accepted { item: of_job(job)?, location })
}

pub(super) fn full(error: JobsError) -> Problem {
    match error {
        JobsError::Full => Problem::new(ErrorCode::Unavailable, error.to_string()).retry_after(60),
        error => Problem::internal(error),
    }
}

/// Who manages an organization sees its reports; everybody sees one's own.
fn sees(caller: &Caller, organization: Option<OrganizationId>, made_by: Option<Uuid>) -> bool {
    made_by == Some(caller.user.0) || sees_all(caller, organization)
}

fn sees_all(caller: &Caller, organization: Option<OrganizationId>) -> bool {
    owned::may_manage(caller, organization)
        || organization.is_none() && caller.grants.everywhere(Right::Manage)
}

/// Those that were made; one that is being made stands among the jobs.
pub(crate) async fn list(
    State(api): State<Api>,
    Reader(caller): Reader,
    Asked(listing, ..): Asked<Report>,
) -> Answer<Listed<Report>> {
    let mut found = api.app.reports.list().await.map_err(Problem::internal)?;
    found.retain(|one| sees(&caller, one.organization, one.record.created_by.map(|user| user.0)));
    let items = sift(found.into_iter().map(Report::from).collect(), &listing)?;
    Ok(Many::whole(items).asked(listing))
}

async fn find(api: &Api, caller: &Caller, id: Uuid) -> Result<Kept, Problem> {
    let found = api.app.reports.report(id).await.map_err(Problem::internal)?;
    found
        .filter(|one| sees(caller, one.organization, one.record.created_by.map(|user| user.0)))
        .ok_or_else(|| Problem::not_found("report", id))
}

pub(crate) async fn detail(
    State(api): State<Api>,
    Reader(caller): Reader,
    Path(id): Path<Uuid>,
) -> Answer<One<Report>> {
    let missing = match find(&api, &caller, id).await {
        Ok(found) => return Ok(One(found.into())),
        Err(problem) => problem,
    };
    let job = api.app.jobs.job(id).await.map_err(Problem::internal)?;
    match job.filter(|job| job.kind == JobKind::Report) {
        Some(job) if sees(&caller, job.organization, job.created_by.map(|user| user.0)) => {
            Ok(One(of_job(job)?))
        }
        _ => Err(missing),
    }
}

/// As JSON, or where the client prefers it as a page or as a table.
pub(crate) async fn content(
    State(api): State<Api>,
    Reader(caller): Reader,
    accept: Accept,
    Path(id): Path<Uuid>,
) -> Answer<Drawn<Content>> {
    let found = find(&api, &caller, id).await?;
    let content = found.content.ok_or_else(|| Problem::not_found("content of the report", id))?;
    let file = |ending| Some(format!("report-{id}.{ending}"));
    Ok(match accept.choose(&["application/json", "text/html", "text/csv"])? {
        1 => Drawn::Document(Document {
            media_type: "text/html; charset=utf-8",
            file: None,
            body: html(&content).into(),
        }),
        2 => Drawn::Document(Document {
            media_type: "text/csv; charset=utf-8",
            file: file("csv"),
            body: csv(&content).into(),
        }),
        _ => Drawn::Json(One(content)),
    })
}
