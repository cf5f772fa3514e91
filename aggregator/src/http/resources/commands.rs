//! What an operator asks of a device: each request has its file below, and one way to the
//! machine, which stands here. The machine's own engine decides; its refusal is the answer.

mod aim;
mod answer;
pub(crate) mod ladder;
pub(crate) mod levels;
pub(crate) mod locks;
pub(crate) mod power;
pub(crate) mod self_test;
pub(crate) mod switches;
pub(crate) mod thermal;
pub(crate) mod trips;
pub(crate) mod validate;

pub(crate) use aim::Aim;
pub(super) use answer::{objected, problem, refusal_code, refusal_details, refused};

use super::operations::Operation;
use crate::access::{Caller, Right};
use crate::http::Api;
use crate::http::auth::Actor;
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::extract::{Body, Path, RequestId, Terms};
use crate::http::reply::{Accepted, Answer};
use crate::operations::{Action, Origin, Submission, Verdict};
use axum::extract::State;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;
use uuid::Uuid;

/// Of a name or a reason in a body.
pub(super) const MAX_NAME: usize = 256;

/// A body that asks something of a device.
pub(crate) trait Request: DeserializeOwned + ToSchema + Send + 'static {
    /// What it comes to for the device that it is sent to.
    fn action(self, aim: &Aim) -> Result<Action, Problem>;

    /// Seconds that the command stays good while the machine is away.
    fn ttl_seconds(&self) -> Option<u64>;

    /// Why a rule of the aggregator's own shall not hold.
    fn justification(&self) -> Option<String> {
        None
    }
}

/// Who asks, and under what terms.
pub(super) struct Asking {
    pub(super) caller: Caller,
    pub(super) request_id: Option<RequestId>,
    pub(super) terms: Terms,
}

/// The handler of every command that has a body and one device.
pub(crate) async fn give<T: Request>(
    State(api): State<Api>,
    Actor(caller): Actor,
    Path(id): Path<Uuid>,
    request_id: Option<RequestId>,
    terms: Terms,
    Body(request): Body<T>,
) -> Answer<Accepted<Operation>> {
    let aim = Aim::at(&api, id, &caller).await?;
    carry(&api, Asking { caller, request_id, terms }, &aim, request).await
}

/// Makes the command of `request`, has it signed and sent, and answers with its operation.
pub(super) async fn carry(
    api: &Api,
    asking: Asking,
    aim: &Aim,
    request: impl Request,
) -> Answer<Accepted<Operation>> {
    let (ttl_s, justification) = (request.ttl_seconds(), request.justification());
    if let Some(text) = &justification {
        check_text("justification", text)?;
        if !asking.caller.grants.everywhere(Right::Administer) {
            let message = "only a superuser can say why a rule shall not hold";
            return Err(Problem::new(ErrorCode::Forbidden, message));
        }
    }
    let action = request.action(aim)?;
    let caller = asking.caller.clone();
    let asked_in_person = asking.terms.origin == Origin::Remote;
    let submission = submission(asking, aim, action, ttl_s, justification);
    let asked = api.app.operations.submit(submission).await.map_err(problem)?;
    // What a person asks for is use of the machine.
    if asked_in_person {
        let now_ms = api.app.clock.now_ms();
        api.app.store.used(Some(asked.device), now_ms).await.map_err(Problem::internal)?;
    }
    let location = format!("/api/v1/operations/{}", asked.id);
    match &asked.verdict {
        Some(Verdict::Refused(refusal)) => Err(refused(refusal, &location, Some(aim))),
        Some(Verdict::Accepted | Verdict::Clamped(_) | Verdict::Armed(_)) | None => {
            Ok(Accepted { item: Operation::shown(asked, api, &caller), location })
        }
    }
}

pub(super) fn submission(
    asking: Asking,
    aim: &Aim,
    action: Action,
    ttl_s: Option<u64>,
    break_glass: Option<String>,
) -> Submission {
    Submission {
        device: aim.subject.machine().id,
        equipment: aim.equipment(),
        action,
        session: Some(asking.caller.session()),
        issuer: asking.caller.email,
        break_glass,
        not_after_ms: asking.terms.not_after_ms,
        request_id: asking.request_id.map(|id| id.0),
        ttl_ms: ttl_s.map(|seconds| seconds.saturating_mul(1_000)),
        origin: asking.terms.origin,
        stands_for_ms: asking.terms.stands_for_s.map(|seconds| seconds.saturating_mul(1_000)),
    }
}

/// Tells a field that is null from one that is not there.
#[expect(clippy::option_option, reason = "absent, null and a value are three things")]
pub(super) fn present<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

pub(super) fn check_text(field: &str, text: &str) -> Result<(), Problem> {
    if text.trim().is_empty() || text.len() > MAX_NAME {
        let fault = FieldError::body(field, "out_of_range", "has 1 to 256 characters");
        return Err(Problem::invalid(vec![fault]));
    }
    Ok(())
}

pub(super) fn missing(name: &str, message: &str) -> Problem {
    Problem::new(ErrorCode::MissingField, format!("{name} {message}")).field(FieldError::body(
        name,
        "missing_field",
        message,
    ))
}

/// A number that has to be there and may be null.
#[expect(clippy::option_option, reason = "absent, null and a value are three things")]
pub(super) fn value(
    name: &str,
    given: Option<Option<f64>>,
    max: f64,
) -> Result<Option<f64>, Problem> {
    match given.ok_or_else(|| missing(name, "is required; null clears it"))? {
        Some(value) if !(0.0..=max).contains(&value) => {
            let message = format!("has to be 0 to {max}");
            Err(Problem::invalid(vec![FieldError::body(name, "out_of_range", message)]))
        }
        given => Ok(given),
    }
}
