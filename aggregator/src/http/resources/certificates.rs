//! The certificate that a machine was given, and taking it back.

use super::devices::find;
use crate::access::{Caller, Right};
use crate::audit::{AuditEntry, Decision};
use crate::fleet::{Device, Subject};
use crate::http::Api;
use crate::http::auth::{Manager, Reader};
use crate::http::error::Problem;
use crate::http::extract::{Path, RequestId};
use crate::http::reply::{Answer, Flat, One, Resource};
use crate::http::time::{rfc3339, rfc3339_option};
use axum::extract::State;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Certificate {
    device_id: Uuid,
    /// Hexadecimal.
    serial: String,
    not_after: String,
    revoked_at: Option<String>,
}

impl Resource for Certificate {
    const FLAT: Flat = Flat::named("certificate", "certificates");
}

impl From<Device> for Certificate {
    fn from(device: Device) -> Self {
        Self {
            device_id: device.id.0,
            serial: device.certificate.serial,
            not_after: rfc3339(device.certificate.not_after_ms),
            revoked_at: rfc3339_option(device.revoked_at_ms),
        }
    }
}

pub(crate) async fn detail(
    State(api): State<Api>,
    Reader(caller): Reader,
    Path(id): Path<Uuid>,
) -> Answer<One<Certificate>> {
    Ok(One(machine(&api, &caller, Right::Read, id).await?.into()))
}

/// Ends the machine's connection and refuses it from now on. Its guard goes on by itself.
pub(crate) async fn revoke(
    State(api): State<Api>,
    Manager(caller): Manager,
    Path(id): Path<Uuid>,
    request_id: Option<RequestId>,
) -> Answer<One<Certificate>> {
    let device = machine(&api, &caller, Right::Manage, id).await?;
    let newly = api.app.fleet.revoke(device.id).await.map_err(Problem::internal)?;
    if newly {
        let entry = AuditEntry {
            at_ms: api.app.clock.now_ms(),
            actor: caller.email.clone(),
            action: "device.revoke".into(),
            target: format!("device:{}", device.id),
            decision: Decision::Allowed,
            details: json!({ "certificate": device.certificate.serial }),
            request_id: request_id.map(|id| id.0),
            ..AuditEntry::default()
        };
        api.app.store.add_audit(&entry).await.map_err(Problem::internal)?;
    }
    Ok(One(machine(&api, &caller, Right::Manage, id).await?.into()))
}

/// Equipment has no certificate: its gateway vouches for it.
async fn machine(api: &Api, caller: &Caller, right: Right, id: Uuid) -> Result<Device, Problem> {
    match find(api, caller, right, id).await? {
        Subject::Machine(device) => Ok(device),
        Subject::Equipment { .. } => Err(Problem::not_found("certificate of equipment", id)),
    }
}
