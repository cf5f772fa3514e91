//! One machine's state at a glance, in the flat dialect's words.
//!
//! The machine is the first real one that enrolled, or the one that `device` names. What is not
//! measured is null, never a made-up zero.

use super::devices::{find, sight};
use crate::access::{Caller, Right};
use crate::fleet::{Device, Subject};
use crate::http::Api;
use crate::http::auth::Reader;
use crate::http::error::{ErrorCode, Problem};
use crate::http::extract::{Path, Query};
use crate::http::reply::{Answer, Flat, Many, One, Resource};
use crate::http::time::rfc3339;
use crate::telemetry::LatestValue;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

const MIB: f64 = 1024.0 * 1024.0;

#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SystemMetrics {
    cpu_percent: Option<f64>,
    memory_percent: Option<f64>,
    disk_percent: Option<f64>,
    gpu_percent: Option<f64>,
    /// Degrees Celsius, of the hottest sensor.
    temperature: Option<f64>,
    timestamp: String,
    device_id: Uuid,
}

impl Resource for SystemMetrics {
    const FLAT: Flat = Flat::fields();
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Snapshot {
    timestamp: String,
    metrics: SystemMetrics,
    processes: Vec<RunningProcess>,
}

impl Resource for Snapshot {
    const FLAT: Flat = Flat::named("snapshot", "snapshots");
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunningProcess {
    pid: u32,
    name: String,
    cpu_percent: f32,
    memory_mb: f64,
}

impl Resource for RunningProcess {
    const FLAT: Flat = Flat::named("process", "processes");
}

#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct WhichDevice {
    /// Another machine than the first real one.
    device: Option<Uuid>,
}

pub(crate) async fn metrics(
    State(api): State<Api>,
    Reader(caller): Reader,
    Query(which): Query<WhichDevice>,
) -> Answer<One<SystemMetrics>> {
    let device = which.find_for(&api, &caller, Right::Read).await?;
    Ok(One(measure(&api, &device)))
}

pub(crate) async fn snapshot(
    State(api): State<Api>,
    Reader(caller): Reader,
    Query(which): Query<WhichDevice>,
) -> Answer<One<Snapshot>> {
    let device = which.find_for(&api, &caller, Right::Read).await?;
    let metrics = measure(&api, &device);
    let processes = running(&api, &device);
    Ok(One(Snapshot { timestamp: metrics.timestamp.clone(), metrics, processes }))
}

/// As its agent told them last; none where it has not connected since the server started.
pub(crate) async fn processes(
    State(api): State<Api>,
    Reader(caller): Reader,
    Path(id): Path<Uuid>,
) -> Answer<Many<RunningProcess>> {
    Ok(Many::whole(match find(&api, &caller, Right::Read, id).await? {
        Subject::Machine(device) => running(&api, &device),
        Subject::Equipment { .. } => Vec::new(),
    }))
}

fn running(api: &Api, device: &Device) -> Vec<RunningProcess> {
    let processes = api.app.fleet.inventory(device.id).processes.into_iter();
    let running = processes.map(|process| RunningProcess {
        pid: process.pid,
        name: process.name,
        cpu_percent: process.cpu_percent,
        memory_mb: process.memory_bytes as f64 / MIB,
    });
    running.collect()
}

impl WhichDevice {
    /// The machine, where the caller has that right over it.
    pub(super) async fn find_for(
        &self,
        api: &Api,
        caller: &Caller,
        right: Right,
    ) -> Result<Device, Problem> {
        let device = self.find(api, caller).await?;
        find(api, caller, right, device.id.0).await?;
        Ok(device)
    }

    async fn find(&self, api: &Api, caller: &Caller) -> Result<Device, Problem> {
        if let Some(id) = self.device {
            return Ok(find(api, caller, Right::Read, id).await?.machine().clone());
        }
        let sight = sight(api, caller).await?;
        let device = api.app.fleet.default_device(&sight).await.map_err(Problem::internal)?;
        device.ok_or_else(|| Problem::new(ErrorCode::NotFound, "no machine has enrolled yet"))
    }
}

fn measure(api: &Api, device: &Device) -> SystemMetrics {
    let latest = api.app.telemetry.latest(device.id);
    let at_ms = latest.iter().map(|value| value.at_ms).max();
    SystemMetrics {
        cpu_percent: total(&latest, "system.cpu.utilization"),
        memory_percent: total(&latest, "system.memory.utilization"),
        disk_percent: root_filesystem(&latest),
        gpu_percent: hottest(&latest, "hw.gpu.utilization").map(|ratio| ratio * 100.0),
        temperature: hottest(&latest, "hw.temperature"),
        timestamp: rfc3339(at_ms.unwrap_or_else(|| api.app.clock.now_ms())),
        device_id: device.id.0,
    }
}

fn values<'a>(
    latest: &'a [LatestValue],
    metric: &'a str,
) -> impl Iterator<Item = (&'a LatestValue, f64)> {
    latest
        .iter()
        .filter(move |value| value.series.metric == metric)
        .filter_map(|value| value.value.ok().map(|number| (value, number)))
}

/// The ratio of the series without attributes, in percent.
fn total(latest: &[LatestValue], metric: &str) -> Option<f64> {
    values(latest, metric)
        .find(|(value, _)| value.series.attributes.is_empty())
        .map(|(_, ratio)| ratio * 100.0)
}

fn root_filesystem(latest: &[LatestValue]) -> Option<f64> {
    let is_root = |value: &LatestValue| {
        value
            .series
            .attributes
            .iter()
            .any(|(key, place)| key == "system.filesystem.mountpoint" && place == "/")
    };
    let metric = "system.filesystem.utilization";
    values(latest, metric)
        .find(|(value, _)| is_root(value))
        .or_else(|| values(latest, metric).next())
        .map(|(_, ratio)| ratio * 100.0)
}

fn hottest(latest: &[LatestValue], metric: &str) -> Option<f64> {
    values(latest, metric).map(|(_, number)| number).max_by(f64::total_cmp)
}
