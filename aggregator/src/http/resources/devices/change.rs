//! What people say of a device: its name, where it belongs and stands, and its labels. One device
//! by itself, or many in one transaction.

use super::{DeviceDetail, detail_of, find};
use crate::access::{Caller, Right};
use crate::audit::{AuditEntry, Decision};
use crate::fleet::{DeviceId, Subject};
use crate::http::Api;
use crate::http::auth::Manager;
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::extract::{Body, Path, Query, RequestId};
use crate::http::patch::Patch;
use crate::http::precondition::{IfMatch, changed};
use crate::http::reply::{Answer, Flat, One, Resource, Tagged};
use crate::http::resources::placements::{DeviceLocationRequest, DryRun, fits, placed_at};
use crate::record::Record;
use crate::store::DeviceChange;
use crate::tenancy::{Map, Placed, Placement};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, HashMap, HashSet};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Rows of one request.
const MAX_ROWS: usize = 500;
const MAX_NAME: usize = 128;

/// A name of their own have machines alone: equipment is called as in its gateway's file. A
/// location gives its site and its organization; a site gives its organization.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DeviceSettings {
    #[schema(min_length = 1, max_length = 128)]
    name: Option<String>,
    organization: Option<Uuid>,
    site: Option<Uuid>,
    location: Option<Uuid>,
    /// The lowest rack unit that it takes, from 1 at the bottom.
    #[schema(minimum = 1, maximum = 100)]
    unit: Option<u32>,
    /// 1 where absent.
    #[schema(minimum = 1, maximum = 100)]
    height_units: Option<u32>,
    /// What it draws at most.
    watts: Option<f64>,
    kilograms: Option<f64>,
    labels: BTreeMap<String, String>,
}

impl DeviceSettings {
    fn of(subject: &Subject, placed: DeviceLocationRequest) -> Self {
        let DeviceLocationRequest {
            organization,
            site,
            location,
            unit,
            height_units,
            watts,
            kilograms,
            labels,
        } = placed;
        let name = Some(subject.name().to_owned());
        Self { name, organization, site, location, unit, height_units, watts, kilograms, labels }
    }

    fn parts(self) -> (Option<String>, DeviceLocationRequest) {
        let Self {
            name,
            organization,
            site,
            location,
            unit,
            height_units,
            watts,
            kilograms,
            labels,
        } = self;
        let placed = DeviceLocationRequest {
            organization,
            site,
            location,
            unit,
            height_units,
            watts,
            kilograms,
            labels,
        };
        (name, placed)
    }

    /// As a patch finds it that moves the device: what followed from where it stood goes, for it
    /// follows from where it comes to stand.
    fn before(mut self, patch: &Patch<Self>) -> Self {
        let moves = |name, from: Option<Uuid>| {
            patch.sets(name).is_some_and(|to| from.map(|id| id.to_string()).as_deref() != Some(to))
        };
        let organization = moves("organization", self.organization);
        let site = moves("site", self.site);
        let location = moves("location", self.location);
        if location {
            (self.organization, self.site) = (None, None);
        }
        if site {
            self.organization = None;
        }
        if organization {
            self.site = None;
        }
        if organization || site {
            self.location = None;
        }
        if organization || site || location {
            self.unit = None;
        }
        self
    }
}

/// One device's change, found to be good.
struct Plan {
    subject: Subject,
    /// Of the settings: those before.
    version: u64,
    before: Option<Placed>,
    /// `None`: as it is.
    name: Option<String>,
    placed: Option<Placed>,
    entry: AuditEntry,
}

impl Plan {
    fn is_change(&self) -> bool {
        self.name.is_some() || self.placed.is_some()
    }

    fn placement(&self) -> Option<(DeviceId, Placement)> {
        self.placed.as_ref().map(|placed| (placed.device, placed.placement.clone()))
    }

    fn change(&self) -> DeviceChange<'_> {
        let version = self.before.as_ref().map_or(0, |placed| placed.record.version);
        DeviceChange {
            device: self.subject.id(),
            name: self.name.as_deref().map(|name| (name, self.subject.machine().version)),
            placed: self.placed.as_ref().map(|placed| (placed, version)),
            entry: &self.entry,
        }
    }
}

