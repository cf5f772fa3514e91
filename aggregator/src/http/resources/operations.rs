//! Operations: what was asked of machines and how it ended.

use crate::fleet::DeviceId;
use crate::http::Api;
use crate::http::auth::Reader;
use crate::http::error::Problem;
use crate::http::extract::{Path, Query};
use crate::http::paging::PageQuery;
use crate::http::reply::{Answer, Flat, Many, One, Resource};
use crate::http::time::{rfc3339, rfc3339_option};
use crate::operations::{
    Action, Operation as Asked, OperationId, OperationQuery, OperationState, Verdict,
};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Operation {
    id: Uuid,
    /// Such as `power.cap.set`.
    kind: &'static str,
    /// `queued`, `running`, `succeeded`, `failed`, `refused` or `expired`.
    state: &'static str,
    percent_complete: u8,
    current_step: &'static str,
    items_processed: u32,
    items_total: u32,
    errors: Vec<OperationError>,
    warnings: Vec<String>,
    created_at: String,
    started_at: Option<String>,
    estimated_completion_at: Option<String>,
    finished_at: Option<String>,
    /// When it is given up where nobody answers.
    not_after: String,
    result: Option<OperationResult>,
    target: OperationTarget,
    requested_by: String,
    request_id: Option<String>,
    reversible: bool,
    rollback_of: Option<Uuid>,
}

#[derive(Debug, Serialize, ToSchema)]
struct OperationError {
    code: &'static str,
    message: String,
    #[schema(value_type = Object)]
    details: Value,
}

/// What the engine made of it, and what the actuator said when it was read back.
#[derive(Debug, Serialize, ToSchema)]
struct OperationResult {
    /// Where it was taken only as far as a limit goes.
    clamped_to: Option<f64>,
    asked: Option<f64>,
    /// UCUM code.
    unit: Option<&'static str>,
    /// The limit that holds it there.
    by: Option<String>,
    observed: Option<f64>,
    verified: Option<bool>,
}

#[derive(Debug, Serialize, ToSchema)]
struct OperationTarget {
    device_id: Uuid,
    actuator: Option<String>,
    /// What was asked for; null where it was to be cleared.
    value: Option<f64>,
    unit: Option<&'static str>,
}

impl Resource for Operation {
    const FLAT: Flat = Flat::named("operation", "operations");
}

impl From<Asked> for Operation {
    fn from(asked: Asked) -> Self {
        let (percent_complete, current_step) = match asked.state {
            OperationState::Queued => (0, "waiting for the machine"),
            OperationState::Running if asked.verdict.is_some() => (75, "waiting for the read-back"),
            OperationState::Running => (25, "waiting for the verdict"),
            OperationState::Armed => (50, "waiting to be confirmed"),
            OperationState::Succeeded => (100, "done"),
            OperationState::Failed => (100, "the read-back did not agree"),
            OperationState::Refused => (100, "refused"),
            OperationState::Expired => (100, "expired"),
        };
        Self {
            id: asked.id.0,
            kind: asked.action.kind(),
            state: asked.state.name(),
            percent_complete,
            current_step,
            items_processed: u32::from(asked.state.is_final()),
            items_total: 1,
            errors: errors(&asked),
            warnings: warnings(&asked),
            created_at: rfc3339(asked.created_at_ms),
            started_at: rfc3339_option(asked.started_at_ms),
            estimated_completion_at: None,
            finished_at: rfc3339_option(asked.finished_at_ms),
            not_after: rfc3339(asked.not_after_ms),
            result: result(&asked),
            target: target(asked.device, &asked.action),
            requested_by: asked.requested_by,
            request_id: asked.request_id,
            reversible: !matches!(asked.action, Action::ClearTrip { .. }),
            rollback_of: None,
        }
    }
}

