//! The fleet layer of a machine's limits: signed, sent whenever the machine comes without it, and
//! told what of it has no effect, because a layer can only tighten.

use super::commands::{Aim, Asking, Request, check_text, problem, refused, submission};
use super::devices::find;
use super::operations::Operation;
use crate::access::Right;
use crate::http::Api;
use crate::http::auth::{Actor, Reader};
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::extract::{Body, Path, RequestId, Terms};
use crate::http::precondition::{IfMatch, IfNoneMatch, failed};
use crate::http::reply::{Accepted, Answer, Flat, Resource, Tagged};
use crate::http::time::{rfc3339, rfc3339_option};
use crate::operations::fleet_limits::{Effect, FleetLimitsError, effects};
use crate::operations::{Action, FleetPolicy, Verdict};
use axum::extract::State;
use flyball_protocol::command::FleetLimit;
use flyball_protocol::guard::LimitSnapshot;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use utoipa::ToSchema;
use uuid::Uuid;

/// Limits of one policy; a signed command bounds it further.
const MAX_LIMITS: usize = 256;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FleetLimitsRequest {
    /// The whole layer: limits that are not named lose what the fleet asked of them.
    limits: Vec<FleetLimitRequest>,
    /// Seconds that the command stays good while the machine is away.
    ttl_seconds: Option<u64>,
}

/// In the unit of the limit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FleetLimitRequest {
    /// The limit's name in `limits`.
    name: String,
    warning: Option<f64>,
    limit: Option<f64>,
    trip: Option<f64>,
}

impl Request for FleetLimitsRequest {
    fn action(self, aim: &Aim) -> Result<Action, Problem> {
        if aim.equipment().is_some() {
            let message = "the layer is its gateway's as a whole; send it there";
            return Err(Problem::new(ErrorCode::Conflict, message)
                .detail("gateway", aim.subject.machine().id.to_string()));
        }
        let mut faults = Vec::new();
        if self.limits.len() > MAX_LIMITS {
            let message = format!("has at most {MAX_LIMITS} limits");
            faults.push(FieldError::body("limits", "out_of_range", message));
        }
        let mut names = HashSet::new();
        for (index, limit) in self.limits.iter().enumerate().take(MAX_LIMITS) {
            let field = format!("limits.{index}");
            check_text(&format!("{field}.name"), &limit.name)?;
            if !names.insert(limit.name.as_str()) {
                faults.push(FieldError::body(&field, "invalid_value", "names a limit twice"));
            }
            if limit.warning.is_none() && limit.limit.is_none() && limit.trip.is_none() {
                let message = "needs a warning, a limit or a trip";
                faults.push(FieldError::body(&field, "missing_field", message));
            }
        }
        if !faults.is_empty() {
            return Err(Problem::invalid(faults));
        }
        let limits = self.limits.into_iter().map(|asked| FleetLimit {
            limit: asked.name,
            warning: asked.warning,
            limit_at: asked.limit,
            trip: asked.trip,
        });
        Ok(Action::SetFleetLimits { limits: limits.collect() })
    }

    fn ttl_seconds(&self) -> Option<u64> {
        self.ttl_seconds
    }
}

/// What the fleet asks of a machine's limits, and what of it has an effect.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FleetLimits {
    /// Counts the changes; 0 where nothing was ever asked.
    version: u64,
    updated_by: Option<String>,
    updated_at: Option<String>,
    limits: Vec<FleetLimitState>,
    /// How many values change nothing.
    without_effect: usize,
    /// When the machine said how its limits stand; null where it has not, and nothing is known of
    /// the effect.
    reported_at: Option<String>,
    /// The command that carries it, where it was asked for now.
    operation: Option<Operation>,
}

#[derive(Debug, Serialize, ToSchema)]
struct FleetLimitState {
    name: String,
    unit: Option<&'static str>,
    values: Vec<FleetValue>,
}

#[derive(Debug, Serialize, ToSchema)]
struct FleetValue {
    /// `warning`, `limit` or `trip`.
    threshold: &'static str,
    asked: f64,
    effective: bool,
    /// The tightest of what the machine says by itself, and whose it is.
    own: Option<f64>,
    own_layer: Option<&'static str>,
    /// Why it changes nothing.
    reason: Option<String>,
}