/// Who changes devices, and what of the tenancy they are held against.
struct Desk<'a> {
    api: &'a Api,
    caller: &'a Caller,
    map: &'a Map,
    request_id: Option<String>,
}

impl Desk<'_> {
    async fn plan(
        &self,
        id: Uuid,
        expected: Option<u64>,
        patch: Patch<DeviceSettings>,
    ) -> Result<Plan, Problem> {
        let Self { api, caller, map, .. } = self;
        let subject = find(api, caller, Right::Manage, id).await?;
        let before = api.app.store.placement(DeviceId(id)).await.map_err(Problem::internal)?;
        let version = version(&subject, before.as_ref());
        if expected.is_some_and(|expected| expected != version) {
            return Err(changed("device"));
        }
        let placement = before.as_ref().map(|placed| placed.placement.clone());
        let own = DeviceLocationRequest::of(placement.clone().unwrap_or_default());
        let was = DeviceSettings::of(&subject, own);
        let (name, sent) = patch_of(&was, patch)?.parts();
        let name = named(&subject, name)?;
        let after = placed_at(api, caller, map, &subject, sent).await?;
        let now_ms = api.app.clock.now_ms();
        let entry = AuditEntry {
            at_ms: now_ms,
            actor: caller.email.clone(),
            action: "device.update".into(),
            target: format!("device:{id}"),
            decision: Decision::Allowed,
            details: json!({}),
            request_id: self.request_id.clone(),
            organization: after.organization,
            ..AuditEntry::default()
        };
        let mut is = DeviceSettings::of(&subject, DeviceLocationRequest::of(after.clone()));
        if let Some(name) = &name {
            is.name = Some(name.clone());
        }
        let entry = entry.changing(&json!(was), &json!(is));
        let placed = (after != placement.unwrap_or_default()).then(|| Placed {
            device: DeviceId(id),
            placement: after,
            record: Record::new(Some(caller.user), now_ms),
        });
        Ok(Plan { subject, version, before, name, placed, entry })
    }

    /// Is there room where it comes to stand, as everything stands once `planned` is done?
    async fn fits(
        &self,
        plan: &Plan,
        planned: &HashMap<DeviceId, Placement>,
    ) -> Result<(), Problem> {
        let Some((device, placement)) = plan.placement() else { return Ok(()) };
        let Some(location) = placement.location else { return Ok(()) };
        fits(self.api, self.map, device, location, &placement.body, planned).await
    }

    /// Does all of `plans`, or nothing of them.
    async fn apply(&self, plans: &[&Plan]) -> Result<(), Problem> {
        let changes: Vec<_> =
            plans.iter().filter(|plan| plan.is_change()).map(|plan| plan.change()).collect();
        let now_ms = self.api.app.clock.now_ms();
        let stale = self.api.app.store.change_devices(&changes, now_ms).await;
        match stale.map_err(Problem::internal)? {
            None => Ok(()),
            Some(device) => Err(changed("device").detail("device", device.to_string())),
        }
    }
}

fn patch_of(was: &DeviceSettings, patch: Patch<DeviceSettings>) -> Result<DeviceSettings, Problem> {
    let before = was.clone().before(&patch);
    patch.merged(&before)
}

/// What a machine is to be called; `None` where it is called so.
fn named(subject: &Subject, name: Option<String>) -> Result<Option<String>, Problem> {
    let refused = |code, message: String| {
        Err(Problem::invalid(vec![FieldError::body("name", code, message)]))
    };
    if name.as_deref() == Some(subject.name()) {
        return Ok(None);
    }
    if subject.key().is_some() {
        return refused("foreign", "is the one that its gateway's file gives it".into());
    }
    let name = name.as_deref().unwrap_or_default().trim();
    if name.is_empty() || name.chars().count() > MAX_NAME || name.contains(char::is_control) {
        let message = format!("has 1 to {MAX_NAME} characters, none of them a control character");
        return refused("invalid_value", message);
    }
    Ok(Some(name.to_owned()))
}

