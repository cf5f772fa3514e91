//! Managed machines.

use crate::fleet::{Device as Managed, DeviceId};
use crate::http::Api;
use crate::http::auth::Reader;
use crate::http::error::Problem;
use crate::http::extract::{Path, Query};
use crate::http::paging::PageQuery;
use crate::http::reply::{Answer, Flat, Many, One, Resource};
use crate::http::time::{rfc3339, rfc3339_option};
use crate::telemetry::{Reader as ReadBy, SeriesInfo};
use axum::extract::State;
use flyball_protocol::guard::{Actuator as Drive, ActuatorKind};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Device {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    /// `real` or `simulated`.
    pub(crate) kind: &'static str,
    /// `online` or `offline`.
    pub(crate) status: &'static str,
    pub(crate) last_seen_at: Option<String>,
    pub(crate) enrolled_at: String,
    pub(crate) revoked_at: Option<String>,
    pub(crate) machine: Machine,
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
pub(crate) struct Guard {
    attached: bool,
}

impl Resource for Device {
    const FLAT: Flat = Flat::named("device", "devices");
}

/// One device with what it measures and drives.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeviceDetail {
    #[serde(flatten)]
    device: Device,
    series: Vec<Series>,
    actuators: Vec<Actuator>,
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
struct Actuator {
    id: String,
    /// `fan` or `power_cap`.
    kind: &'static str,
    unit: &'static str,
    min: f64,
    max: f64,
    wanted: Option<f64>,
    observed: Option<f64>,
}

impl From<Managed> for Device {
    fn from(device: Managed) -> Self {
        let machine = device.machine;
        Self {
            id: device.id.0,
            name: device.name,
            kind: device.kind.name(),
            status: if device.online { "online" } else { "offline" },
            last_seen_at: rfc3339_option(device.last_seen_at_ms),
            enrolled_at: rfc3339(device.enrolled_at_ms),
            revoked_at: rfc3339_option(device.revoked_at_ms),
            machine: Machine {
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
            },
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
        }
    }
}

pub(crate) async fn list(
    State(api): State<Api>,
    Reader(_): Reader,
    Query(page): Query<PageQuery>,
) -> Answer<Many<Device>> {
    let page = page.request()?;
    let devices = api.app.fleet.list(page).await.map_err(Problem::internal)?;
    let items = devices.items.into_iter().map(Device::from).collect();
    Ok(Many::page(items, page.page, page.per_page, devices.total))
}

pub(crate) async fn detail(
    State(api): State<Api>,
    Reader(_): Reader,
    Path(id): Path<Uuid>,
) -> Answer<One<DeviceDetail>> {
    let device = find(&api, id).await?;
    let series = api.app.fleet.series(device.id).await.map_err(Problem::internal)?;
    let inventory = api.app.fleet.inventory(device.id);
    Ok(One(DeviceDetail {
        device: device.into(),
        series: series.iter().map(Series::from).collect(),
        actuators: inventory.board.actuators.into_iter().map(Actuator::from).collect(),
    }))
}

/// The device of an id, or the problem that says there is none.
pub(crate) async fn find(api: &Api, id: Uuid) -> Result<Managed, Problem> {
    let device = api.app.fleet.device(DeviceId(id)).await.map_err(Problem::internal)?;
    device.ok_or_else(|| Problem::not_found("device", id))
}
