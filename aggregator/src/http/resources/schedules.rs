//! What makes jobs at their times.

use super::owned;
use super::reports::ReportRequest;
use crate::access::{Caller, OrganizationId, Right};
use crate::backups::{MAX_PASSPHRASE, MIN_PASSPHRASE};
use crate::http::Api;
use crate::http::auth::Manager;
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::extract::{Body, Path};
use crate::http::listing::{Asked, Listable, sift};
use crate::http::precondition::{IfMatch, IfNoneMatch, changed};
use crate::http::record::Recorded;
use crate::http::reply::{Answer, Created, Flat, Listed, Many, One, Resource, Tagged};
use crate::http::time::rfc3339;
use crate::jobs::{
    Cadence, CadenceError, JobKind, NewSchedule, Schedule as Kept, ScheduleError, Weekday,
};
use crate::listing::{Field, Form, Kind, List};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use zeroize::Zeroizing;

/// Either `every_seconds`, or `at` with its days and zone.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScheduleRequest {
    name: String,
    /// `report` or `backup`; backups are the administrators'.
    kind: String,
    organization_id: Option<Uuid>,
    /// 60 to a year.
    every_seconds: Option<u64>,
    /// A time of day such as `03:30`.
    at: Option<String>,
    /// Every day where absent.
    #[serde(default)]
    days: Vec<Weekday>,
    /// Of the IANA database; UTC where absent.
    timezone: Option<String>,
    /// What the report is to say; its range is `last_seconds`.
    report: Option<ReportRequest>,
    /// What the backup's keys are sealed with. It is kept sealed, and stays where a change gives
    /// none.
    passphrase: Option<String>,
    enabled: Option<bool>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Schedule {
    id: Uuid,
    name: String,
    kind: &'static str,
    organization_id: Option<Uuid>,
    every_seconds: Option<u64>,
    at: Option<String>,
    days: Vec<Weekday>,
    timezone: Option<String>,
    /// What the report is to say.
    report: Option<Value>,
    enabled: bool,
    /// When it comes next, if it is enabled.
    next_at: Option<String>,
    last_job_id: Option<Uuid>,
    requested_by: String,
    #[serde(flatten)]
    record: Recorded,
}

impl Resource for Schedule {
    const FLAT: Flat = Flat::named("schedule", "schedules");
}

impl Listable for Schedule {
    const LIST: List = List {
        fields: &[
            Field::new("name", Kind::Text).searched(),
            Field::new("kind", Kind::OneOf(&["backup", "report", "reseal"])),
            Field::new("organization_id", Kind::Id),
            Field::new("enabled", Kind::Boolean),
            Field::new("next_at", Kind::Time),
            Field::new("requested_by", Kind::Text),
            Field::new("created_at", Kind::Time),
            Field::new("created_by", Kind::Id),
            Field::new("updated_at", Kind::Time),
            Field::new("updated_by", Kind::Id),
            Field::new("id", Kind::Id),
        ],
        form: Form::Whole,
        includes: &[],
        labelled: false,
    };
}

impl From<Kept> for Schedule {
    fn from(kept: Kept) -> Self {
        let (every_seconds, at, days, timezone) = match kept.cadence {
            Cadence::Every { seconds } => (Some(seconds), None, Vec::new(), None),
            Cadence::At { hour, minute, days, timezone } => {
                (None, Some(format!("{hour:02}:{minute:02}")), days, Some(timezone))
            }
        };
        Self {
            id: kept.id,
            name: kept.name,
            kind: kept.kind.name(),
            organization_id: kept.organization.map(|id| id.0),
            every_seconds,
            at,
            days,
            timezone,
            report: (kept.kind == JobKind::Report).then_some(kept.parameters),
            enabled: kept.enabled,
            next_at: kept.enabled.then(|| rfc3339(kept.next_at_ms)),
            last_job_id: kept.last_job,
            requested_by: kept.requested_by,
            record: Recorded::from(&kept.record),
        }
    }
}