impl Resource for FleetLimits {
    const FLAT: Flat = Flat::named("fleet_limits", "fleet_limits");
}

impl From<Effect> for FleetValue {
    fn from(effect: Effect) -> Self {
        Self {
            threshold: effect.threshold,
            asked: effect.asked,
            effective: effect.effective,
            own: effect.own,
            own_layer: effect.layer,
            reason: effect.reason,
        }
    }
}

fn states(asked: &[FleetLimit], limits: &[LimitSnapshot]) -> Vec<FleetLimitState> {
    let state = |asked: &FleetLimit| FleetLimitState {
        name: asked.limit.clone(),
        unit: limits.iter().find(|limit| limit.name == asked.limit).map(|limit| limit.unit.ucum()),
        values: effects(asked, limits).into_iter().map(FleetValue::from).collect(),
    };
    asked.iter().map(state).collect()
}

fn draw(
    policy: Option<FleetPolicy>,
    limits: &[LimitSnapshot],
    reported_at_ms: Option<u64>,
    operation: Option<Operation>,
) -> FleetLimits {
    let asked = policy.as_ref().map(|policy| policy.limits.as_slice()).unwrap_or_default();
    let limits = states(asked, limits);
    let values = limits.iter().flat_map(|limit| &limit.values);
    FleetLimits {
        without_effect: values.filter(|value| !value.effective).count(),
        version: policy.as_ref().map_or(0, |policy| policy.version),
        updated_at: policy.as_ref().map(|policy| rfc3339(policy.updated_at_ms)),
        updated_by: policy.map(|policy| policy.updated_by),
        limits,
        reported_at: rfc3339_option(reported_at_ms),
        operation,
    }
}

pub(crate) async fn detail(
    State(api): State<Api>,
    Reader(caller): Reader,
    Path(id): Path<Uuid>,
    known: IfNoneMatch,
) -> Answer<Tagged<FleetLimits>> {
    let subject = find(&api, &caller, Right::Read, id).await?;
    let machine = subject.machine().id;
    let policy = api.app.operations.fleet_limits(machine).await.map_err(Problem::internal)?;
    let inventory = api.app.fleet.inventory(machine);
    let item = draw(policy, &inventory.board.limits, inventory.at_ms, None);
    Ok(Tagged { version: item.version, known: known.knows(item.version), item })
}

pub(crate) async fn replace(
    State(api): State<Api>,
    Actor(caller): Actor,
    Path(id): Path<Uuid>,
    request_id: Option<RequestId>,
    terms: Terms,
    if_match: IfMatch,
    Body(request): Body<FleetLimitsRequest>,
) -> Answer<Accepted<FleetLimits>> {
    let aim = Aim::at(&api, id, &caller).await?;
    let expected = if_match.expected()?;
    let ttl_s = request.ttl_seconds();
    let action = request.action(&aim)?;
    let asking = Asking { caller: caller.clone(), request_id, terms };
    let submission = submission(asking, &aim, action, ttl_s, None);
    let set = api.app.operations.set_fleet_limits(submission, expected).await;
    let asked = set.map_err(|error| match error {
        FleetLimitsError::Changed { version } => {
            failed(error.to_string()).detail("etag", format!("\"{version}\""))
        }
        FleetLimitsError::Submit(error) => problem(error),
        FleetLimitsError::Store(error) => Problem::internal(error),
    })?;
    let location = format!("/api/v1/operations/{}", asked.id);
    if let Some(Verdict::Refused(refusal)) = &asked.verdict {
        return Err(refused(refusal, &location, Some(&aim)));
    }
    let machine = aim.subject.machine().id;
    let policy = api.app.operations.fleet_limits(machine).await.map_err(Problem::internal)?;
    let inventory = api.app.fleet.inventory(machine);
    let operation = Operation::shown(asked, &api, &caller);
    let item = draw(policy, &inventory.board.limits, inventory.at_ms, Some(operation));
    Ok(Accepted { item, location })
}