/// The version of what people say of a device: it grows with each change of its name or place.
pub(super) fn version(subject: &Subject, placed: Option<&Placed>) -> u64 {
    let own = match subject {
        Subject::Machine(machine) => machine.version,
        Subject::Equipment { .. } => 0,
    };
    own + placed.map_or(0, |placed| placed.record.version)
}

/// RFC 7396.
pub(crate) async fn update(
    State(api): State<Api>,
    Manager(caller): Manager,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Query(DryRun { dry_run }): Query<DryRun>,
    request_id: Option<RequestId>,
    Body(patch): Body<Patch<DeviceSettings>>,
) -> Answer<Tagged<DeviceDetail>> {
    let map = api.app.tenancy.map().await.map_err(Problem::internal)?;
    let request_id = request_id.map(|id| id.0);
    let desk = Desk { api: &api, caller: &caller, map: &map, request_id };
    let plan = desk.plan(id, if_match.expected()?, patch).await?;
    desk.fits(&plan, &HashMap::new()).await?;
    if dry_run {
        let Plan { mut subject, version, before, name, placed, .. } = plan;
        if let (Subject::Machine(machine), Some(name)) = (&mut subject, name) {
            machine.name = name;
        }
        let item = detail_of(&api, subject, placed.or(before), None).await?;
        return Ok(Tagged { item, version, known: false });
    }
    desk.apply(&[&plan]).await?;
    api.app.tenancy.forget();
    let subject = find(&api, &caller, Right::Read, id).await?;
    let placed = api.app.store.placement(DeviceId(id)).await.map_err(Problem::internal)?;
    let version = version(&subject, placed.as_ref());
    Ok(Tagged { item: detail_of(&api, subject, placed, None).await?, version, known: false })
}

