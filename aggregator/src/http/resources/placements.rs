//! Where a device belongs and stands, and what people call it.

use super::devices::{find, sight};
use super::entities::demand;
use super::entities::locations::Location;
use crate::access::{Caller, LocationId, OrganizationId, Right, Scope, SiteId};
use crate::audit::{AuditEntry, Decision};
use crate::fleet::{DeviceId, Subject};
use crate::http::Api;
use crate::http::auth::{Manager, Member, Reader};
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::extract::{Body, Path, Query, RequestId};
use crate::http::precondition::{IfMatch, IfNoneMatch, failed};
use crate::http::record::Recorded;
use crate::http::reply::{Answer, Flat, One, Resource, Tagged};
use crate::record::Record;
use crate::store::Change;
use crate::tenancy::placement::{Body as Stood, overlap};
use crate::tenancy::{Map, Placed, Placement};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

const MAX_LABELS: usize = 64;
/// Of a key or a value of a label, as in Kubernetes.
const MAX_LABEL: usize = 63;
const MAX_NUMBER: f64 = 1e9;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeviceLocation {
    device: Uuid,
    #[serde(flatten)]
    sent: DeviceLocationRequest,
    /// Null where nobody has placed it yet.
    record: Option<Recorded>,
}

impl Resource for DeviceLocation {
    const FLAT: Flat = Flat::named("location", "locations");
}

/// A location gives its site and its organization; a site gives its organization.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DeviceLocationRequest {
    pub(super) organization: Option<Uuid>,
    pub(super) site: Option<Uuid>,
    pub(super) location: Option<Uuid>,
    /// The lowest rack unit that it takes, from 1 at the bottom.
    #[schema(minimum = 1, maximum = 100)]
    pub(super) unit: Option<u32>,
    /// 1 where absent.
    #[schema(minimum = 1, maximum = 100)]
    pub(super) height_units: Option<u32>,
    /// What it draws at most.
    pub(super) watts: Option<f64>,
    pub(super) kilograms: Option<f64>,
    pub(super) labels: BTreeMap<String, String>,
}

