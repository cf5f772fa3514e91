//! Operations: what was asked of machines and how it ended.

pub(crate) mod confirm;
pub(crate) mod words;

use super::commands::{refusal_code, refusal_details};
use crate::access::{Caller, Right};
use crate::fleet::DeviceId;
use crate::http::Api;
use crate::http::auth::Reader;
use crate::http::error::{ErrorCode, Problem};
use crate::http::extract::{Path, Query};
use crate::http::listing::{Asked, Listable};
use crate::http::paging::PageQuery;
use crate::http::reply::{Answer, Flat, Listed, Many, One, Resource};
use crate::http::resources::devices::{find, sight};
use crate::http::time::{rfc3339, rfc3339_option};
use crate::listing::{Field, Form, Kind, List, words};
use crate::operations::{
    Action, Arming, Operation as Kept, OperationId, OperationQuery, OperationState, Verdict,
};
use axum::extract::State;
use flyball_protocol::command::{PowerState, ResetType};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Operation {
    id: Uuid,
    /// Such as `power.cap.set`.
    kind: &'static str,
    /// `queued`, `running`, `armed`, `succeeded`, `failed`, `refused` or `expired`.
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
    /// Of an armed operation: what is meant, and how it is confirmed.
    confirmation: Option<Confirmation>,
    target: OperationTarget,
    requested_by: String,
    /// Whose second hand it was.
    confirmed_by: Option<String>,
    request_id: Option<String>,
    reversible: bool,
    rollback_of: Option<Uuid>,
}

/// What a machine has armed, for the one who has to confirm it.
#[derive(Debug, Serialize, ToSchema)]
struct Confirmation {
    /// To be sent to `operations/{id}/confirm`; null for whoever may not confirm it, and on
    /// streams.
    token: Option<String>,
    expires_at: String,
    /// Exactly what is meant: id, model, serial number.
    target: String,
    /// Where it stands now: `On`, `Off`, `PoweringOn`, `PoweringOff` or `Paused`.
    state: Option<&'static str>,
    /// What will happen, as a sentence.
    consequence: String,
    /// Somebody else than the one who asked has to confirm; null on streams.
    second_person: Option<bool>,
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
    /// What a switch said when it was read back.
    state: Option<&'static str>,
    verified: Option<bool>,
}

#[derive(Debug, Serialize, ToSchema)]
struct OperationTarget {
    /// The machine or the equipment.
    device_id: Uuid,
    /// The machine whose guard acts, where equipment is meant.
    gateway_id: Option<Uuid>,
    actuator: Option<String>,
    /// What was asked for; null where it was to be cleared.
    value: Option<f64>,
    unit: Option<&'static str>,
    /// What was asked for in a word: a reset type, a profile, a boot source.
    word: Option<String>,
}

impl Resource for Operation {
    const FLAT: Flat = Flat::named("operation", "operations");
}

impl Listable for Operation {
    const LIST: List = List {
        fields: &[
            Field::new("kind", Kind::Text).searched(),
            Field::new("state", Kind::OneOf(words!(OperationState))),
            Field::new("requested_by", Kind::Text).searched(),
            Field::new("confirmed_by", Kind::Text),
            Field::new("request_id", Kind::Text),
            Field::new("created_at", Kind::Time),
            Field::new("started_at", Kind::Time),
            Field::new("finished_at", Kind::Time),
            Field::new("id", Kind::Id),
        ],
        form: Form::Pages,
        includes: &[],
        labelled: false,
    };
    const OTHERS: &'static [&'static str] = &["device"];
}

impl Operation {
    /// As `caller` sees it, with the token where it is theirs to confirm.
    pub(crate) fn shown(asked: Kept, api: &Api, caller: &Caller) -> Self {
        let shown = api.app.operations.confirmation(&asked, Some(caller));
        let mut operation = Self::from(asked);
        if let (Some(confirmation), Some(shown)) = (&mut operation.confirmation, shown) {
            confirmation.token = shown.token;
            confirmation.second_person = Some(shown.second_person);
        }
        operation
    }
}

impl From<&Arming> for Confirmation {
    fn from(arming: &Arming) -> Self {
        Self {
            token: None,
            expires_at: rfc3339(arming.until_ms),
            target: arming.target.clone(),
            state: arming.state.map(PowerState::name),
            consequence: arming.consequence.clone(),
            second_person: None,
        }
    }
}

