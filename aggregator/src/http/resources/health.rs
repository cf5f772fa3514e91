//! Is the server there, and can it work?

use crate::http::Api;
use crate::http::reply::{Answer, Flat, One, Resource};
use crate::http::time::rfc3339;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

/// Health as the flat document has it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    status: &'static str,
    server_time: String,
    uptime_seconds: u64,
    version: &'static str,
}

impl Resource for Health {
    const FLAT: Flat = Flat::bare();
}

/// The same with the `data` and `error` that desktop clients read.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HealthWithData {
    status: &'static str,
    server_time: String,
    uptime_seconds: u64,
    version: &'static str,
    data: HealthData,
    error: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
struct HealthData {
    version: &'static str,
}

impl Resource for HealthWithData {
    const FLAT: Flat = Flat::bare();
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

async fn status(api: &Api) -> &'static str {
    match api.app.store.ping().await {
        Ok(()) => "healthy",
        Err(error) => {
            tracing::error!(error = %crate::http::error::error_chain(&error), "the store is away");
            "degraded"
        }
    }
}

fn uptime_s(api: &Api) -> u64 {
    api.app.clock.now_ms().saturating_sub(api.app.started_at_ms) / 1_000
}

pub(crate) async fn health(State(api): State<Api>) -> Answer<One<Health>> {
    Ok(One(Health {
        status: status(&api).await,
        server_time: rfc3339(api.app.clock.now_ms()),
        uptime_seconds: uptime_s(&api),
        version: VERSION,
    }))
}

pub(crate) async fn health_with_data(State(api): State<Api>) -> Answer<One<HealthWithData>> {
    let status = match status(&api).await {
        "healthy" => "ok",
        other => other,
    };
    Ok(One(HealthWithData {
        status,
        server_time: rfc3339(api.app.clock.now_ms()),
        uptime_seconds: uptime_s(&api),
        version: VERSION,
        data: HealthData { version: VERSION },
        error: None,
    }))
}

/// The process turns its loop.
pub(crate) async fn livez() -> &'static str {
    "ok\n"
}

/// The store answers, so requests can be served; it says which engine it is, and what is spoken.
pub(crate) async fn readyz(State(api): State<Api>) -> (StatusCode, String) {
    let engine = api.app.store.engine();
    match api.app.store.ping().await {
        Ok(()) => (StatusCode::OK, format!("ready, {engine}, {}\n", api.app.config.tls.name())),
        Err(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("the store ({engine}) does not answer\n"))
        }
    }
}
