//! A person's hold on the ladder of a limit: quiet, caps and fans may be put off for a while that
//! the machine bounds, and nothing above them.

use super::{Aim, Asking, Request, carry, check_text};
use crate::http::Api;
use crate::http::auth::Actor;
use crate::http::error::{FieldError, Problem};
use crate::http::extract::{Body, Path, RequestId, Terms};
use crate::http::reply::{Accepted, Answer};
use crate::http::resources::operations::Operation;
use crate::operations::Action;
use axum::extract::State;
use flyball_protocol::command::HeldStep;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HoldRequest {
    /// The lowest step that is put off; all from it up to `Quiesce` are: `FansRaised`,
    /// `FansFull`, `CapSafe`, `CapMin` or `Quiesce`.
    from: String,
    /// Why, for the guard's journal and the audit log.
    reason: String,
    /// How long. The machine's policy bounds it, and the operation's result says to how many
    /// seconds.
    for_seconds: u64,
    /// Seconds that the command stays good while the machine is away.
    ttl_seconds: Option<u64>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HoldEndRequest {
    /// Seconds that the command stays good while the machine is away.
    ttl_seconds: Option<u64>,
}

/// A request with the limit that its address names.
#[derive(Debug, Deserialize, ToSchema)]
struct Of<T> {
    limit: String,
    request: T,
}

impl Request for Of<HoldRequest> {
    fn action(self, aim: &Aim) -> Result<Action, Problem> {
        check_text("limit", &self.limit)?;
        check_text("reason", &self.request.reason)?;
        let Some(from) = HeldStep::from_name(&self.request.from) else {
            let words = HeldStep::ALL.map(HeldStep::name).join(", ");
            let message = format!("is one of {words}");
            return Err(Problem::invalid(vec![FieldError::body("from", "invalid_value", message)]));
        };
        let limit = aim.limit(self.limit);
        Ok(Action::HoldLadder { limit, from, reason: self.request.reason })
    }

    fn ttl_seconds(&self) -> Option<u64> {
        self.request.ttl_seconds
    }
}

impl Request for Of<HoldEndRequest> {
    fn action(self, aim: &Aim) -> Result<Action, Problem> {
        check_text("limit", &self.limit)?;
        Ok(Action::ReleaseLadder { limit: aim.limit(self.limit) })
    }

    fn ttl_seconds(&self) -> Option<u64> {
        self.request.ttl_seconds
    }
}

pub(crate) async fn hold(
    State(api): State<Api>,
    Actor(caller): Actor,
    Path((id, limit)): Path<(Uuid, String)>,
    request_id: Option<RequestId>,
    terms: Terms,
    Body(request): Body<HoldRequest>,
) -> Answer<Accepted<Operation>> {
    let aim = Aim::at(&api, id, &caller).await?;
    let terms = Terms { stands_for_s: Some(request.for_seconds), ..terms };
    carry(&api, Asking { caller, request_id, terms }, &aim, Of { limit, request }).await
}

pub(crate) async fn release(
    State(api): State<Api>,
    Actor(caller): Actor,
    Path((id, limit)): Path<(Uuid, String)>,
    request_id: Option<RequestId>,
    terms: Terms,
    Body(request): Body<HoldEndRequest>,
) -> Answer<Accepted<Operation>> {
    let aim = Aim::at(&api, id, &caller).await?;
    carry(&api, Asking { caller, request_id, terms }, &aim, Of { limit, request }).await
}
