//! The API, the console and the live streams over HTTP: one set of handlers, drawn in dialects.
//!
//! `routes` is the table, each resource has its file, and the layers around them stand here in
//! the order in which a request passes them. No SQL and no QUIC; the domain modules are asked.

mod accept;
mod access_log;
mod auth;
mod basic;
mod console;
mod cursor;
mod dialect;
mod docs;
mod error;
mod exposition;
mod extract;
mod idempotency;
pub mod ipc;
mod limits;
mod listener;
mod listing;
mod live;
mod names;
mod openapi;
mod paging;
mod patch;
mod peer;
mod precondition;
mod purge;
mod ranges;
mod record;
mod render;
mod reply;
mod resources;
mod routes;
mod table;
mod time;

pub use openapi::{dialects, document, files};

use crate::app::App;
use axum::body::{Body, HttpBody};
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower::ServiceExt;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::timeout::TimeoutBody;

/// No handler takes longer; jobs that do are operations.
const PATIENCE: Duration = Duration::from_secs(30);
/// A file comes at least so fast, or is not waited for.
const SLOWEST_BYTES_PER_S: u64 = 64 * 1024;
/// Shorter bodies gain nothing by compression.
const COMPRESS_ABOVE_BYTES: u64 = 1024;
/// Each may hold the largest file in memory.
const UPLOADS: usize = 4;
/// How long a browser may remember what CORS allows.
const PREFLIGHT_AGE: Duration = Duration::from_secs(600);

/// What handlers share: the house, and what only HTTP needs.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) app: App,
    pub(crate) limits: limits::Meters,
    pub(crate) basic: basic::Basic,
    pub(crate) tickets: live::Tickets,
    /// Files that are taken in at once.
    pub(crate) uploads: Arc<Semaphore>,
    pub(crate) documents: Arc<openapi::Documents>,
}

/// Serves until the process shuts down.
///
/// # Errors
/// Where the listener fails for good.
pub async fn serve(app: App, listener: TcpListener) -> std::io::Result<()> {
    serve_with(app, listener, None).await
}

/// The same, and the same API on a Unix socket.
///
/// # Errors
/// Where the listener fails for good.
pub async fn serve_with(
    app: App,
    listener: TcpListener,
    socket: Option<ipc::Listener>,
) -> std::io::Result<()> {
    let (router, api) = house(app.clone());
    let socket = socket.map(|socket| tokio::spawn(socket.serve(api, router.clone())));
    let served = listener::serve(&app, router, listener).await;
    if let Some(socket) = socket {
        // It ends by the same word; a panic of its own has told of itself.
        let _ = socket.await;
    }
    served
}

/// Everything that is served, in its layers.
pub fn router(app: App) -> Router {
    house(app).0
}

/// The router, and what its handlers share.
fn house(app: App) -> (Router, Api) {
    let (routes, documents) = routes::build();
    let api = Api {
        limits: limits::Meters::new(&app),
        basic: basic::Basic::new(),
        app,
        tickets: live::Tickets::default(),
        uploads: Arc::new(Semaphore::new(UPLOADS)),
        documents: Arc::new(documents),
    };
    let patience = Duration::from_millis(api.app.config.listener.body_patience_ms);
    let cors = tower::util::option_layer(cors(&api.app.config.cors.origins));
    let whole = routes
        .fallback(console::fallback)
        .method_not_allowed_fallback(|| async { StatusCode::METHOD_NOT_ALLOWED })
        .layer(from_fn_with_state(api.clone(), idempotency::replay))
        .layer(from_fn_with_state(api.clone(), limits::enforce))
        .layer(from_fn_with_state(api.clone(), auth::identify))
        .layer(from_fn_with_state(api.clone(), peer::locate))
        .layer(from_fn(refuse_large_bodies))
        .layer(from_fn(move |request, next| bound_pauses(patience, request, next)))
        .layer(DefaultBodyLimit::max(extract::MAX_BODY_BYTES))
        .layer(from_fn(bound_time))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(api.clone(), render::render))
        .layer(cors)
        .layer(
            CompressionLayer::new()
                .compress_when(SizeAbove::new(COMPRESS_ABOVE_BYTES).and(NotForContentType::IMAGES)),
        )
        .with_state(api.clone());
    let inner = whole.clone();
    (whole.layer(Extension(Whole(Some(inner)))), api)
}

/// The router itself, for those who send further requests through it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Whole(Option<Router>);

impl Whole {
    pub(crate) async fn answer(self, request: Request) -> Response {
        match self.0 {
            Some(router) => router.oneshot(request).await.into_response(),
            None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        }
    }
}

/// Cuts a body off that pauses longer than `patience`. An empty one stays as it is, so that its
/// being empty can be seen.
async fn bound_pauses(patience: Duration, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    next.run(request.map(|body| Body::new(TimeoutBody::new(patience, body)))).await
}

/// The announced length of a body.
fn length(request: &Request) -> Option<u64> {
    let length = request.headers().get(header::CONTENT_LENGTH);
    length.and_then(|value| value.to_str().ok()?.parse().ok())
}

fn takes_files(path: &str) -> bool {
    path == "/api/v1/plugins"
        || ["/api/v1/curricula", "/api/curricula"].iter().any(|own| path.starts_with(own))
}

/// Ends what takes longer than it may.
async fn bound_time(request: Request, next: Next) -> Response {
    let most = extract::MAX_FILE_BYTES as u64;
    let body = match length(&request) {
        _ if request.body().is_end_stream() => 0,
        Some(length) => length.min(most),
        None => most,
    };
    let patience = patience(request.uri().path(), body);
    match tokio::time::timeout(patience, next.run(request)).await {
        Ok(response) => response,
        Err(_) => StatusCode::GATEWAY_TIMEOUT.into_response(),
    }
}

/// How long a request may take: as its file needs on a slow line, and then as any other.
fn patience(path: &str, body_bytes: u64) -> Duration {
    let file = if takes_files(path) { body_bytes } else { 0 };
    PATIENCE + Duration::from_secs(file / SLOWEST_BYTES_PER_S)
}

/// Refuses by the announced length, before a byte of the body is read.
async fn refuse_large_bodies(request: Request, next: Next) -> Response {
    let length = length(&request);
    let path = request.uri().path();
    let max = if takes_files(path) { extract::MAX_FILE_BYTES } else { extract::MAX_BODY_BYTES };
    match length {
        Some(length) if length > max as u64 => {
            tracing::warn!(length, path, "a body was refused by its length");
            extract::too_large(max).into_response()
        }
        Some(_) | None => next.run(request).await,
    }
}

fn panicked(panic: Box<dyn std::any::Any + Send + 'static>) -> Response {
    let message = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    tracing::error!(message, "a handler panicked");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

/// Other origins by allow-list; none where it is empty.
fn cors(origins: &[String]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let allowed: Vec<HeaderValue> =
        origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()).collect();
    let exposed = [
        "x-request-id",
        "x-api-version",
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
        "x-ratelimit-window",
        "retry-after",
        "location",
        "link",
    ];
    let layer = CorsLayer::new()
        .allow_origin(AllowOrigin::list(allowed))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_MATCH,
            header::IF_NONE_MATCH,
            HeaderName::from_static("idempotency-key"),
            auth::X_API_KEY,
            render::X_API_VERSION,
            render::X_REQUEST_ID,
        ])
        .expose_headers(exposed.map(HeaderName::from_static))
        .max_age(PREFLIGHT_AGE);
    Some(layer)
}

#[cfg(test)]
mod tests;
