//! Managed machines.

mod beside;
pub(crate) mod change;

use super::commands::self_test::state;
use super::placements::DeviceLocationRequest;
use crate::access::{Caller, Right, Scope};
use crate::fleet::{
    Belonging, Device as Managed, DeviceId, Equipment as Attached, EquipmentState, Subject,
    SubjectQuery,
};
use crate::http::Api;
use crate::http::auth::Reader;
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::extract::{Path, Query};
use crate::http::listing::{Asked, Listable};
use crate::http::paging::PageQuery;
use crate::http::reply::{Answer, Flat, Listed, Many, Resource, Schemas, Tagged};
use crate::http::time::{rfc3339, rfc3339_option};
use crate::listing::{Field, Form, Kind, List};
use crate::telemetry::{Reader as ReadBy, SeriesInfo};
use crate::tenancy::{Placed, Sight};
use axum::extract::State;
use flyball_protocol::command::{PowerState, ResetType};
use flyball_protocol::guard::{Actuator as Drive, ActuatorKind, ClaimSnapshot};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Device {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    /// `real` or `simulated` for a machine; `bmc`, `pdu`, `ups`, `cooling`, `sensor` or `gpu` for
    /// equipment that a machine manages.
    pub(crate) kind: &'static str,
    /// `online` or `offline`.
    pub(crate) status: &'static str,
    /// Of equipment: the machine whose guard reads and drives it.
    pub(crate) gateway: Option<Uuid>,
    pub(crate) last_seen_at: Option<String>,
    /// Of equipment: when its gateway named it first.
    pub(crate) enrolled_at: String,
    pub(crate) revoked_at: Option<String>,
    /// Since when it is shut out because its identity was seen in two places; of equipment: its
    /// gateway. `release` lets it in again.
    pub(crate) quarantined_at: Option<String>,
    /// Null for equipment.
    pub(crate) machine: Option<Machine>,
    /// Null for a machine.
    pub(crate) equipment: Option<Equipment>,
    /// Of equipment: its gateway's.
    pub(crate) guard: Guard,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Machine {
    hostname: String,
    os: String,
    kernel: String,
    arch: String,
    vendor: Option<String>,
    product: Option<String>,
    serial: Option<String>,
    cpus: u32,
    memory_bytes: u64,
    agent_version: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Equipment {
    /// Its name in the guard's file: its sensors and actuators begin with it.
    key: String,
    /// `redfish`, `ipmi`, `nut`, `snmp` …
    driver: String,
    vendor: Option<String>,
    model: Option<String>,
    serial: Option<String>,
    firmware: Option<String>,
    /// Where its gateway reaches it.
    address: String,
    /// `connecting`, `connected`, `unreachable` or `removed`.
    state: &'static str,
    /// Of an unreachable one: since when, and why.
    since: Option<String>,
    reason: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Guard {
    attached: bool,
}

impl Resource for Device {
    const FLAT: Flat = Flat::named("device", "devices");
}

/// A machine's kinds, and those of equipment.
const KINDS: [&str; 8] = ["real", "simulated", "bmc", "pdu", "ups", "cooling", "sensor", "gpu"];

impl Listable for Device {
    const LIST: List = List {
        fields: &[
            Field::new("name", Kind::Text).searched(),
            Field::new("kind", Kind::OneOf(&KINDS)).bare(),
            Field::new("status", Kind::OneOf(&["online", "offline"])),
            Field::new("gateway", Kind::Id).bare(),
            Field::new("organization", Kind::Id),
            Field::new("site", Kind::Id),
            Field::new("location", Kind::Id),
            Field::new("last_seen_at", Kind::Time),
            Field::new("enrolled_at", Kind::Time),
            Field::new("revoked_at", Kind::Time),
            Field::new("quarantined_at", Kind::Time),
            Field::new("created_at", Kind::Time),
            Field::new("updated_at", Kind::Time),
            Field::new("id", Kind::Id),
        ],
        form: Form::Pages,
        includes: &beside::KINDS,
        labelled: true,
    };

    fn included(schemas: &mut Schemas) -> Map<String, Value> {
        beside::schema(schemas)
    }
}

/// One device with what it measures and drives.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeviceDetail {
    #[serde(flatten)]
    device: Device,
    series: Vec<Series>,
    actuators: Vec<Actuator>,
    /// The guard evaluates and says what it would do, and drives nothing: nothing is protected.
    dry_run: bool,
    /// `never`, `running`, `passed`, `failed` or `overdue`; more at `self-test`.
    self_test: &'static str,
    /// Where it belongs and stands, and its labels.
    placement: DeviceLocationRequest,
}

impl Resource for DeviceDetail {
    const FLAT: Flat = Flat::named("device", "devices");
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Series {
    id: String,
    /// OpenTelemetry's name.
    metric: String,
    reading_type: &'static str,
    /// UCUM code.
    unit: &'static str,
    attributes: BTreeMap<String, String>,
    cadence_ms: u32,
    /// `guard` or `agent`.
    reader: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Actuator {
    id: String,
    /// `fan`, `power_cap`, `frequency_cap`, `switch`, `profile`, `indicator` or `service`.
    kind: &'static str,
    unit: &'static str,
    min: f64,
    max: f64,
    wanted: Option<f64>,
    observed: Option<f64>,
    /// Its read-back has not agreed within its time.
    stuck: bool,
    /// Of a switch: `On`, `Off`, `PoweringOn`, `PoweringOff` or `Paused`.
    state: Option<&'static str>,
    /// Of a switch: the reset types that may be asked of it.
    verbs: Vec<&'static str>,
    /// Of a profile: the word that stands, and those that it offers.
    profile: Option<String>,
    profiles: Vec<String>,
    /// What was asked of it and stands, the highest rank first: that one decides, under the limits.
    claims: Vec<Claim>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Claim {
    /// `local`, a person at the machine; `remote`, an operator; or `automation`.
    origin: &'static str,
    issuer: String,
    /// The floor or the cap; null for a switch or a setting.
    value: Option<f64>,
    /// Null: until it is withdrawn.
    until: Option<String>,
}

const fn status(online: bool) -> &'static str {
    if online { "online" } else { "offline" }
}

impl From<Subject> for Device {
    fn from(subject: Subject) -> Self {
        let online = subject.is_online();
        match subject {
            Subject::Machine(device) => Self::from(device),
            Subject::Equipment { equipment, gateway } => Self {
                id: equipment.id.0,
                name: equipment.reported.key.clone(),
                kind: equipment.reported.kind.name(),
                status: status(online),
                gateway: Some(gateway.id.0),
                last_seen_at: rfc3339_option(gateway.last_seen_at_ms),
                enrolled_at: rfc3339(equipment.created_at_ms),
                revoked_at: rfc3339_option(gateway.revoked_at_ms),
                quarantined_at: rfc3339_option(gateway.quarantined_at_ms),
                machine: None,
                guard: Guard { attached: gateway.online && gateway.guard_attached },
                created_at: rfc3339(equipment.created_at_ms),
                updated_at: rfc3339(equipment.updated_at_ms),
                equipment: Some(equipment.into()),
            },
        }
    }
}

impl From<Attached> for Equipment {
    fn from(equipment: Attached) -> Self {
        let one = equipment.reported;
        let (state, since_ms, reason) = match (equipment.removed_at_ms, one.state) {
            (Some(at_ms), _) => ("removed", Some(at_ms), None),
            (None, EquipmentState::Connecting) => ("connecting", None, None),
            (None, EquipmentState::Connected) => ("connected", None, None),
            (None, EquipmentState::Unreachable { since_ms, reason }) => {
                ("unreachable", Some(since_ms), Some(reason))
            }
        };
        Self {
            key: one.key,
            driver: one.driver,
            vendor: one.vendor,
            model: one.model,
            serial: one.serial,
            firmware: one.firmware,
            address: one.address,
            state,
            since: rfc3339_option(since_ms),
            reason,
        }
    }
}

impl From<Managed> for Device {
    fn from(device: Managed) -> Self {
        let machine = device.machine;
        Self {
            id: device.id.0,
            name: device.name,
            kind: device.kind.name(),
            status: status(device.online),
            gateway: None,
            equipment: None,
            last_seen_at: rfc3339_option(device.last_seen_at_ms),
            enrolled_at: rfc3339(device.enrolled_at_ms),
            revoked_at: rfc3339_option(device.revoked_at_ms),
            quarantined_at: rfc3339_option(device.quarantined_at_ms),
            machine: Some(Machine {
                hostname: machine.hostname,
                os: machine.os,
                kernel: machine.kernel,
                arch: machine.arch,
                vendor: machine.vendor,
                product: machine.product,
                serial: machine.serial,
                cpus: machine.cpus,
                memory_bytes: machine.memory_bytes,
                agent_version: machine.agent_version,
            }),
            guard: Guard { attached: device.online && device.guard_attached },
            created_at: rfc3339(device.created_at_ms),
            updated_at: rfc3339(device.updated_at_ms),
        }
    }
}

impl From<&SeriesInfo> for Series {
    fn from(series: &SeriesInfo) -> Self {
        Self {
            id: series.id.0.to_string(),
            metric: series.metric.clone(),
            reading_type: series.kind.name(),
            unit: series.unit.ucum(),
            attributes: series.attributes.iter().cloned().collect(),
            cadence_ms: series.cadence_ms,
            reader: match series.reader {
                ReadBy::Guard => "guard",
                ReadBy::Agent => "agent",
            },
        }
    }
}

impl From<Drive> for Actuator {
    fn from(drive: Drive) -> Self {
        Self {
            id: drive.id,
            kind: match drive.kind {
                ActuatorKind::Fan => "fan",
                ActuatorKind::PowerCap => "power_cap",
                ActuatorKind::FrequencyCap => "frequency_cap",
                ActuatorKind::Switch => "switch",
                ActuatorKind::Profile => "profile",
                ActuatorKind::Indicator => "indicator",
                ActuatorKind::Service => "service",
            },
            unit: drive.unit.ucum(),
            min: drive.min,
            max: drive.max,
            wanted: drive.wanted,
            observed: drive.observed,
            stuck: drive.stuck,
            state: drive.state.map(PowerState::name),
            verbs: drive.verbs.into_iter().map(ResetType::name).collect(),
            profile: drive.profile,
            profiles: drive.profiles,
            claims: drive.claims.into_iter().map(Claim::from).collect(),
        }
    }
}

impl From<ClaimSnapshot> for Claim {
    fn from(claim: ClaimSnapshot) -> Self {
        let ClaimSnapshot { origin, issuer, value, until_ms } = claim;
        Self { origin: origin.name(), issuer, value, until: rfc3339_option(until_ms) }
    }
}

/// Whose series and actuators a machine's answer has.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct Include {
    /// `equipment`: those of the machine's equipment too.
    include: Option<String>,
}

impl Include {
    pub(crate) fn of(include: Option<String>) -> Self {
        Self { include }
    }

    pub(crate) fn belonging(&self, subject: &Subject) -> Result<Belonging, Problem> {
        match self.include.as_deref() {
            None => Ok(subject.belonging()),
            Some("equipment") if subject.key().is_none() => Ok(Belonging::All),
            Some("equipment") => Ok(subject.belonging()),
            Some(_) => {
                let fault = FieldError::query("include", "invalid_value", "is `equipment`");
                Err(Problem::invalid(vec![fault]))
            }
        }
    }
}

pub(crate) async fn list(
    State(api): State<Api>,
    Reader(caller): Reader,
    Query(page): Query<PageQuery>,
    Asked(listing, ..): Asked<Device>,
) -> Answer<Listed<Device>> {
    let page = page.request()?;
    let mut sight = sight(&api, &caller).await?;
    if let Some(labels) = &listing.labels {
        let map = api.app.tenancy.map().await.map_err(Problem::internal)?;
        sight = sight.within(map.labelled(labels));
    }
    let query = SubjectQuery { gateway: None, listing, sight, page };
    let found = api.app.fleet.subjects(&query).await.map_err(Problem::internal)?;
    let ids: Vec<DeviceId> = found.items.iter().map(Subject::id).collect();
    let items = found.items.into_iter().map(Device::from).collect();
    let many = Many::page(items, page.page, page.per_page, found.total);
    let many = beside::include(&api, &caller, &query.listing, &ids, many).await?;
    Ok(many.asked(query.listing))
}

/// Its tag is that of what people say of it: its name, its place and its labels. What it does
/// meanwhile changes without one.
pub(crate) async fn detail(
    State(api): State<Api>,
    Reader(caller): Reader,
    Path(id): Path<Uuid>,
    Query(include): Query<Include>,
) -> Answer<Tagged<DeviceDetail>> {
    let subject = find(&api, &caller, Right::Read, id).await?;
    let belonging = include.belonging(&subject)?;
    let placed = api.app.store.placement(DeviceId(id)).await.map_err(Problem::internal)?;
    let version = change::version(&subject, placed.as_ref());
    let item = detail_of(&api, subject, placed, Some(belonging)).await?;
    Ok(Tagged { item, version, known: false })
}

/// `belonging`: whose series and actuators; its own where absent.
async fn detail_of(
    api: &Api,
    subject: Subject,
    placed: Option<Placed>,
    belonging: Option<Belonging>,
) -> Result<DeviceDetail, Problem> {
    let belonging = belonging.unwrap_or_else(|| subject.belonging());
    let machine = subject.machine().id;
    let mut series = api.app.fleet.series(machine).await.map_err(Problem::internal)?;
    series.retain(|series| belonging.holds(series));
    let mut board = api.app.fleet.inventory(machine).board;
    if belonging != Belonging::All {
        board = subject.share_of(board);
    }
    let placement = placed.map(|placed| placed.placement).unwrap_or_default();
    Ok(DeviceDetail {
        dry_run: board.dry_run,
        self_test: state(&board.self_test),
        device: subject.into(),
        series: series.iter().map(Series::from).collect(),
        actuators: board.actuators.into_iter().map(Actuator::from).collect(),
        placement: DeviceLocationRequest::of(placement),
    })
}

/// The machine or equipment of an id. One that the caller does not see is not there for it; one that
/// it only sees is refused.
pub(crate) async fn find(
    api: &Api,
    caller: &Caller,
    right: Right,
    id: Uuid,
) -> Result<Subject, Problem> {
    let not_found = || Problem::not_found("device", id);
    let scope = Scope::Device(DeviceId(id));
    let (grants, tenancy) = (&caller.grants, &api.app.tenancy);
    if !tenancy.may(grants, Right::Read, scope).await.map_err(Problem::internal)? {
        return Err(not_found());
    }
    let subject = api.app.fleet.subject(DeviceId(id)).await.map_err(Problem::internal)?;
    let subject = subject.ok_or_else(not_found)?;
    if right != Right::Read
        && !tenancy.may(grants, right, scope).await.map_err(Problem::internal)?
    {
        let message = format!("you may see this device, and not {} it", right.verb());
        return Err(Problem::new(ErrorCode::Forbidden, message).detail("right", right.name()));
    }
    Ok(subject)
}

/// The devices that the caller sees.
pub(crate) async fn sight(api: &Api, caller: &Caller) -> Result<Sight, Problem> {
    api.app.tenancy.sight(&caller.grants, Right::Read).await.map_err(Problem::internal)
}
