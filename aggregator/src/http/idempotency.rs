//! Idempotency keys: a POST that is sent twice has its effect once, and the second answer is the
//! first one again.
//!
//! A key belongs to its user and route and is kept for a day. The kept body is sealed with a key
//! that only the client's own header gives, so that a copy of the database shows no answer that
//! was shown once. Signing in is exempt: its answers are secrets by themselves.

use super::Api;
use super::auth::Identity;
use super::dialect::Dialect;
use super::error::{ErrorCode, Problem};
use super::extract::{MAX_BODY_BYTES, read};
use super::render::{Final, draw};
use super::reply::Scene;
use crate::audit::Circumstances;
use crate::store::{Begun, KeptAnswer, KeyBounds, StoreError};
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use ring::aead;
use sha2::{Digest, Sha256};

const HEADER: &str = "idempotency-key";
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const MAX_KEY: usize = 255;
/// Headers that a request means something else by.
const MEANING: [&str; 3] = ["if-match", "x-client-id", "x-client-name"];
/// What a repeated answer carries besides its body.
const KEPT_HEADERS: [HeaderName; 2] = [header::CONTENT_TYPE, header::LOCATION];

/// One use of a key.
struct Use {
    key_hash: [u8; 32],
    body_hash: [u8; 32],
    seal: [u8; 32],
}

/// Answers a repeated request with the first answer; lets all others pass.
pub(crate) async fn replay(State(api): State<Api>, request: Request, next: Next) -> Response {
    let Some((user, key)) = subject(&request) else { return next.run(request).await };
    let Some(scene) = request.extensions().get::<Scene>().cloned() else {
        return next.run(request).await;
    };
    if !(1..=MAX_KEY).contains(&key.len()) {
        let message = format!("an Idempotency-Key has 1 to {MAX_KEY} characters");
        return Problem::new(ErrorCode::BadRequest, message).into_response();
    }
    let (parts, body) = request.into_parts();
    let bytes = match read(Request::new(body), MAX_BODY_BYTES).await {
        Ok(bytes) => bytes,
        Err(problem) => return problem.into_response(),
    };
    let usage = Use::of(&user, &key, &parts, &bytes);
    let now_ms = api.app.clock.now_ms();
    let limits = &api.app.config.limits;
    let bounds =
        KeyBounds { per_owner: limits.idempotency_keys_per_user, in_all: limits.idempotency_keys };
    let (key, body) = (&usage.key_hash, &usage.body_hash);
    match api.app.store.begin_idempotent(key, body, &user, bounds, now_ms).await {
        Err(error) => Problem::internal(error).into_response(),
        Ok(Begun::InFlight) => Problem::new(
            ErrorCode::IdempotencyInFlight,
            "the first request with this Idempotency-Key is still under way",
        )
        .retry_after(1)
        .into_response(),
        Ok(Begun::Full) => Problem::new(
            ErrorCode::RateLimitExceeded,
            format!("{} of your Idempotency-Keys are kept for a day already", bounds.per_owner),
        )
        .retry_after(3_600)
        .into_response(),
        Ok(Begun::Mismatch) => Problem::new(
            ErrorCode::IdempotencyMismatch,
            "this Idempotency-Key was used for a different request",
        )
        .into_response(),
        Ok(Begun::Kept(kept)) => again(&usage, kept),
        Ok(Begun::New) => {
            let request = Request::from_parts(parts, Body::from(bytes));
            // The effect and its record outlive a client that hangs up.
            let work = tokio::spawn(
                Circumstances::current().around(first(api, usage, scene, request, next)),
            );
            work.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
        }
    }
}

fn subject(request: &Request) -> Option<(String, String)> {
    if !matches!(*request.method(), Method::POST | Method::PATCH) {
        return None;
    }
    let path = request.uri().path();
    if path.contains("/auth/") || !(path.starts_with("/api/") || path == "/log") {
        return None;
    }
    let key = request.headers().get(HEADER)?.to_str().ok()?;
    match request.extensions().get::<Identity>()? {
        Identity::Known(caller) => Some((caller.user.to_string(), key.to_owned())),
        Identity::Anonymous | Identity::Refused(_) | Identity::Unknown => None,
    }
}

