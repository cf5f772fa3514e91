//! `actions:validate`: what the aggregator and the machine's own engine would say to a command.
//! Nothing is signed, stored or moved.

use super::answer::{problem, refusal_code, refusal_details};
use super::levels::{FrequencyRequest, ProfileRequest};
use super::locks::{LockRequest, Release};
use super::power::PowerRequest;
use super::self_test::SelfTestRequest;
use super::switches::{BootOnceRequest, IndicatorRequest, ServiceRequest};
use super::thermal::ThermalRequest;
use super::trips::TripClearRequest;
use super::{Aim, Request};
use crate::fleet::SendError;
use crate::http::Api;
use crate::http::auth::Actor;
use crate::http::error::Problem;
use crate::http::extract::{Body, Path};
use crate::http::reply::{Answer, Flat, One, Resource};
use crate::http::resources::fleet_limits::FleetLimitsRequest;
use crate::http::resources::operations::words;
use crate::operations::{Action, Verdict, check_ttl};
use axum::extract::State;
use flyball_protocol::command::PowerState;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// The body of the command, with the last word of its address as `action`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub(crate) enum ActionRequest {
    Power(PowerRequest),
    Thermal(ThermalRequest),
    Frequency(FrequencyRequest),
    Profile(ProfileRequest),
    Indicator(IndicatorRequest),
    BootOnce(BootOnceRequest),
    Services(ServiceRequest),
    Locks(LockRequest),
    Release(Release),
    Clear(TripClearRequest),
    FleetLimits(FleetLimitsRequest),
    SelfTest(SelfTestRequest),
}

impl ActionRequest {
    fn ttl_seconds(&self) -> Option<u64> {
        match self {
            Self::Power(request) => request.ttl_seconds(),
            Self::Thermal(request) => request.ttl_seconds(),
            Self::Frequency(request) => request.ttl_seconds(),
            Self::Profile(request) => request.ttl_seconds(),
            Self::Indicator(request) => request.ttl_seconds(),
            Self::BootOnce(request) => request.ttl_seconds(),
            Self::Services(request) => request.ttl_seconds(),
            Self::Locks(request) => request.ttl_seconds(),
            Self::Release(request) => request.ttl_seconds(),
            Self::Clear(request) => request.ttl_seconds(),
            Self::FleetLimits(request) => request.ttl_seconds(),
            Self::SelfTest(request) => request.ttl_seconds(),
        }
    }

    fn action(self, aim: &Aim) -> Result<Action, Problem> {
        match self {
            Self::Power(request) => request.action(aim),
            Self::Thermal(request) => request.action(aim),
            Self::Frequency(request) => request.action(aim),
            Self::Profile(request) => request.action(aim),
            Self::Indicator(request) => request.action(aim),
            Self::BootOnce(request) => request.action(aim),
            Self::Services(request) => request.action(aim),
            Self::Locks(request) => request.action(aim),
            Self::Release(request) => request.action(aim),
            Self::Clear(request) => request.action(aim),
            Self::FleetLimits(request) => request.action(aim),
            Self::SelfTest(request) => request.action(aim),
        }
    }
}

#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct ActionValidation {
    /// `accepted`, `clamped`, `refused`, `confirmation_required` or `unknown`.
    verdict: &'static str,
    /// Who says so: `machine` or `aggregator`.
    by: &'static str,
    /// Such as `power.reset`.
    kind: &'static str,
    /// Why it is refused or not known, as a sentence.
    reason: Option<String>,
    /// Of a refusal: its slug among the errors.
    code: Option<&'static str>,
    /// Of a refusal: what stands against it.
    #[schema(value_type = Option<Object>)]
    details: Option<Value>,
    clamped_to: Option<f64>,
    unit: Option<&'static str>,
    /// The limit that clamps.
    clamped_by: Option<String>,
    /// What would have to be confirmed.
    target: Option<String>,
    state: Option<&'static str>,
    consequence: Option<String>,
}

impl Resource for ActionValidation {
    const FLAT: Flat = Flat::named("validation", "validations");
}

pub(crate) async fn validate(
    State(api): State<Api>,
    Actor(caller): Actor,
    Path(id): Path<Uuid>,
    Body(request): Body<ActionRequest>,
) -> Answer<One<ActionValidation>> {
    let aim = Aim::at(&api, id, &caller).await?;
    let ttl_ms = request.ttl_seconds().map(|seconds| seconds.saturating_mul(1_000));
    check_ttl(ttl_ms).map_err(problem)?;
    let action = request.action(&aim)?;
    let kind = action.kind();
    let operations = &api.app.operations;
    let machine = aim.subject.machine();
    if let Err(objection) = operations.judge(machine, aim.equipment(), &action) {
        let said = super::objected(&objection);
        return Ok(One(ActionValidation {
            verdict: "refused",
            by: "aggregator",
            kind,
            reason: Some(objection.to_string()),
            code: Some(said.code.entry().slug),
            details: Some(serde_json::json!({ "rule": objection.rule() })),
            ..ActionValidation::default()
        }));
    }
    let unknown = |reason: &str| ActionValidation {
        verdict: "unknown",
        by: "aggregator",
        kind,
        reason: Some(reason.to_owned()),
        ..ActionValidation::default()
    };
    Ok(One(match operations.ask(machine.id, action).await {
        Ok(Some(verdict)) => said(kind, verdict),
        Ok(None) => unknown("the machine did not answer in time"),
        Err(SendError::Offline(_)) => unknown("the machine is away: unknown until it connects"),
        Err(error @ (SendError::Busy(_) | SendError::NoPlugin(_))) => unknown(&error.to_string()),
    }))
}

/// The engine's own verdict.
fn said(kind: &'static str, verdict: Verdict) -> ActionValidation {
    let said = ActionValidation { by: "machine", kind, ..ActionValidation::default() };
    match verdict {
        Verdict::Accepted => ActionValidation { verdict: "accepted", ..said },
        Verdict::Clamped(clamp) => ActionValidation {
            verdict: "clamped",
            reason: Some(format!("only as far as {}", words::amount(clamp.to, clamp.unit))),
            clamped_to: Some(clamp.to),
            unit: Some(clamp.unit.ucum()),
            clamped_by: Some(clamp.by),
            ..said
        },
        Verdict::Refused(refusal) => ActionValidation {
            verdict: "refused",
            code: Some(refusal_code(refusal.kind)),
            details: Some(refusal_details(&refusal)),
            reason: Some(refusal.reason),
            ..said
        },
        Verdict::Armed(arming) => ActionValidation {
            verdict: "confirmation_required",
            target: Some(arming.target),
            state: arming.state.map(PowerState::name),
            consequence: Some(arming.consequence),
            ..said
        },
    }
}
