//! Which version of a plugin runs on which machines, and what it may reach there.

use super::audit;
use crate::access::Caller;
use crate::fleet::DeviceId;
use crate::http::Api;
use crate::http::auth::{Administrator, Reader};
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::extract::{Body, Path};
use crate::http::reply::{Answer, Flat, One, Resource};
use crate::http::resources::machines::{Meant, meant};
use crate::http::time::rfc3339;
use crate::plugins::{Earlier, Manifest, Package, PackageState, Rollout as Kept};
use axum::extract::State;
use flyball_protocol::message::PluginState;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

/// Where a version runs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Rollout {
    plugin_id: String,
    /// The component that runs.
    hash: String,
    version: Option<String>,
    /// The component that `rollback` goes back to.
    previous_hash: Option<String>,
    /// What it may reach.
    grants: Vec<String>,
    /// What it wants and was not granted: such calls are denied to it.
    ungranted: Vec<String>,
    /// The machines that are meant; all where none of these is there.
    #[serde(flatten)]
    machines: Meant,
    /// Connected machines that are meant, and how far each is.
    devices: Vec<Placed>,
    updated_by: String,
    updated_at: String,
}

/// A machine that is meant.
#[derive(Debug, Serialize, ToSchema)]
struct Placed {
    device_id: Uuid,
    /// `waiting`, `compiling`, `ready`, `rejected` or `quarantined`.
    state: &'static str,
    reason: Option<String>,
}

impl Resource for Rollout {
    const FLAT: Flat = Flat::named("rollout", "rollouts");
}

async fn current(api: &Api, plugin: &str) -> Result<Option<Kept>, Problem> {
    let rollouts = api.app.store.plugin_rollouts().await.map_err(Problem::internal)?;
    Ok(rollouts.into_iter().find(|rollout| rollout.plugin == plugin))
}

async fn demanded(api: &Api, plugin: &str) -> Result<Kept, Problem> {
    current(api, plugin).await?.ok_or_else(|| Problem::not_found("rollout of the plugin", plugin))
}

async fn shown(api: &Api, kept: Kept) -> Result<Rollout, Problem> {
    let tenancy = api.app.tenancy.map().await.map_err(Problem::internal)?;
    let package = api.app.store.plugin_package(&kept.hash).await.map_err(Problem::internal)?;
    let manifest = package.and_then(|package| package.manifest);
    let statuses = api.app.sessions.plugins();
    let placed = |device: DeviceId| {
        let mut own = statuses.iter().filter(|(of, _)| *of == device);
        let (state, reason) = match own.find(|(_, s)| s.hash == kept.hash).map(|(_, s)| &s.state) {
            None => ("waiting", None),
            Some(PluginState::Compiling) => ("compiling", None),
            Some(PluginState::Ready) => ("ready", None),
            Some(PluginState::Rejected(reason)) => ("rejected", Some(reason.clone())),
            Some(PluginState::Quarantined(reason)) => ("quarantined", Some(reason.clone())),
        };
        Placed { device_id: device.0, state, reason }
    };
    let mut online = api.app.sessions.online();
    online.retain(|device| kept.target.hold(*device, &tenancy));
    online.sort_unstable();
    Ok(Rollout {
        devices: online.into_iter().map(placed).collect(),
        version: manifest.as_ref().map(|manifest| manifest.version.clone()),
        ungranted: manifest.map(|manifest| manifest.ungranted(&kept.grants)).unwrap_or_default(),
        plugin_id: kept.plugin,
        hash: kept.hash,
        previous_hash: kept.previous.map(|previous| previous.hash),
        grants: kept.grants,
        machines: kept.target.into(),
        updated_by: kept.updated_by,
        updated_at: rfc3339(kept.updated_at_ms),
    })
}

