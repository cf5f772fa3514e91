//! Letting a machine in again whose identity was seen in two places.

use super::devices::{Device, find};
use crate::access::Right;
use crate::audit::{AuditEntry, Decision};
use crate::fleet::Subject;
use crate::http::Api;
use crate::http::auth::Manager;
use crate::http::error::{ErrorCode, Problem};
use crate::http::extract::{Path, RequestId};
use crate::http::reply::{Answer, One};
use axum::extract::State;
use serde_json::json;
use uuid::Uuid;

/// For who has looked and knows that the other place is gone: both may speak again, and where
/// both still do, they are shut out anew.
pub(crate) async fn release(
    State(api): State<Api>,
    Manager(caller): Manager,
    Path(id): Path<Uuid>,
    request_id: Option<RequestId>,
) -> Answer<One<Device>> {
    let Subject::Machine(device) = find(&api, &caller, Right::Manage, id).await? else {
        let message = "equipment has no identity of its own; release its gateway";
        return Err(Problem::new(ErrorCode::Conflict, message));
    };
    let entry = AuditEntry {
        at_ms: api.app.clock.now_ms(),
        actor: caller.email.clone(),
        action: "device.release".into(),
        target: format!("device:{}", device.id),
        decision: Decision::Allowed,
        details: json!({ "quarantined_at_ms": device.quarantined_at_ms }),
        request_id: request_id.map(|id| id.0),
        ..AuditEntry::default()
    };
    if !api.app.fleet.release(device.id, &entry).await.map_err(Problem::internal)? {
        let message = format!("the device `{id}` is not quarantined");
        return Err(Problem::new(ErrorCode::Conflict, message));
    }
    Ok(One(find(&api, &caller, Right::Manage, id).await?.into()))
}
