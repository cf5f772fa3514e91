//! Which machines keep a curriculum for readers nearby, and how far each is.

use super::{audit, found};
use crate::content::{MAX_PLACEMENTS, Placement as Kept, Progress};
use crate::http::Api;
use crate::http::auth::{Actor, Member};
use crate::http::error::{ErrorCode, Problem};
use crate::http::extract::{Body, Path};
use crate::http::reply::{Answer, Flat, One, Resource};
use crate::http::resources::machines::{Meant, meant};
use crate::http::time::rfc3339;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

/// Where a curriculum is kept.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Placement {
    curriculum_id: String,
    /// The machines that are meant; all where none of these is there.
    #[serde(flatten)]
    machines: Meant,
    /// Connected machines that are meant.
    devices: Vec<KeptOn>,
    placed_by: String,
    placed_at: String,
}

/// How far one machine is.
#[derive(Debug, Serialize, ToSchema)]
struct KeptOn {
    device_id: Uuid,
    /// `waiting`, `sending`, `kept` or `failed`.
    state: &'static str,
    /// Bytes, while it is sending.
    sent: Option<u64>,
    total: Option<u64>,
    /// Why it failed; it is tried again.
    reason: Option<String>,
}

impl Resource for Placement {
    const FLAT: Flat = Flat::named("placement", "placements");
}

async fn shown(api: &Api, kept: Kept) -> Result<Placement, Problem> {
    let tenancy = api.app.tenancy.map().await.map_err(Problem::internal)?;
    let mut online = api.app.sessions.online();
    online.retain(|device| kept.target.hold(*device, &tenancy));
    online.sort_unstable();
    let on = |device: crate::fleet::DeviceId| {
        let nothing =
            KeptOn { device_id: device.0, state: "waiting", sent: None, total: None, reason: None };
        match api.app.delivery.progress(device, &kept.curriculum) {
            Progress::Waiting => nothing,
            Progress::Sending { sent, total } => {
                KeptOn { state: "sending", sent: Some(sent), total: Some(total), ..nothing }
            }
            Progress::Kept => KeptOn { state: "kept", ..nothing },
            Progress::Failed(why) => KeptOn { state: "failed", reason: Some(why), ..nothing },
        }
    };
    Ok(Placement {
        devices: online.into_iter().map(on).collect(),
        curriculum_id: kept.curriculum,
        machines: kept.target.into(),
        placed_by: kept.placed_by,
        placed_at: rfc3339(kept.placed_at_ms),
    })
}

async fn current(api: &Api, id: &str) -> Result<Option<Kept>, Problem> {
    let placements = api.app.store.curriculum_placements().await.map_err(Problem::internal)?;
    Ok(placements.into_iter().find(|placement| placement.curriculum == id))
}

pub(crate) async fn placement(
    State(api): State<Api>,
    Member(_): Member,
    Path(id): Path<String>,
) -> Answer<One<Placement>> {
    let kept = current(&api, &id).await?;
    let kept = kept.ok_or_else(|| Problem::not_found("placement of the curriculum", &id))?;
    Ok(One(shown(&api, kept).await?))
}

/// Machines that keep it from now on; every machine where none is said.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlacementRequest {
    /// Machines of a site.
    site_id: Option<Uuid>,
    /// Labels of machines, as in lists: `site=north,tier in (a,b)`.
    #[schema(max_length = 1024)]
    selector: Option<String>,
    /// Machines by their ids.
    #[schema(max_items = 1000)]
    device_ids: Option<Vec<Uuid>>,
}

/// Has machines keep the curriculum, and every later version of it, for readers nearby.
pub(crate) async fn place(
    State(api): State<Api>,
    Actor(caller): Actor,
    Path(id): Path<String>,
    Body(request): Body<PlacementRequest>,
) -> Answer<One<Placement>> {
    found(&api, &id).await?;
    let target = meant(request.site_id, request.selector, request.device_ids)?;
    let placement = Kept {
        curriculum: id.clone(),
        target,
        placed_by: caller.email.clone(),
        placed_at_ms: api.app.clock.now_ms(),
    };
    let done = api.app.store.put_curriculum_placement(&placement, MAX_PLACEMENTS).await;
    if !done.map_err(Problem::internal)? {
        let message = format!("{MAX_PLACEMENTS} curricula are placed; take some off first");
        return Err(Problem::new(ErrorCode::Conflict, message));
    }
    audit(&api, &caller, "place", &id, json!({ "target": placement.target })).await?;
    api.app.delivery.wake();
    Ok(One(shown(&api, placement).await?))
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Withdrawn {
    curriculum_id: String,
    removed: bool,
}

impl Resource for Withdrawn {
    const FLAT: Flat = Flat::fields();
}

/// Machines keep it no longer; what is connected takes it off within seconds.
pub(crate) async fn withdraw(
    State(api): State<Api>,
    Actor(caller): Actor,
    Path(id): Path<String>,
) -> Answer<One<Withdrawn>> {
    let removed = api.app.store.remove_curriculum_placement(&id).await;
    if !removed.map_err(Problem::internal)? {
        return Err(Problem::not_found("placement of the curriculum", &id));
    }
    audit(&api, &caller, "withdraw", &id, json!({})).await?;
    api.app.delivery.wake();
    Ok(One(Withdrawn { curriculum_id: id, removed: true }))
}