impl ScheduleRequest {
    /// `passphrase` says whether one is there already.
    async fn parse(self, api: &Api, caller: &Caller, sealed: bool) -> Result<NewSchedule, Problem> {
        let organization = self.organization_id.map(OrganizationId);
        let mut faults = Vec::new();
        let name = owned::name(&mut faults, &self.name);
        let cadence = match (self.every_seconds, &self.at) {
            (Some(seconds), None) => {
                Cadence::every(seconds).map_err(|error| ("every_seconds", error.to_string()))
            }
            (None, Some(at)) => {
                let timezone = self.timezone.as_deref().unwrap_or("UTC");
                Cadence::at(at, self.days, timezone).map_err(|error| {
                    let field = match error {
                        CadenceError::Days => "days",
                        CadenceError::Timezone => "timezone",
                        CadenceError::Time | CadenceError::Every => "at",
                    };
                    (field, error.to_string())
                })
            }
            _ => Err(("every_seconds", "either every_seconds or at is given".into())),
        };
        let cadence = cadence.map_err(|(field, message)| {
            faults.push(FieldError::body(field, "invalid_value", message))
        });
        let kind = match self.kind.as_str() {
            "report" => Some(JobKind::Report),
            "backup" => Some(JobKind::Backup),
            _ => {
                faults.push(FieldError::body("kind", "invalid_value", "is report or backup"));
                None
            }
        };
        if kind == Some(JobKind::Backup) {
            match &self.passphrase {
                None if !sealed => {
                    let message = "a backup needs a passphrase";
                    faults.push(FieldError::body("passphrase", "missing_field", message));
                }
                Some(text) if !(MIN_PASSPHRASE..=MAX_PASSPHRASE).contains(&text.len()) => {
                    let message = format!("has {MIN_PASSPHRASE} to {MAX_PASSPHRASE} bytes");
                    faults.push(FieldError::body("passphrase", "out_of_range", message));
                }
                _ => {}
            }
        }
        if kind == Some(JobKind::Report) && self.report.is_none() {
            faults.push(FieldError::body("report", "missing_field", "a report needs a question"));
        }
        let (Ok(cadence), Some(kind), true) = (cadence, kind, faults.is_empty()) else {
            return Err(Problem::invalid(faults));
        };
        owned::demand(caller, organization)?;
        let parameters = match (kind, self.report) {
            (JobKind::Report, Some(report)) => {
                let question = report.parse(api, caller, organization, true).await?;
                json!(question)
            }
            _ => json!({}),
        };
        if kind == JobKind::Backup && !caller.grants.everywhere(Right::Administer) {
            let message = "only an administrator has backups taken";
            return Err(Problem::new(ErrorCode::Forbidden, message));
        }
        let secret = (kind == JobKind::Backup).then_some(self.passphrase).flatten();
        Ok(NewSchedule {
            organization,
            name,
            kind,
            parameters,
            secret: secret.map(Zeroizing::new),
            cadence,
            enabled: self.enabled.unwrap_or(true),
        })
    }
}

pub(crate) async fn list(
    State(api): State<Api>,
    Manager(caller): Manager,
    Asked(listing, ..): Asked<Schedule>,
) -> Answer<Listed<Schedule>> {
    let mut found = api.app.store.schedules().await.map_err(Problem::internal)?;
    found.retain(|schedule| owned::may_manage(&caller, schedule.organization));
    let items = sift(found.into_iter().map(Schedule::from).collect(), &listing)?;
    Ok(Many::whole(items).asked(listing))
}

pub(crate) async fn create(
    State(api): State<Api>,
    Manager(caller): Manager,
    Body(request): Body<ScheduleRequest>,
) -> Answer<Created<Schedule>> {
    let new = request.parse(&api, &caller, false).await?;
    let made = api.app.jobs.add_schedule(new, &caller).await.map_err(problem)?;
    let location = format!("/api/v1/schedules/{}", made.id);
    Ok(Created { item: made.into(), location })
}

async fn find(api: &Api, caller: &Caller, id: Uuid) -> Result<Kept, Problem> {
    let found = api.app.store.schedule(id).await.map_err(Problem::internal)?;
    found
        .filter(|schedule| owned::may_manage(caller, schedule.organization))
        .ok_or_else(|| Problem::not_found("schedule", id))
}

pub(crate) async fn detail(
    State(api): State<Api>,
    Manager(caller): Manager,
    Path(id): Path<Uuid>,
    known: IfNoneMatch,
) -> Answer<Tagged<Schedule>> {
    let found = find(&api, &caller, id).await?;
    let version = found.record.version;
    Ok(Tagged { item: found.into(), version, known: known.knows(version) })
}

pub(crate) async fn replace(
    State(api): State<Api>,
    Manager(caller): Manager,
    Path(id): Path<Uuid>,
    expected: IfMatch,
    Body(request): Body<ScheduleRequest>,
) -> Answer<Tagged<Schedule>> {
    let old = find(&api, &caller, id).await?;
    expected.admit(old.record.version, "schedule")?;
    let new = request.parse(&api, &caller, old.secret.is_some()).await?;
    let replaced = api.app.jobs.replace_schedule(&old, new, &caller).await.map_err(problem)?;
    let replaced = replaced.ok_or_else(|| changed("schedule"))?;
    let version = replaced.record.version;
    Ok(Tagged { item: replaced.into(), version, known: false })
}

/// What was removed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Removed {
    pub(super) id: Uuid,
    pub(super) removed: bool,
}

impl Resource for Removed {
    const FLAT: Flat = Flat::fields();
}

pub(crate) async fn remove(
    State(api): State<Api>,
    Manager(caller): Manager,
    Path(id): Path<Uuid>,
    expected: IfMatch,
) -> Answer<One<Removed>> {
    let old = find(&api, &caller, id).await?;
    expected.admit(old.record.version, "schedule")?;
    let now_ms = api.app.clock.now_ms();
    let removed = api.app.store.remove_schedule(id, old.record.version, caller.user, now_ms).await;
    if removed.map_err(Problem::internal)? {
        Ok(One(Removed { id, removed: true }))
    } else {
        Err(changed("schedule"))
    }
}

fn problem(error: ScheduleError) -> Problem {
    match error {
        ScheduleError::Full => Problem::new(ErrorCode::Conflict, error.to_string()),
        error => Problem::internal(error),
    }
}
