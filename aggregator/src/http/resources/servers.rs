//! The aggregators that serve this database, each as it said of itself.

use crate::app::instances::Instance;
use crate::http::Api;
use crate::http::auth::Reader;
use crate::http::error::Problem;
use crate::http::reply::{Answer, Flat, Many, Resource};
use crate::http::time::rfc3339;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Server {
    id: Uuid,
    version: String,
    /// Where its API is.
    url: String,
    /// Where its agents connect.
    ingest: String,
    /// `online`, or `offline` where it was not seen for a minute.
    status: &'static str,
    started_at: String,
    last_seen: String,
    /// Is it the one that answers?
    current: bool,
}

impl Resource for Server {
    const FLAT: Flat = Flat::named("server", "servers");
}

impl Server {
    fn of(instance: Instance, api: &Api) -> Self {
        let online = instance.is_online(api.app.clock.now_ms());
        Self {
            status: if online { "online" } else { "offline" },
            current: instance.id == api.app.instance,
            started_at: rfc3339(instance.started_at_ms),
            last_seen: rfc3339(instance.seen_at_ms),
            id: instance.id,
            version: instance.version,
            url: instance.api,
            ingest: instance.ingest,
        }
    }
}

/// Servers are no organization's: whoever sees a part of the fleet alone sees none.
pub(crate) async fn list(State(api): State<Api>, Reader(caller): Reader) -> Answer<Many<Server>> {
    if caller.only_own().is_some() {
        return Ok(Many::whole(Vec::new()));
    }
    let instances = api.app.store.instances().await.map_err(Problem::internal)?;
    Ok(Many::whole(instances.into_iter().map(|it| Server::of(it, &api)).collect()))
}