impl DeviceLocationRequest {
    pub(super) fn of(placement: Placement) -> Self {
        let Stood { unit, height_units, watts, kilograms, labels } = placement.body;
        Self {
            organization: placement.organization.map(|id| id.0),
            site: placement.site.map(|id| id.0),
            location: placement.location.map(|id| id.0),
            unit,
            height_units,
            watts,
            kilograms,
            labels,
        }
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct DryRun {
    /// Say what would be refused, and change nothing.
    #[serde(default)]
    pub(super) dry_run: bool,
}

pub(crate) async fn detail(
    State(api): State<Api>,
    Reader(caller): Reader,
    Path(id): Path<Uuid>,
    known: IfNoneMatch,
) -> Answer<Tagged<DeviceLocation>> {
    find(&api, &caller, Right::Read, id).await?;
    let placed = api.app.store.placement(DeviceId(id)).await.map_err(Problem::internal)?;
    let version = placed.as_ref().map_or(0, |placed| placed.record.version);
    Ok(Tagged { item: drawn(id, placed), version, known: known.knows(version) })
}

pub(super) fn drawn(device: Uuid, placed: Option<Placed>) -> DeviceLocation {
    let Some(Placed { placement, record, .. }) = placed else {
        return DeviceLocation { device, sent: DeviceLocationRequest::default(), record: None };
    };
    let sent = DeviceLocationRequest::of(placement);
    DeviceLocation { device, sent, record: Some(Recorded::from(&record)) }
}

pub(crate) async fn replace(
    State(api): State<Api>,
    Manager(caller): Manager,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Query(DryRun { dry_run }): Query<DryRun>,
    request_id: Option<RequestId>,
    Body(sent): Body<DeviceLocationRequest>,
) -> Answer<Tagged<DeviceLocation>> {
    let subject = find(&api, &caller, Right::Manage, id).await?;
    let map = api.app.tenancy.map().await.map_err(Problem::internal)?;
    let placement = placed_at(&api, &caller, &map, &subject, sent).await?;
    let device = DeviceId(id);
    if let Some(location) = placement.location {
        fits(&api, &map, device, location, &placement.body, &HashMap::new()).await?;
    }
    let before = api.app.store.placement(device).await.map_err(Problem::internal)?;
    let version = before.as_ref().map_or(0, |placed| placed.record.version);
    if_match.admit(version, "placement")?;
    let record = Record::new(Some(caller.user), api.app.clock.now_ms());
    let placed = Placed { device, placement, record };
    if dry_run {
        return Ok(Tagged { item: drawn(id, Some(placed)), version, known: false });
    }
    let entry = AuditEntry {
        at_ms: api.app.clock.now_ms(),
        actor: caller.email.clone(),
        action: "device.place".into(),
        target: format!("device:{id}"),
        decision: Decision::Allowed,
        details: json!({}),
        request_id: request_id.map(|id| id.0),
        organization: placed.placement.organization,
        ..AuditEntry::default()
    }
    .changing(&json!(drawn(id, before).sent), &json!(drawn(id, Some(placed.clone())).sent));
    match api.app.store.place(&placed, Some(version), &entry).await.map_err(Problem::internal)? {
        Change::Done => api.app.tenancy.forget(),
        _ => return Err(failed("the device was placed otherwise by now")),
    }
    let placed = api.app.store.placement(device).await.map_err(Problem::internal)?;
    let version = placed.as_ref().map_or(0, |placed| placed.record.version);
    Ok(Tagged { item: drawn(id, placed), version, known: false })
}

/// Where `subject` comes to stand, if the caller may put it there.
pub(super) async fn placed_at(
    api: &Api,
    caller: &Caller,
    map: &Map,
    subject: &Subject,
    sent: DeviceLocationRequest,
) -> Result<Placement, Problem> {
    let placement = placement(map, sent)?;
    // Taking a machine in needs the right over where it comes to stand as well.
    let home = placement.organization.map(Scope::Organization);
    if demand(api, caller, Right::Manage, home).await.is_err() {
        return Err(unknown("organization"));
    }
    let gateway = Scope::Device(subject.machine().id);
    if subject.key().is_some() && map.organization_of(gateway) != placement.organization {
        let message = "is its gateway's: who sees a gateway sees what it reads";
        return Err(Problem::invalid(vec![FieldError::body("organization", "foreign", message)]));
    }
    Ok(placement)
}

fn unknown(field: &str) -> Problem {
    Problem::invalid(vec![FieldError::body(field, "unknown", "names nothing that is there")])
}

/// What was sent, whole: what lies around a place follows from it and may not say otherwise.
fn placement(map: &Map, sent: DeviceLocationRequest) -> Result<Placement, Problem> {
    let mut faults = Vec::new();
    let sizes = [("unit", sent.unit), ("height_units", sent.height_units)];
    for (field, size) in sizes {
        if size.is_some_and(|size| !(1..=100).contains(&size)) {
            faults.push(FieldError::body(field, "out_of_range", "is 1 to 100"));
        }
    }
    for (field, number) in [("watts", sent.watts), ("kilograms", sent.kilograms)] {
        if number.is_some_and(|number| !(0.0..=MAX_NUMBER).contains(&number)) {
            faults.push(FieldError::body(field, "out_of_range", "is 0 or more"));
        }
    }
    let fits = |text: &str| text.len() <= MAX_LABEL && text.chars().all(is_of_label);
    let wrong = |(key, value): (&String, &String)| key.is_empty() || !fits(key) || !fits(value);
    if sent.labels.len() > MAX_LABELS || sent.labels.iter().any(wrong) {
        let message = format!(
            "are at most {MAX_LABELS}, keys and values of at most {MAX_LABEL} letters, digits, \
             `-`, `_`, `.` and `/`"
        );
        faults.push(FieldError::body("labels", "invalid_value", message));
    }
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    let location = sent.location.map(LocationId);
    let site = match location {
        Some(location) => Some(map.site_of(location).ok_or_else(|| unknown("location"))?),
        None => sent.site.map(SiteId),
    };
    let organization = match site {
        Some(site) => Some(map.organization_of(Scope::Site(site)).ok_or_else(|| unknown("site"))?),
        None => sent.organization.map(OrganizationId),
    };
    if organization.is_some_and(|id| !map.holds(Scope::Organization(id))) {
        return Err(unknown("organization"));
    }
    let differs = |said: Option<Uuid>, is: Option<Uuid>| said.is_some() && said != is;
    if differs(sent.site, site.map(|id| id.0)) {
        return Err(unknown("site"));
    }
    if differs(sent.organization, organization.map(|id| id.0)) {
        return Err(unknown("organization"));
    }
    let DeviceLocationRequest { unit, height_units, watts, kilograms, labels, .. } = sent;
    let body = Stood { unit, height_units, watts, kilograms, labels };
    Ok(Placement { organization, site, location, body })
}

fn is_of_label(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.' | '/')
}

/// Is there room for it where it comes to stand, once what is `planned` stands where it is to?
pub(super) async fn fits(
    api: &Api,
    map: &Map,
    device: DeviceId,
    location: LocationId,
    body: &Stood,
    planned: &HashMap<DeviceId, Placement>,
) -> Result<(), Problem> {
    let room = room(api, location).await?;
    let stays = room.placed.iter().filter(|one| !planned.contains_key(&one.device));
    let stays = stays.map(|one| (one.device, &one.placement.body));
    let comes = planned.iter().filter(|(_, placement)| placement.location == Some(location));
    let comes = comes.map(|(other, placement)| (*other, &placement.body));
    let others: Vec<(DeviceId, &Stood)> =
        stays.chain(comes).filter(|(other, _)| *other != device).collect();
    let conflict = |message: String| Problem::new(ErrorCode::Conflict, message);
    if let (Some((_, last)), Some(units)) = (body.units(), room.location.units())
        && last > units
    {
        return Err(conflict(format!("the rack has {units} units, and this would end at {last}")));
    }
    if let Some((other, _)) = others.iter().find(|(_, other)| overlap(other, body)) {
        let mut problem = conflict("another device stands in one of these units".into());
        // What the caller does not see is not named.
        if map.holds(Scope::Device(*other)) {
            problem = problem.detail("device", other.to_string());
        }
        return Err(problem);
    }
    let sum = |of: fn(&Stood) -> Option<f64>| -> f64 {
        others.iter().filter_map(|(_, other)| of(other)).sum::<f64>() + of(body).unwrap_or(0.0)
    };
    let watts = sum(|body| body.watts);
    let capacities = [
        ("watts", room.location.watts(), watts),
        ("cooling_watts", room.location.cooling_watts(), watts),
        ("kilograms", room.location.kilograms(), sum(|body| body.kilograms)),
    ];
    for (what, capacity, wanted) in capacities {
        if let Some(capacity) = capacity
            && wanted > capacity
        {
            let message =
                format!("its {what} are {capacity}, and with this they would be {wanted}");
            return Err(conflict(message)
                .detail("capacity", capacity)
                .detail("wanted", wanted)
                .detail("of", what));
        }
    }
    Ok(())
}

/// A location and what stands there itself.
struct Room {
    location: Location,
    placed: Vec<Placed>,
}

async fn room(api: &Api, location: LocationId) -> Result<Room, Problem> {
    let kept = api.app.store.entity(location.0).await.map_err(Problem::internal)?;
    let kept = kept.ok_or_else(|| unknown("location"))?;
    let placed = api.app.store.placed_at(location).await.map_err(Problem::internal)?;
    Ok(Room { location: super::entities::Kind::draw(kept), placed })
}

/// A rack as it stands, or what stands in a room.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Elevation {
    location: Location,
    /// From the top down; of a rack alone.
    units: Vec<Unit>,
    /// What stands there in no unit.
    elsewhere: Vec<Standing>,
    used: Used,
}

impl Resource for Elevation {
    const FLAT: Flat = Flat::named("elevation", "elevations");
}

#[derive(Debug, Serialize, ToSchema)]
struct Unit {
    unit: u32,
    /// Null where the unit is free.
    device: Option<Standing>,
}

/// `id` and `name` are null where you don't see what stands there.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Standing {
    id: Option<Uuid>,
    name: Option<String>,
    unit: Option<u32>,
    height_units: Option<u32>,
    watts: Option<f64>,
    kilograms: Option<f64>,
}

