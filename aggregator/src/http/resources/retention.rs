//! How long telemetry is kept, and removing a device's altogether.

use super::devices::find;
use crate::access::Right;
use crate::audit::{AuditEntry, Decision};
use crate::fleet::{DeviceId, Subject, SubjectQuery};
use crate::history::{HistoryError, Retention as Days};
use crate::http::Api;
use crate::http::auth::{Administrator, Manager, Reader};
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::extract::{Body, Path, RequestId};
use crate::http::reply::{Answer, Flat, One, Resource};
use crate::http::time::rfc3339;
use crate::listing::Listing;
use crate::live::Live;
use crate::page::PageRequest;
use crate::tenancy::Sight;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

/// Pieces of equipment behind one machine, by far.
const MAX_EQUIPMENT: u32 = 10_000;
/// Some centuries.
const MAX_DAYS: u64 = 100_000;

/// In days. Hours are kept at least as long as minutes, and these as samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Retention {
    #[schema(minimum = 1, maximum = 100_000)]
    samples_days: u64,
    /// Statistics by the minute.
    #[schema(minimum = 1, maximum = 100_000)]
    minutes_days: u64,
    /// Statistics by the hour.
    #[schema(minimum = 1, maximum = 100_000)]
    hours_days: u64,
}

impl Resource for Retention {
    const FLAT: Flat = Flat::named("retention", "retentions");
}

impl From<Days> for Retention {
    fn from(days: Days) -> Self {
        let Days { samples_days, minutes_days, hours_days } = days;
        Self { samples_days, minutes_days, hours_days }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Erasure {
    device_id: Uuid,
    erased_at: String,
}

impl Resource for Erasure {
    const FLAT: Flat = Flat::named("erasure", "erasures");
}

pub(crate) async fn detail(State(api): State<Api>, Reader(_): Reader) -> Answer<One<Retention>> {
    Ok(One(api.app.history.retention().await.map_err(Problem::internal)?.into()))
}

/// What is past the new retention goes with the next pass of the compactor, within a minute.
pub(crate) async fn replace(
    State(api): State<Api>,
    Administrator(caller): Administrator,
    request_id: Option<RequestId>,
    Body(asked): Body<Retention>,
) -> Answer<One<Retention>> {
    let Retention { samples_days, minutes_days, hours_days } = asked;
    for (field, days) in
        [("samples_days", samples_days), ("minutes_days", minutes_days), ("hours_days", hours_days)]
    {
        if !(1..=MAX_DAYS).contains(&days) {
            let message = format!("is 1 to {MAX_DAYS} days");
            return Err(Problem::invalid(vec![FieldError::body(field, "out_of_range", message)]));
        }
    }
    let days = Days { samples_days, minutes_days, hours_days };
    match api.app.history.set_retention(Some(days)).await {
        Ok(()) => {}
        Err(HistoryError::Settings(_)) => {
            let message = "hours are kept at least as long as minutes, and these as samples";
            return Err(Problem::invalid(vec![FieldError::body(
                "hours_days",
                "out_of_range",
                message,
            )]));
        }
        Err(error) => return Err(Problem::internal(error)),
    }
    let entry = AuditEntry {
        at_ms: api.app.clock.now_ms(),
        actor: caller.email,
        action: "telemetry.retention".into(),
        target: "telemetry".into(),
        decision: Decision::Allowed,
        details: json!(asked),
        request_id: request_id.map(|id| id.0),
        ..AuditEntry::default()
    };
    api.app.store.add_audit(&entry).await.map_err(Problem::internal)?;
    Ok(One(asked))
}

/// Removes everything that a machine has measured: blocks and gaps at once, segments and their
/// objects within a minute. What has been asked of the machine, and what it did, stays.
pub(crate) async fn erase(
    State(api): State<Api>,
    Manager(caller): Manager,
    Path(id): Path<Uuid>,
    request_id: Option<RequestId>,
) -> Answer<One<Erasure>> {
    let device = match find(&api, &caller, Right::Manage, id).await? {
        Subject::Machine(device) => device.id,
        Subject::Equipment { .. } => {
            let message = "equipment's telemetry is its gateway's; erase that";
            return Err(Problem::new(ErrorCode::Conflict, message));
        }
    };
    let request_id = request_id.map(|id| id.0);
    let erased = api.app.history.erase(device, &caller.email, request_id.as_deref()).await;
    if !erased.map_err(Problem::internal)? {
        return Err(Problem::not_found("device", id));
    }
    forget(&api, device).await?;
    Ok(One(Erasure { device_id: id, erased_at: rfc3339(api.app.clock.now_ms()) }))
}

/// Takes the newest values of the machine and its equipment back from whoever shows them.
async fn forget(api: &Api, machine: DeviceId) -> Result<(), Problem> {
    let page = PageRequest::first(MAX_EQUIPMENT);
    let query = SubjectQuery {
        gateway: Some(machine),
        listing: Listing::default(),
        sight: Sight::Everything,
        page,
    };
    let equipment = api.app.fleet.subjects(&query).await.map_err(Problem::internal)?;
    let equipment = equipment.items.iter().map(Subject::id);
    for device in std::iter::once(machine).chain(equipment) {
        let series = api.app.latest.forget(device);
        api.app.live.publish(Live::Erased { device, series });
    }
    Ok(())
}
