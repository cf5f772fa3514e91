//! What an operator asks of a machine: a cap on its power, a floor for its fans. The machine's
//! own engine decides; its refusal is the answer here.

use super::operations::Operation;
use crate::access::Caller;
use crate::fleet::DeviceId;
use crate::http::Api;
use crate::http::auth::Actor;
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::extract::{Body, Path, RequestId};
use crate::http::reply::{Accepted, Answer};
use crate::http::time::rfc3339_option;
use crate::operations::{Action, Refusal, RefusalKind, Submission, SubmitError, Verdict};
use axum::extract::State;
use flyball_units::{Ratio, Watts};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A cap that no machine has is a slip of the keyboard.
const MAX_WATTS: f64 = 1_000_000.0;
const MAX_NAME: usize = 256;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PowerRequest {
    /// Watts to hold the power under; null gives the cap back to the engine.
    #[serde(default, deserialize_with = "present")]
    #[schema(required = true, nullable = true, value_type = Option<f64>)]
    cap_watts: Option<Option<f64>>,
    /// All caps of the machine where absent.
    actuator: Option<String>,
    /// Seconds that the command stays good while the machine is away.
    ttl_seconds: Option<u64>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ThermalRequest {
    /// A duty of 0 to 1 that no fan turns below; null gives the fans back to the engine.
    #[serde(default, deserialize_with = "present")]
    #[schema(required = true, nullable = true, value_type = Option<f64>)]
    fan_floor: Option<Option<f64>>,
    /// All fans of the machine where absent.
    actuator: Option<String>,
    /// Seconds that the command stays good while the machine is away.
    ttl_seconds: Option<u64>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TripClearRequest {
    /// The limit that tripped, by its name in `limits`.
    limit: String,
    /// Why it may run again, for the guard's journal and the audit log.
    reason: String,
    /// Seconds that the command stays good while the machine is away.
    ttl_seconds: Option<u64>,
}

/// Tells a field that is null from one that is not there.
fn present<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<f64>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

pub(crate) async fn power(
    State(api): State<Api>,
    Actor(caller): Actor,
    Path(id): Path<Uuid>,
    request_id: Option<RequestId>,
    Body(request): Body<PowerRequest>,
) -> Answer<Accepted<Operation>> {
    let actuator = actuator(request.actuator)?;
    let action = match value("cap_watts", request.cap_watts, MAX_WATTS)? {
        Some(watts) => Action::SetPowerCap { actuator, watts: Watts(watts) },
        None => Action::ClearPowerCap { actuator },
    };
    submit(&api, caller, id, request_id, action, request.ttl_seconds).await
}

pub(crate) async fn thermal(
    State(api): State<Api>,
    Actor(caller): Actor,
    Path(id): Path<Uuid>,
    request_id: Option<RequestId>,
    Body(request): Body<ThermalRequest>,
) -> Answer<Accepted<Operation>> {
    let actuator = actuator(request.actuator)?;
    let action = match value("fan_floor", request.fan_floor, 1.0)? {
        Some(floor) => Action::SetFanFloor { actuator, floor: Ratio(floor) },
        None => Action::ClearFanFloor { actuator },
    };
    submit(&api, caller, id, request_id, action, request.ttl_seconds).await
}

pub(crate) async fn clear_trip(
    State(api): State<Api>,
    Actor(caller): Actor,
    Path(id): Path<Uuid>,
    request_id: Option<RequestId>,
    Body(request): Body<TripClearRequest>,
) -> Answer<Accepted<Operation>> {
    let faults: Vec<FieldError> = [("limit", &request.limit), ("reason", &request.reason)]
        .into_iter()
        .filter(|(_, text)| text.trim().is_empty() || text.len() > MAX_NAME)
        .map(|(name, _)| FieldError::body(name, "out_of_range", "has 1 to 256 characters"))
        .collect();
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    let action = Action::ClearTrip { limit: request.limit, reason: request.reason };
    submit(&api, caller, id, request_id, action, request.ttl_seconds).await
}

fn actuator(name: Option<String>) -> Result<Option<String>, Problem> {
    match name {
        Some(name) if name.is_empty() || name.len() > MAX_NAME => {
            let fault = FieldError::body("actuator", "out_of_range", "has 1 to 256 characters");
            Err(Problem::invalid(vec![fault]))
        }
        name => Ok(name),
    }
}

fn value(name: &str, given: Option<Option<f64>>, max: f64) -> Result<Option<f64>, Problem> {
    let Some(given) = given else {
        let message = format!("{name} is required; null clears it");
        return Err(Problem::new(ErrorCode::MissingField, message).field(FieldError::body(
            name,
            "missing_field",
            "is required; null clears it",
        )));
    };
    match given {
        Some(value) if !(0.0..=max).contains(&value) => {
            let message = format!("has to be 0 to {max}");
            Err(Problem::invalid(vec![FieldError::body(name, "out_of_range", message)]))
        }
        given => Ok(given),
    }
}

async fn submit(
    api: &Api,
    caller: Caller,
    device: Uuid,
    request_id: Option<RequestId>,
    action: Action,
    ttl_s: Option<u64>,
) -> Answer<Accepted<Operation>> {
    let submission = Submission {
        device: DeviceId(device),
        action,
        issuer: caller.email,
        request_id: request_id.map(|id| id.0),
        ttl_ms: ttl_s.map(|seconds| seconds.saturating_mul(1_000)),
    };
    let asked = api.app.operations.submit(submission).await.map_err(problem)?;
    let location = format!("/api/v1/operations/{}", asked.id);
    match &asked.verdict {
        Some(Verdict::Refused(refusal)) => Err(refused(refusal, &location)),
        Some(Verdict::Accepted | Verdict::Clamped(_) | Verdict::Armed(_)) | None => {
            Ok(Accepted { item: asked.into(), location })
        }
    }
}

/// The machine's refusal as a problem that says what stands against it.
fn refused(refusal: &Refusal, location: &str) -> Problem {
    let code = match refusal.kind {
        RefusalKind::Interlock | RefusalKind::Locked => ErrorCode::InterlockActive,
        RefusalKind::Invalid => {
            return Problem::invalid(vec![FieldError::body(
                "actuator",
                "refused_by_machine",
                refusal.reason.clone(),
            )])
            .detail("operation", location);
        }
        RefusalKind::Busy => ErrorCode::Unavailable,
        RefusalKind::WrongState | RefusalKind::NotArmed => ErrorCode::Conflict,
        RefusalKind::Unauthorised | RefusalKind::Expired | RefusalKind::Replayed => {
            ErrorCode::OperationRefused
        }
    };
    let mut problem = Problem::new(code, refusal.reason.clone()).detail("operation", location);
    if code == ErrorCode::InterlockActive {
        problem = problem
            .detail("interlock", refusal.interlock.clone())
            .detail("reading", refusal.reading)
            .detail("limit", refusal.limit)
            .detail("unit", refusal.unit.map(flyball_units::Unit::ucum))
            .detail("since", rfc3339_option(refusal.since_ms))
            .detail("clears_when", refusal.clears_when.clone())
            .detail("override_role", serde_json::Value::Null);
    }
    problem
}

fn problem(error: SubmitError) -> Problem {
    match &error {
        SubmitError::UnknownDevice(id) => Problem::not_found("device", id),
        SubmitError::TooManyOpen(_) => Problem::new(ErrorCode::Conflict, error.to_string()),
        SubmitError::Ttl(_) => Problem::invalid(vec![FieldError::body(
            "ttl_seconds",
            "out_of_range",
            error.to_string(),
        )]),
        SubmitError::Sign(_) | SubmitError::Store(_) => Problem::internal(error),
    }
}