impl Use {
    fn of(user: &str, key: &str, parts: &Parts, body: &Bytes) -> Self {
        let mut route = format!("{} {}", parts.method, parts.uri.path());
        // A kept answer is drawn already.
        if let Some(Scene { dialect: Dialect::Ipc, .. }) = parts.extensions.get() {
            route.insert_str(0, "ipc ");
        }
        let hash = |purpose: &str, texts: &[&[u8]]| -> [u8; 32] {
            let mut digest = Sha256::new_with_prefix(purpose);
            for text in texts {
                digest.update((text.len() as u64).to_be_bytes());
                digest.update(text);
            }
            digest.finalize().into()
        };
        let scope = [user.as_bytes(), route.as_bytes(), key.as_bytes()];
        let query = parts.uri.query().unwrap_or_default();
        let [condition, client, name] = MEANING
            .map(|name| parts.headers.get(name).map(HeaderValue::as_bytes).unwrap_or_default());
        Self {
            key_hash: hash("key", &scope),
            body_hash: hash("body", &[query.as_bytes(), condition, client, name, body]),
            seal: hash("seal", &scope),
        }
    }

    fn sealing_key(&self) -> Option<aead::LessSafeKey> {
        let key = aead::UnboundKey::new(&aead::CHACHA20_POLY1305, &self.seal).ok()?;
        Some(aead::LessSafeKey::new(key))
    }

    fn seal(&self, body: &[u8]) -> Option<Vec<u8>> {
        let mut nonce = [0; 12];
        getrandom::fill(&mut nonce).ok()?;
        let mut sealed = body.to_vec();
        let unique = aead::Nonce::assume_unique_for_key(nonce);
        self.sealing_key()?
            .seal_in_place_append_tag(unique, aead::Aad::empty(), &mut sealed)
            .ok()?;
        Some([nonce.as_slice(), &sealed].concat())
    }

    fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, body) = sealed.split_at_checked(12)?;
        let nonce = aead::Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut body = body.to_vec();
        let open = self.sealing_key()?.open_in_place(nonce, aead::Aad::empty(), &mut body).ok()?;
        Some(open.to_vec())
    }
}

async fn first(api: Api, usage: Use, scene: Scene, request: Request, next: Next) -> Response {
    let (parts, body) = draw(next.run(request).await, &scene).into_parts();
    let Ok(body) = body.collect().await.map(http_body_util::Collected::to_bytes) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let kept = if had_effect(parts.status, &body) {
        kept(&usage, parts.status, &parts.headers, &body)
    } else {
        None
    };
    if let Err(error) = settle(&api, &usage, kept).await {
        tracing::error!(error = %super::error::error_chain(&error), "an answer was not kept");
    }
    Response::from_parts(parts, Body::from(body))
}

async fn settle(api: &Api, usage: &Use, kept: Option<KeptAnswer>) -> Result<(), StoreError> {
    match kept {
        Some(kept) => api.app.store.keep_answer(&usage.key_hash, &kept).await,
        None => api.app.store.forget_idempotent(&usage.key_hash).await,
    }
}

/// What was refused before anything happened may be sent again under the same key. A refusal
/// that names an operation came from the machine: the operation is there.
fn had_effect(status: StatusCode, body: &[u8]) -> bool {
    const OPERATION: &[u8] = b"\"operation\":\"/api/v1/operations/";
    status.is_success()
        || body.windows(OPERATION.len()).any(|part| part == OPERATION)
        || status == StatusCode::CONFLICT
        || (status.is_server_error() && status != StatusCode::SERVICE_UNAVAILABLE)
}

fn kept(usage: &Use, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Option<KeptAnswer> {
    let headers = KEPT_HEADERS.iter().filter_map(|name| {
        let value = headers.get(name)?.to_str().ok()?;
        Some((name.as_str().to_owned(), value.to_owned()))
    });
    Some(KeptAnswer {
        status: status.as_u16(),
        headers: headers.collect(),
        body: usage.seal(body)?,
    })
}

fn again(usage: &Use, kept: KeptAnswer) -> Response {
    let Some(body) = usage.open(&kept.body) else {
        return Problem::new(ErrorCode::Conflict, "the first answer to this key can't be read")
            .into_response();
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() =
        StatusCode::from_u16(kept.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in kept.headers {
        let pair = (HeaderName::try_from(name), HeaderValue::try_from(value));
        if let (Ok(name), Ok(value)) = pair {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response.extensions_mut().insert(Final);
    response
}
