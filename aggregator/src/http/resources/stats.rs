//! The server's own statistics, in the flat dialect's words.

use crate::access::Caller;
use crate::app::platform;
use crate::http::Api;
use crate::http::auth::Reader;
use crate::http::error::Problem;
use crate::http::reply::{Answer, Flat, One, Resource};
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

/// Of everything; for a caller who does not see everything, of what they sent themselves.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Stats {
    /// Entries that applications logged, those too that were cleared since.
    total_logs_received: u64,
    /// Reports of applications, and samples of machines since the server started.
    total_metrics_received: u64,
    /// Applications that were heard within a minute, and agents that are connected.
    online_clients: u64,
    /// Aggregators on this database that run.
    registered_servers: u64,
    uptime_seconds: u64,
}

impl Resource for Stats {
    const FLAT: Flat = Flat::bare();
}

impl From<platform::Stats> for Stats {
    fn from(stats: platform::Stats) -> Self {
        Self {
            total_logs_received: stats.logs,
            total_metrics_received: stats.metrics,
            online_clients: stats.online_clients,
            registered_servers: stats.servers,
            uptime_seconds: stats.uptime_seconds,
        }
    }
}

pub(crate) async fn stats(State(api): State<Api>, Reader(caller): Reader) -> Answer<One<Stats>> {
    gather(&api, &caller).await.map(One)
}

pub(crate) async fn gather(api: &Api, caller: &Caller) -> Result<Stats, Problem> {
    let stats = platform::stats(&api.app, caller.only_own()).await;
    stats.map(Stats::from).map_err(Problem::internal)
}
