//! The plugins that connected machines have.

use crate::http::Api;
use crate::http::auth::Reader;
use crate::http::reply::{Answer, Flat, Many, Resource};
use axum::extract::State;
use flyball_protocol::message::{PluginKind, PluginState, PluginStatus};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Plugin {
    plugin_id: String,
    name: String,
    version: String,
    description: String,
    author: String,
    enabled: bool,
    priority: u32,
    settings: BTreeMap<String, String>,
    has_config: bool,
    licence: String,
    /// `renderer` or `importer`.
    kind: &'static str,
    /// Formats of a renderer, sources of an importer.
    handles: Vec<String>,
    /// SHA-256 of the component.
    hash: String,
    /// `compiling`, `ready`, `rejected` or `quarantined`.
    state: &'static str,
    /// Why it is not ready.
    reason: Option<String>,
    /// The machines that have it.
    devices: Vec<Uuid>,
}

impl Resource for Plugin {
    const FLAT: Flat = Flat::named("plugin", "plugins");
}

const PRIORITY: u32 = 100;

fn plugin(status: PluginStatus) -> Plugin {
    let (state, reason) = match status.state {
        PluginState::Compiling => ("compiling", None),
        PluginState::Ready => ("ready", None),
        PluginState::Rejected(reason) => ("rejected", Some(reason)),
        PluginState::Quarantined(reason) => ("quarantined", Some(reason)),
    };
    Plugin {
        plugin_id: status.id,
        name: status.name,
        version: status.version,
        description: status.description,
        author: status.author,
        enabled: state == "ready",
        priority: PRIORITY,
        settings: BTreeMap::new(),
        has_config: false,
        licence: status.licence,
        kind: match status.kind {
            PluginKind::Renderer => "renderer",
            PluginKind::Importer => "importer",
        },
        handles: status.handles,
        hash: status.hash,
        state,
        reason,
        devices: Vec::new(),
    }
}

pub(crate) async fn list(State(api): State<Api>, Reader(_): Reader) -> Answer<Many<Plugin>> {
    let mut plugins: BTreeMap<(String, String), Plugin> = BTreeMap::new();
    for (device, status) in api.app.sessions.plugins() {
        let key = (status.id.clone(), status.hash.clone());
        let ready = status.state == PluginState::Ready;
        let known = plugins.entry(key).or_insert_with(|| plugin(status.clone()));
        if ready && !known.enabled {
            *known = Plugin { devices: std::mem::take(&mut known.devices), ..plugin(status) };
        }
        known.devices.push(device.0);
    }
    Ok(Many::whole(plugins.into_values().collect()).fact("first_run", false))
}