/// By what people said of the devices.
#[derive(Debug, Serialize, ToSchema)]
struct Used {
    units: u32,
    watts: f64,
    kilograms: f64,
    /// Null where the location has no such capacity.
    units_free: Option<u32>,
    watts_free: Option<f64>,
    kilograms_free: Option<f64>,
    cooling_watts_free: Option<f64>,
}

pub(crate) async fn elevation(
    State(api): State<Api>,
    Member(caller): Member,
    Path(id): Path<Uuid>,
) -> Answer<One<Elevation>> {
    super::entities::find::<Location>(&api, &caller, Right::Read, id).await?;
    let Room { location, placed } = room(&api, LocationId(id)).await?;
    let sight = sight(&api, &caller).await?;
    let mut standing = Vec::with_capacity(placed.len());
    for one in placed {
        let seen = sight.sees(one.device);
        let subject = match seen {
            true => api.app.fleet.subject(one.device).await.map_err(Problem::internal)?,
            false => None,
        };
        let body = one.placement.body;
        let units = body.units();
        let drawn = Standing {
            id: seen.then_some(one.device.0),
            name: subject.map(|subject| subject.name().to_owned()),
            unit: body.unit,
            height_units: body.height_units,
            watts: body.watts,
            kilograms: body.kilograms,
        };
        standing.push((units, drawn));
    }
    let used = used(&location, &standing);
    let at = |unit: u32| {
        let mut here = standing
            .iter()
            .filter(|(units, _)| units.is_some_and(|(first, last)| (first..=last).contains(&unit)));
        Unit { unit, device: here.next().map(|(_, drawn)| drawn.clone()) }
    };
    let units = (1..=location.units().unwrap_or(0)).rev().map(at).collect();
    let elsewhere = standing.into_iter().filter(|(units, _)| units.is_none());
    let elsewhere = elsewhere.map(|(_, drawn)| drawn).collect();
    Ok(One(Elevation { location, units, elsewhere, used }))
}

fn used(location: &Location, standing: &[(Option<(u32, u32)>, Standing)]) -> Used {
    let units =
        standing.iter().filter_map(|(units, _)| *units).map(|(from, to)| to - from + 1).sum();
    let watts = standing.iter().filter_map(|(_, one)| one.watts).sum();
    let kilograms = standing.iter().filter_map(|(_, one)| one.kilograms).sum();
    let left =
        |capacity: Option<f64>, used: f64| capacity.map(|capacity| (capacity - used).max(0.0));
    Used {
        units,
        watts,
        kilograms,
        units_free: location.units().map(|all| all.saturating_sub(units)),
        watts_free: left(location.watts(), watts),
        kilograms_free: left(location.kilograms(), kilograms),
        cooling_watts_free: left(location.cooling_watts(), watts),
    }
}
