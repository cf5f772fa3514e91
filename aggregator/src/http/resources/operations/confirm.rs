//! The second hand: confirming what a machine has armed.

use super::Operation;
use crate::access::Right;
use crate::http::Api;
use crate::http::auth::Actor;
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::extract::{Body, Path, RequestId};
use crate::http::reply::{Accepted, Answer};
use crate::http::resources::commands::{missing, problem, refused};
use crate::http::resources::operations::check;
use crate::http::time::rfc3339;
use crate::operations::{Arming, ConfirmError, OperationId};
use axum::extract::State;
use flyball_protocol::command::PowerState;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfirmRequest {
    /// `confirmation.token` of the armed operation.
    #[schema(required = true, nullable = false)]
    token: Option<String>,
}

pub(crate) async fn confirm(
    State(api): State<Api>,
    Actor(caller): Actor,
    Path(id): Path<Uuid>,
    request_id: Option<RequestId>,
    Body(request): Body<ConfirmRequest>,
) -> Answer<Accepted<Operation>> {
    let Some(token) = request.token else {
        return Err(missing("token", "is required: it says that you saw what is meant"));
    };
    let location = format!("/api/v1/operations/{id}");
    let request_id = request_id.map(|id| id.0);
    let asked = api.app.operations.operation(OperationId(id)).await.map_err(Problem::internal)?;
    let asked = asked.ok_or_else(|| Problem::not_found("operation", id))?;
    check(&api, &caller, Right::Act, &asked).await?;
    let confirmed = api.app.operations.confirm(OperationId(id), &caller, &token, request_id).await;
    match confirmed {
        Ok(asked) => Ok(Accepted { item: Operation::shown(asked, &api, &caller), location }),
        Err(error) => Err(not_confirmed(error, &location)),
    }
}

fn not_confirmed(error: ConfirmError, location: &str) -> Problem {
    let message = error.to_string();
    let say = |code| Problem::new(code, message.clone()).detail("operation", location);
    match error {
        ConfirmError::Unknown(id) => Problem::not_found("operation", id),
        ConfirmError::NotArmed(state) => {
            say(ErrorCode::StateConflict).detail("state", state.name())
        }
        ConfirmError::Expired => say(ErrorCode::ConfirmationExpired),
        ConfirmError::OtherSession => say(ErrorCode::Forbidden),
        ConfirmError::SecondPerson(first) => {
            say(ErrorCode::SecondPersonRequired).detail("requested_by", first)
        }
        ConfirmError::Token(arming) => meant(
            Problem::new(ErrorCode::ConfirmationRequired, message).field(FieldError::body(
                "token",
                "invalid_value",
                "is not this operation's",
            )),
            &arming,
        ),
        ConfirmError::Away => say(ErrorCode::Unavailable),
        ConfirmError::Refused(refusal) => refused(&refusal, location, None),
        ConfirmError::Submit(error) => problem(error),
        ConfirmError::Store(error) => Problem::internal(error),
    }
}

/// What would happen, for the one who has not looked.
fn meant(problem: Problem, arming: &Arming) -> Problem {
    problem
        .detail("target", arming.target.clone())
        .detail("state", arming.state.map(PowerState::name))
        .detail("consequence", arming.consequence.clone())
        .detail("expires_at", rfc3339(arming.until_ms))
}
