//! Clients of the flat dialect: the connected sources of metrics, which here are the agents.

use crate::fleet::Device;
use crate::http::Api;
use crate::http::auth::Reader;
use crate::http::error::Problem;
use crate::http::paging::MAX_PER_PAGE;
use crate::http::reply::{Answer, Flat, Many, Resource};
use crate::http::resources::devices::sight;
use crate::http::time::{rfc3339, rfc3339_option};
use crate::page::PageRequest;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A machine that was seen within it is online, within the second one idle.
const ONLINE_MS: u64 = 60_000;
const IDLE_MS: u64 = 300_000;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Client {
    client_id: Uuid,
    client_name: String,
    /// `online`, `idle` or `offline`.
    status: &'static str,
    last_heartbeat: Option<String>,
    created_at: String,
    logs_sent: u64,
    /// Series that it reports now.
    metrics_sent: u64,
}

impl Resource for Client {
    const FLAT: Flat = Flat::named("client", "clients");
}

/// How the flat dialect calls a machine's presence.
pub(crate) fn presence(device: &Device, now_ms: u64) -> &'static str {
    let silent_ms = device.last_seen_at_ms.map(|seen| now_ms.saturating_sub(seen));
    match silent_ms {
        _ if device.online => "online",
        Some(ms) if ms <= ONLINE_MS => "online",
        Some(ms) if ms <= IDLE_MS => "idle",
        _ => "offline",
    }
}

pub(crate) async fn list(State(api): State<Api>, Reader(caller): Reader) -> Answer<Many<Client>> {
    let page = PageRequest::first(MAX_PER_PAGE);
    let devices = api.app.fleet.list(page).await.map_err(Problem::internal)?;
    let now_ms = api.app.clock.now_ms();
    let sight = sight(&api, &caller).await?;
    let seen = devices.items.into_iter().filter(|device| sight.sees(device.id));
    let clients = seen.map(|device| Client {
        status: presence(&device, now_ms),
        metrics_sent: api.app.latest.of(device.id).len() as u64,
        client_id: device.id.0,
        client_name: device.name,
        last_heartbeat: rfc3339_option(device.last_seen_at_ms),
        created_at: rfc3339(device.created_at_ms),
        logs_sent: 0,
    });
    Ok(Many::whole(clients.collect()))
}
