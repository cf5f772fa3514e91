//! Lock-outs: somebody works on a device, and nothing may energise it until they are done. A lock
//! is its caller's; somebody else lifts it with a justification, and only as a superuser.

use super::{Aim, Asking, MAX_NAME, Request, carry, check_text};
use crate::access::{Right, Role};
use crate::http::Api;
use crate::http::auth::{Actor, Reader};
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::extract::{Body, Path, RequestId, Terms};
use crate::http::reply::{Accepted, Answer, Flat, Many, Resource};
use crate::http::resources::devices::find;
use crate::http::resources::operations::Operation;
use crate::http::time::{parse, rfc3339, rfc3339_option};
use crate::operations::Action;
use axum::extract::State;
use flyball_protocol::command::Lock as Asked;
use flyball_protocol::guard::{ActuatorKind, LockSnapshot};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LockRequest {
    /// Its name within the device.
    name: String,
    /// What is being done there.
    reason: String,
    /// The switch or actuator that is locked; the machine with all its equipment where absent,
    /// and of equipment its only switch.
    target: Option<String>,
    /// RFC 3339, or Unix milliseconds as text: it lifts itself then; never where absent.
    until: Option<String>,
    /// It also holds fans and caps where they stand.
    #[serde(default)]
    holds_levels: bool,
    /// Seconds that the command stays good while the machine is away.
    ttl_seconds: Option<u64>,
}

impl Request for LockRequest {
    fn action(self, aim: &Aim) -> Result<Action, Problem> {
        check_text("name", &self.name)?;
        check_text("reason", &self.reason)?;
        let target = match self.target {
            None if aim.equipment().is_none() => None,
            Some(name) if aim.equipment().is_none() => {
                check_text("target", &name)?;
                Some(name)
            }
            named => Some(aim.one(ActuatorKind::Switch, "target", named)?),
        };
        let until_ms = match self.until.as_deref().map(parse) {
            None => None,
            Some(Some(at_ms)) if at_ms > aim.now_ms => Some(at_ms),
            Some(_) => {
                let message = "is a time to come, in RFC 3339 or Unix milliseconds";
                let fault = FieldError::body("until", "invalid_value", message);
                return Err(Problem::invalid(vec![fault]));
            }
        };
        Ok(Action::SetLock(Asked {
            name: self.name,
            owner: aim.caller.email.clone(),
            reason: self.reason,
            target,
            until_ms,
            holds_levels: self.holds_levels,
        }))
    }

    fn ttl_seconds(&self) -> Option<u64> {
        self.ttl_seconds
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LockReleaseRequest {
    /// Why somebody else's lock is lifted; its owner needs none.
    justification: Option<String>,
    /// Seconds that the command stays good while the machine is away.
    ttl_seconds: Option<u64>,
}

/// A release with the lock that its address names.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Release {
    /// The lock's name.
    lock: String,
    /// Why somebody else's lock is lifted; its owner needs none.
    justification: Option<String>,
    /// Seconds that the command stays good while the machine is away.
    ttl_seconds: Option<u64>,
}

impl Request for Release {
    fn action(self, aim: &Aim) -> Result<Action, Problem> {
        check_text("lock", &self.lock)?;
        if let Some(text) = &self.justification {
            check_text("justification", text)?;
        }
        let held = aim.board.locks.iter().find(|held| held.lock.name == self.lock);
        let foreign = held.filter(|held| held.lock.owner != aim.caller.email);
        if let Some(held) = foreign
            && (self.justification.is_none() || !aim.caller.grants.everywhere(Right::Administer))
        {
            let message = format!(
                "the lock is {}'s; a superuser lifts it with a justification",
                held.lock.owner
            );
            return Err(Problem::new(ErrorCode::Locked, message)
                .detail("lock", held.lock.name.clone())
                .detail("owner", held.lock.owner.clone())
                .detail("reason", held.lock.reason.clone())
                .detail("since", rfc3339(held.since_ms))
                .detail("override_role", Role::Superuser.name()));
        }
        Ok(Action::ReleaseLock {
            lock: self.lock,
            owner: aim.caller.email.clone(),
            justification: self.justification,
        })
    }

    fn ttl_seconds(&self) -> Option<u64> {
        self.ttl_seconds
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Lock {
    name: String,
    owner: String,
    reason: String,
    /// Null: the machine with all its equipment.
    target: Option<String>,
    since: String,
    until: Option<String>,
    holds_levels: bool,
}

impl Resource for Lock {
    const FLAT: Flat = Flat::named("lock", "locks");
}

impl From<LockSnapshot> for Lock {
    fn from(held: LockSnapshot) -> Self {
        Self {
            name: held.lock.name,
            owner: held.lock.owner,
            reason: held.lock.reason,
            target: held.lock.target,
            since: rfc3339(held.since_ms),
            until: rfc3339_option(held.lock.until_ms),
            holds_levels: held.lock.holds_levels,
        }
    }
}

pub(crate) async fn list(
    State(api): State<Api>,
    Reader(caller): Reader,
    Path(id): Path<Uuid>,
) -> Answer<Many<Lock>> {
    let subject = find(&api, &caller, Right::Read, id).await?;
    let inventory = api.app.fleet.inventory(subject.machine().id);
    let locks = subject.share_of(inventory.board).locks.into_iter().map(Lock::from);
    Ok(Many::whole(locks.collect())
        .fact("reported_at", rfc3339_option(inventory.at_ms))
        .fact("online", subject.is_online()))
}

pub(crate) async fn release(
    State(api): State<Api>,
    Actor(caller): Actor,
    Path((id, lock)): Path<(Uuid, String)>,
    request_id: Option<RequestId>,
    terms: Terms,
    Body(request): Body<LockReleaseRequest>,
) -> Answer<Accepted<Operation>> {
    if lock.len() > MAX_NAME {
        return Err(Problem::not_found("lock", "of that length"));
    }
    let aim = Aim::at(&api, id, &caller).await?;
    let LockReleaseRequest { justification, ttl_seconds } = request;
    let request = Release { lock, justification, ttl_seconds };
    carry(&api, Asking { caller, request_id, terms }, &aim, request).await
}