type SettingsPatch = Patch<DeviceSettings>;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DevicesBulkRequest {
    /// Each device once.
    #[schema(min_items = 1, max_items = 500)]
    devices: Vec<DeviceRow>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DeviceRow {
    id: Uuid,
    /// The number in the device's ETag; absent: whatever stands there.
    #[serde(default)]
    version: Option<u64>,
    change: SettingsPatch,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct BulkQuery {
    /// False: the rows that are good are done, each by itself. Otherwise all are done, or none.
    atomic: Option<bool>,
    /// Say what would be refused, and change nothing.
    #[serde(default)]
    dry_run: bool,
}

/// What came of the rows, in their order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DevicesBulk {
    atomic: bool,
    dry_run: bool,
    /// Rows that were done; of a dry run: that would be.
    done: usize,
    refused: usize,
    results: Vec<RowResult>,
}

impl Resource for DevicesBulk {
    const FLAT: Flat = Flat::fields();
}

#[derive(Debug, Serialize, ToSchema)]
struct RowResult {
    id: Uuid,
    /// What the row would have been answered with by itself.
    status: u16,
    /// Null where it was done.
    problem: Option<RowProblem>,
}

#[derive(Debug, Serialize, ToSchema)]
struct RowProblem {
    error: &'static str,
    message: String,
    field_errors: Vec<FieldError>,
}

impl RowResult {
    fn of(id: Uuid, came: Result<(), Problem>) -> Result<Self, Problem> {
        match came {
            Ok(()) => Ok(Self { id, status: 200, problem: None }),
            Err(problem) if problem.code == ErrorCode::InternalError => Err(problem),
            Err(problem) => Ok(Self {
                id,
                status: problem.code.entry().v1,
                problem: Some(RowProblem {
                    error: problem.code.entry().slug,
                    message: problem.message().to_owned(),
                    field_errors: problem.fields().to_vec(),
                }),
            }),
        }
    }
}

pub(crate) async fn bulk(
    State(api): State<Api>,
    Manager(caller): Manager,
    Query(query): Query<BulkQuery>,
    request_id: Option<RequestId>,
    Body(sent): Body<DevicesBulkRequest>,
) -> Answer<One<DevicesBulk>> {
    let rows = sent.devices;
    let distinct: HashSet<Uuid> = rows.iter().map(|row| row.id).collect();
    if !(1..=MAX_ROWS).contains(&rows.len()) || distinct.len() < rows.len() {
        let message = format!("are 1 to {MAX_ROWS} rows, each device once");
        let fault = FieldError::body("devices", "out_of_range", message);
        return Err(Problem::invalid(vec![fault]));
    }
    let map = api.app.tenancy.map().await.map_err(Problem::internal)?;
    let request_id = request_id.map(|id| id.0);
    let desk = Desk { api: &api, caller: &caller, map: &map, request_id };
    let (atomic, dry_run) = (query.atomic.unwrap_or(true), query.dry_run);
    let results = if atomic {
        whole(&desk, rows, dry_run).await?
    } else {
        one_by_one(&desk, rows, dry_run).await?
    };
    if !dry_run {
        api.app.tenancy.forget();
    }
    let refused = results.iter().filter(|row| row.problem.is_some()).count();
    let done = results.len() - refused;
    Ok(One(DevicesBulk { atomic, dry_run, done, refused, results }))
}

/// All rows or none: what is wrong with any of them is the answer.
async fn whole(
    desk: &Desk<'_>,
    rows: Vec<DeviceRow>,
    dry_run: bool,
) -> Result<Vec<RowResult>, Problem> {
    let mut faults = Faults::default();
    let mut plans = Vec::with_capacity(rows.len());
    for (place, row) in rows.into_iter().enumerate() {
        match desk.plan(row.id, row.version, row.change).await {
            Ok(plan) => plans.push((place, plan)),
            Err(problem) => faults.add(place, problem),
        }
    }
    let planned = plans.iter().filter_map(|(_, plan)| plan.placement()).collect();
    for (place, plan) in &plans {
        if let Err(problem) = desk.fits(plan, &planned).await {
            faults.add(*place, problem);
        }
    }
    faults.none()?;
    if !dry_run {
        let plans: Vec<&Plan> = plans.iter().map(|(_, plan)| plan).collect();
        desk.apply(&plans).await?;
    }
    plans.iter().map(|(_, plan)| RowResult::of(plan.subject.id().0, Ok(()))).collect()
}

async fn one_by_one(
    desk: &Desk<'_>,
    rows: Vec<DeviceRow>,
    dry_run: bool,
) -> Result<Vec<RowResult>, Problem> {
    let mut planned = HashMap::new();
    let mut results = Vec::with_capacity(rows.len());
    for DeviceRow { id, version, change } in rows {
        let came = async {
            let plan = desk.plan(id, version, change).await?;
            desk.fits(&plan, &planned).await?;
            if !dry_run {
                desk.apply(&[&plan]).await?;
            }
            planned.extend(plan.placement());
            Ok(())
        };
        results.push(RowResult::of(id, came.await)?);
    }
    Ok(results)
}

/// What is wrong with rows of which all or none are done.
#[derive(Default)]
struct Faults {
    first: Option<Problem>,
    fields: Vec<FieldError>,
}

impl Faults {
    fn add(&mut self, place: usize, problem: Problem) {
        let row = format!("devices.{place}");
        if problem.fields().is_empty() {
            let slug = problem.code.entry().slug;
            self.fields.push(FieldError::body(&row, slug, problem.message()));
        }
        for field in problem.fields() {
            let at = format!("{row}.change.{}", field.field);
            self.fields.push(FieldError::body(&at, &field.code, field.message.clone()));
        }
        self.first.get_or_insert(problem);
    }

    fn none(self) -> Result<(), Problem> {
        let Some(first) = self.first else { return Ok(()) };
        if first.code == ErrorCode::InternalError {
            return Err(first);
        }
        let message = "no row was done; what is wrong stands in field_errors";
        let problem = Problem::new(first.code, message);
        Err(self.fields.into_iter().fold(problem, Problem::field))
    }
}