pub(crate) async fn detail(
    State(api): State<Api>,
    Reader(_): Reader,
    Path(plugin): Path<String>,
) -> Answer<One<Rollout>> {
    Ok(One(shown(&api, demanded(&api, &plugin).await?).await?))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RolloutRequest {
    /// An installed component of this plugin.
    hash: String,
    /// What it may reach, out of what it wants. Absent: what the version before was granted, as
    /// far as this one wants no more.
    #[schema(max_items = 32)]
    grants: Option<Vec<String>>,
    /// Machines of a site. Every machine where this, `selector` and `device_ids` are absent.
    site_id: Option<Uuid>,
    /// Labels of machines, as in lists: `site=north,tier in (a,b)`.
    #[schema(max_length = 1024)]
    selector: Option<String>,
    /// Machines by their ids.
    #[schema(max_items = 1000)]
    device_ids: Option<Vec<Uuid>>,
}

fn fault(field: &str, message: impl Into<String>) -> Problem {
    Problem::invalid(vec![FieldError::body(field, "invalid_value", message)])
}

/// The component and what it says of itself, where it is one of `plugin` and described.
async fn version(api: &Api, plugin: &str, hash: &str) -> Result<Manifest, Problem> {
    let package = api.app.store.plugin_package(hash).await.map_err(Problem::internal)?;
    let Some(package) = package else {
        return Err(fault("hash", format!("no component `{hash}` is installed")));
    };
    match package {
        Package { state: PackageState::Described, manifest: Some(manifest), .. } => {
            if manifest.id == plugin {
                return Ok(manifest);
            }
            Err(fault("hash", format!("is a component of `{}`, not of `{plugin}`", manifest.id)))
        }
        Package { state: PackageState::Rejected(reason), .. } => {
            Err(fault("hash", format!("was rejected: {reason}")))
        }
        _ => {
            let message = "no machine has described this component yet; connect one with a sandbox";
            Err(Problem::new(ErrorCode::Conflict, message).retry_after(5))
        }
    }
}

/// What the new version may reach: what is said, else what the old one might, if that is all that
/// it wants.
fn grants(
    asked: Option<Vec<String>>,
    manifest: &Manifest,
    before: Option<&Kept>,
) -> Result<Vec<String>, Problem> {
    if let Some(asked) = asked {
        manifest.check_grants(&asked).map_err(|error| fault("grants", error.to_string()))?;
        return Ok(asked);
    }
    let mut kept = before.map(|before| before.grants.clone()).unwrap_or_default();
    kept.retain(|grant| manifest.check_grants(std::slice::from_ref(grant)).is_ok());
    let open = manifest.ungranted(&kept);
    if open.is_empty() {
        return Ok(kept);
    }
    let message = "the component wants what nobody has granted: send `grants`, with or without it";
    Err(Problem::new(ErrorCode::ConfirmationRequired, message).detail("wants", open))
}

async fn store(api: &Api, caller: &Caller, rollout: Kept, action: &str) -> Answer<One<Rollout>> {
    let done = api.app.store.put_plugin_rollout(&rollout).await.map_err(Problem::internal)?;
    if !done {
        let message = "somebody else has rolled out another version meanwhile";
        return Err(Problem::new(ErrorCode::Conflict, message));
    }
    let details = json!({
        "hash": rollout.hash, "grants": rollout.grants, "target": rollout.target,
    });
    audit(api, caller, action, &rollout.plugin, details).await?;
    api.app.plugins.announce(&rollout.plugin).await.map_err(Problem::internal)?;
    api.app.distribution.wake();
    Ok(One(shown(api, rollout).await?))
}

/// Another version beside the old one: what runs ends on the version that it began on.
pub(crate) async fn put(
    State(api): State<Api>,
    Administrator(caller): Administrator,
    Path(plugin): Path<String>,
    Body(request): Body<RolloutRequest>,
) -> Answer<One<Rollout>> {
    let target = meant(request.site_id, request.selector, request.device_ids)?;
    let manifest = version(&api, &plugin, &request.hash).await?;
    let before = current(&api, &plugin).await?;
    let grants = grants(request.grants, &manifest, before.as_ref())?;
    let previous = match &before {
        Some(before) if before.hash == request.hash => before.previous.clone(),
        Some(before) => Some(Earlier { hash: before.hash.clone(), grants: before.grants.clone() }),
        None => None,
    };
    let rollout = Kept {
        plugin,
        hash: request.hash,
        previous,
        grants,
        target,
        revision: before.map_or(1, |before| before.revision + 1),
        updated_by: caller.email.clone(),
        updated_at_ms: api.app.clock.now_ms(),
    };
    store(&api, &caller, rollout, "rollout").await
}

/// Back to the version before, with what that one was granted.
pub(crate) async fn rollback(
    State(api): State<Api>,
    Administrator(caller): Administrator,
    Path(plugin): Path<String>,
) -> Answer<One<Rollout>> {
    let before = demanded(&api, &plugin).await?;
    let Some(earlier) = before.previous else {
        let message = "no other version of this plugin ran before";
        return Err(Problem::new(ErrorCode::Conflict, message));
    };
    if version(&api, &plugin, &earlier.hash).await.is_err() {
        let message = "the version before is not installed any more; install it again";
        return Err(Problem::new(ErrorCode::Conflict, message).detail("hash", earlier.hash));
    }
    let rollout = Kept {
        hash: earlier.hash,
        grants: earlier.grants,
        previous: Some(Earlier { hash: before.hash, grants: before.grants }),
        revision: before.revision + 1,
        updated_by: caller.email.clone(),
        updated_at_ms: api.app.clock.now_ms(),
        plugin: before.plugin,
        target: before.target,
    };
    store(&api, &caller, rollout, "rollback").await
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PluginRemoved {
    plugin_id: String,
    removed: bool,
}

impl Resource for PluginRemoved {
    const FLAT: Flat = Flat::fields();
}

/// From every machine, with all its versions and what was decided of it. What lies in a machine's
/// own folder is its operator's, and stays.
pub(crate) async fn remove(
    State(api): State<Api>,
    Administrator(caller): Administrator,
    Path(plugin): Path<String>,
) -> Answer<One<PluginRemoved>> {
    let packages = api.app.store.plugin_packages().await.map_err(Problem::internal)?;
    let of = |package: &Package| package.manifest.as_ref().is_some_and(|m| m.id == plugin);
    if !packages.iter().any(of) {
        return Err(Problem::not_found("installed plugin", plugin));
    }
    api.app.store.remove_plugin(&plugin).await.map_err(Problem::internal)?;
    audit(&api, &caller, "remove", &plugin, json!({})).await?;
    api.app.plugins.announce(&plugin).await.map_err(Problem::internal)?;
    api.app.distribution.wake();
    Ok(One(PluginRemoved { plugin_id: plugin, removed: true }))
}