impl From<Kept> for Operation {
    fn from(asked: Kept) -> Self {
        let (percent_complete, current_step) = match asked.state {
            OperationState::Queued => (0, "waiting for the machine"),
            OperationState::Running if asked.verdict.is_some() => (75, "waiting for the read-back"),
            OperationState::Running => (25, "waiting for the verdict"),
            OperationState::Armed => (50, "waiting to be confirmed"),
            OperationState::Succeeded => (100, "done"),
            OperationState::Failed => (100, "it did not come about"),
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
            confirmation: asked.arming().map(Confirmation::from),
            target: target(&asked),
            requested_by: asked.requested_by,
            confirmed_by: asked.confirmed_by,
            request_id: asked.request_id,
            reversible: is_reversible(&asked.action),
            rollback_of: None,
        }
    }
}

fn errors(asked: &Kept) -> Vec<OperationError> {
    let error = match (&asked.verdict, asked.state) {
        (Some(Verdict::Refused(refusal)), _) => OperationError {
            code: refusal_code(refusal.kind),
            message: refusal.reason.clone(),
            details: refusal_details(refusal),
        },
        (_, OperationState::Failed) => OperationError {
            code: "not_verified",
            message: asked.outcome.as_ref().and_then(|outcome| outcome.reason.clone()).map_or_else(
                || "the actuator's read-back did not agree in time".into(),
                |reason| format!("it did not come about: {reason}"),
            ),
            details: json!({
                "reason": asked.outcome.as_ref().and_then(|outcome| outcome.reason.as_ref()),
            }),
        },
        (Some(Verdict::Armed(_)), OperationState::Expired) => OperationError {
            code: "confirmation_expired",
            message: "nobody confirmed it in time, and nothing was done".into(),
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

fn warnings(asked: &Kept) -> Vec<String> {
    match &asked.verdict {
        Some(Verdict::Clamped(clamp)) => {
            let to = words::amount(clamp.to, clamp.unit);
            vec![format!("taken only as far as {to}, by {}", clamp.by)]
        }
        _ => Vec::new(),
    }
}

fn result(asked: &Kept) -> Option<OperationResult> {
    let clamp = match asked.verdict.as_ref()? {
        Verdict::Clamped(clamp) => Some(clamp),
        Verdict::Accepted | Verdict::Armed(_) => None,
        Verdict::Refused(_) => return None,
    };
    let outcome = asked.outcome.as_ref();
    let own_unit = target(asked).unit;
    Some(OperationResult {
        clamped_to: clamp.map(|clamp| clamp.to),
        asked: clamp.map(|clamp| clamp.asked),
        unit: clamp.map(|clamp| clamp.unit.ucum()).or(own_unit),
        by: clamp.map(|clamp| clamp.by.clone()),
        observed: outcome.and_then(|outcome| outcome.observed),
        state: outcome.and_then(|outcome| outcome.state).map(PowerState::name),
        verified: outcome.map(|outcome| outcome.verified),
    })
}

/// Is there a command that undoes it?
const fn is_reversible(action: &Action) -> bool {
    match action {
        Action::ClearTrip { .. } | Action::Confirm { .. } | Action::SelfTest => false,
        Action::Reset { reset, .. } => {
            matches!(reset, ResetType::On | ResetType::GracefulShutdown | ResetType::Suspend)
        }
        Action::SetPowerCap { .. }
        | Action::ClearPowerCap { .. }
        | Action::SetFanFloor { .. }
        | Action::ClearFanFloor { .. }
        | Action::SetLock(_)
        | Action::ReleaseLock { .. }
        | Action::SetFleetLimits { .. }
        | Action::SetIndicator { .. }
        | Action::SetFrequencyCap { .. }
        | Action::ClearFrequencyCap { .. }
        | Action::SetProfile { .. }
        | Action::SetService { .. }
        | Action::SetBootOnce { .. }
        | Action::HoldLadder { .. }
        | Action::ReleaseLadder { .. } => true,
    }
}

fn target(asked: &Kept) -> OperationTarget {
    let (actuator, value, unit) = level(&asked.action);
    OperationTarget {
        device_id: asked.equipment.unwrap_or(asked.device).0,
        gateway_id: asked.equipment.map(|_| asked.device.0),
        actuator,
        value,
        unit,
        word: word(&asked.action),
    }
}

/// What an action is for, by the guard's name, and the level that it asks for.
pub(crate) fn level(action: &Action) -> (Option<String>, Option<f64>, Option<&'static str>) {
    match action {
        Action::SetPowerCap { actuator, watts } => (actuator.clone(), Some(watts.0), Some("W")),
        Action::ClearPowerCap { actuator } => (actuator.clone(), None, Some("W")),
        Action::SetFanFloor { actuator, floor } => (actuator.clone(), Some(floor.0), Some("1")),
        Action::ClearFanFloor { actuator } => (actuator.clone(), None, Some("1")),
        Action::ClearTrip { limit, .. }
        | Action::HoldLadder { limit, .. }
        | Action::ReleaseLadder { limit } => (Some(limit.clone()), None, None),
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
        Action::Confirm { .. } | Action::SetFleetLimits { .. } | Action::SelfTest => {
            (None, None, None)
        }
    }
}

fn word(action: &Action) -> Option<String> {
    match action {
        Action::Reset { reset, .. } => Some(reset.name().into()),
        Action::SetProfile { profile, .. } => Some(profile.clone()),
        Action::SetBootOnce { source, .. } => Some(source.clone()),
        Action::SetIndicator { lit, .. } => Some(if *lit { "lit" } else { "dark" }.into()),
        Action::SetService { verb, .. } => Some(format!("{verb:?}").to_lowercase()),
        Action::SetLock(lock) => Some(lock.name.clone()),
        Action::Confirm { operation } => Some(operation.to_string()),
        Action::HoldLadder { from, .. } => Some(from.name().into()),
        Action::SetPowerCap { .. }
        | Action::ClearPowerCap { .. }
        | Action::SetFanFloor { .. }
        | Action::ClearFanFloor { .. }
        | Action::ClearTrip { .. }
        | Action::ReleaseLock { .. }
        | Action::ReleaseLadder { .. }
        | Action::SelfTest
        | Action::SetFleetLimits { .. }
        | Action::SetFrequencyCap { .. }
        | Action::ClearFrequencyCap { .. } => None,
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct DeviceFilter {
    /// Only those of this device; a gateway's are its equipment's too.
    device: Option<Uuid>,
}

pub(crate) async fn list(
    State(api): State<Api>,
    Reader(caller): Reader,
    Query(page): Query<PageQuery>,
    Query(filter): Query<DeviceFilter>,
    Asked(listing, ..): Asked<Operation>,
) -> Answer<Listed<Operation>> {
    let page = page.request()?;
    let sight = sight(&api, &caller).await?;
    let query = OperationQuery { device: filter.device.map(DeviceId), listing, sight, page };
    let found = api.app.operations.list(&query).await.map_err(Problem::internal)?;
    let items = found.items.into_iter().map(|asked| Operation::shown(asked, &api, &caller));
    let many = Many::page(items.collect(), page.page, page.per_page, found.total);
    Ok(many.asked(query.listing))
}

pub(crate) async fn detail(
    State(api): State<Api>,
    Reader(caller): Reader,
    Path(id): Path<Uuid>,
) -> Answer<One<Operation>> {
    let found = api.app.operations.operation(OperationId(id)).await.map_err(Problem::internal)?;
    let asked = found.ok_or_else(|| Problem::not_found("operation", id))?;
    check(&api, &caller, Right::Read, &asked).await?;
    Ok(One(Operation::shown(asked, &api, &caller)))
}

/// May the caller use `right` on what the operation is at? Where it does not even see that, there is
/// no operation for it.
pub(crate) async fn check(
    api: &Api,
    caller: &Caller,
    right: Right,
    asked: &Kept,
) -> Result<(), Problem> {
    let device = asked.equipment.unwrap_or(asked.device);
    match find(api, caller, right, device.0).await {
        Ok(_) => Ok(()),
        // What a superuser asked of a machine that is gone stays to be read.
        Err(problem) if problem.code == ErrorCode::NotFound => {
            if caller.grants.everywhere(Right::Read) {
                return Ok(());
            }
            Err(Problem::not_found("operation", asked.id))
        }
        Err(problem) => Err(problem),
    }
}
