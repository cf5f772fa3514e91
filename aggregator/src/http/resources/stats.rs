//! The server's own statistics, in the flat dialect's words.

use crate::http::Api;
use crate::http::auth::Reader;
use crate::http::error::Problem;
use crate::http::reply::{Answer, Flat, One, Resource};
use crate::page::PageRequest;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Stats {
    total_logs_received: u64,
    /// Samples committed since the server started.
    total_metrics_received: u64,
    online_clients: usize,
    registered_servers: u64,
    uptime_seconds: u64,
}

impl Resource for Stats {
    const FLAT: Flat = Flat::bare();
}

pub(crate) async fn stats(State(api): State<Api>, Reader(_): Reader) -> Answer<One<Stats>> {
    gather(&api).await.map(One)
}

pub(crate) async fn gather(api: &Api) -> Result<Stats, Problem> {
    let devices = api.app.fleet.list(PageRequest::first(1)).await.map_err(Problem::internal)?;
    let now_ms = api.app.clock.now_ms();
    Ok(Stats {
        total_logs_received: 0,
        total_metrics_received: api.app.metrics.samples.get(),
        online_clients: api.app.sessions.online().len(),
        registered_servers: devices.total,
        uptime_seconds: now_ms.saturating_sub(api.app.started_at_ms) / 1_000,
    })
}