fn errors(asked: &Asked) -> Vec<OperationError> {
    let error = match (&asked.verdict, asked.state) {
        (Some(Verdict::Refused(refusal)), _) => OperationError {
            code: "refused",
            message: refusal.reason.clone(),
            details: json!({
                "interlock": refusal.interlock,
                "reading": refusal.reading,
                "limit": refusal.limit,
                "unit": refusal.unit.map(flyball_units::Unit::ucum),
                "since": rfc3339_option(refusal.since_ms),
                "clears_when": refusal.clears_when,
            }),
        },
        (_, OperationState::Failed) => OperationError {
            code: "not_verified",
            message: "the actuator's read-back did not agree in time".into(),
            details: json!({}),
        },
        (_, OperationState::Expired) => OperationError {
            code: "expired",
            message: "the machine did not answer before the command ran out".into(),
            details: json!({}),
        },
        _ => return Vec::new(),
    };
    vec![error]
}

fn warnings(asked: &Asked) -> Vec<String> {
    match &asked.verdict {
        Some(Verdict::Clamped(clamp)) => {
            vec![format!(
                "taken only as far as {} {}, by {}",
                clamp.to,
                clamp.unit.ucum(),
                clamp.by
            )]
        }
        _ => Vec::new(),
    }
}

fn result(asked: &Asked) -> Option<OperationResult> {
    let clamp = match asked.verdict.as_ref()? {
        Verdict::Clamped(clamp) => Some(clamp),
        Verdict::Accepted | Verdict::Armed(_) => None,
        Verdict::Refused(_) => return None,
    };
    let outcome = asked.outcome.as_ref();
    let own_unit = target(asked.device, &asked.action).unit;
    Some(OperationResult {
        clamped_to: clamp.map(|clamp| clamp.to),
        asked: clamp.map(|clamp| clamp.asked),
        unit: clamp.map(|clamp| clamp.unit.ucum()).or(own_unit),
        by: clamp.map(|clamp| clamp.by.clone()),
        observed: outcome.and_then(|outcome| outcome.observed),
        verified: outcome.map(|outcome| outcome.verified),
    })
}

fn target(device: DeviceId, action: &Action) -> OperationTarget {
    let (actuator, value, unit) = match action {
        Action::SetPowerCap { actuator, watts } => (actuator.clone(), Some(watts.0), Some("W")),
        Action::ClearPowerCap { actuator } => (actuator.clone(), None, Some("W")),
        Action::SetFanFloor { actuator, floor } => (actuator.clone(), Some(floor.0), Some("1")),
        Action::ClearFanFloor { actuator } => (actuator.clone(), None, Some("1")),
        Action::ClearTrip { limit, .. } => (Some(limit.clone()), None, None),
        Action::SetFrequencyCap { actuator, hertz } => {
            (actuator.clone(), Some(hertz.0), Some("Hz"))
        }
        Action::ClearFrequencyCap { actuator } => (actuator.clone(), None, Some("Hz")),
        Action::Reset { switch, .. }
        | Action::SetIndicator { switch, .. }
        | Action::SetBootOnce { switch, .. } => (Some(switch.clone()), None, None),
        Action::SetProfile { actuator, .. } => (Some(actuator.clone()), None, None),
        Action::SetService { service, .. } => (Some(service.clone()), None, None),
        Action::SetLock(lock) => (lock.target.clone(), None, None),
        Action::ReleaseLock { lock, .. } => (Some(lock.clone()), None, None),
        Action::Confirm { .. } | Action::SetFleetLimits { .. } => (None, None, None),
    };
    OperationTarget { device_id: device.0, actuator, value, unit }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct DeviceFilter {
    /// Only those of this device.
    device: Option<Uuid>,
}

pub(crate) async fn list(
    State(api): State<Api>,
    Reader(_): Reader,
    Query(page): Query<PageQuery>,
    Query(filter): Query<DeviceFilter>,
) -> Answer<Many<Operation>> {
    let page = page.request()?;
    let query = OperationQuery { device: filter.device.map(DeviceId), page };
    let found = api.app.operations.list(query).await.map_err(Problem::internal)?;
    let items = found.items.into_iter().map(Operation::from).collect();
    Ok(Many::page(items, page.page, page.per_page, found.total))
}

pub(crate) async fn detail(
    State(api): State<Api>,
    Reader(_): Reader,
    Path(id): Path<Uuid>,
) -> Answer<One<Operation>> {
    let found = api.app.operations.operation(OperationId(id)).await.map_err(Problem::internal)?;
    found.map(|asked| One(asked.into())).ok_or_else(|| Problem::not_found("operation", id))
}
