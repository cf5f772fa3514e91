//! Several requests in one: each runs through the whole router as its caller, with its own status,
//! and counts against the rate limits by itself.

use crate::http::Whole;
use crate::http::auth::Member;
use crate::http::error::{FieldError, Problem};
use crate::http::extract::Body as JsonBody;
use crate::http::reply::{Answer, Flat, One, Resource, Schemas};
use crate::http::table::{Input, Operation};
use axum::body::Body;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{StreamExt, stream};
use http_body_util::{BodyExt, Limited};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::net::SocketAddr;
use utoipa::ToSchema;

/// Parts of one batch.
const MAX_PARTS: usize = 50;
/// Parts that run at a time where they may.
const AT_ONCE: usize = 8;
const MAX_ID: usize = 64;
const MAX_PATH: usize = 4_096;
/// An answer that is longer is not carried.
const MAX_ANSWER_BYTES: usize = 256 * 1024;
const PREFIX: &str = "/api/v1/";
/// What has no end, and the batch itself.
const NOT_HERE: [&str; 2] = ["/api/v1/batch-requests", "/api/v1/stream"];
/// What a part may say of itself.
const OWN_HEADERS: [HeaderName; 6] = [
    header::ACCEPT,
    header::CONTENT_TYPE,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("x-request-id"),
];
/// What every part has from the batch: who asks, and from where.
const SHARED_HEADERS: [HeaderName; 6] = [
    header::AUTHORIZATION,
    header::FORWARDED,
    header::HOST,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("x-api-version"),
    HeaderName::from_static("x-forwarded-for"),
];

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BatchRequests {
    /// 1 to 50.
    #[schema(min_items = 1, max_items = 50)]
    requests: Vec<BatchPart>,
    /// May they run side by side? Else one ends before the next begins.
    #[serde(default)]
    #[schema(required = false)]
    parallel: bool,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BatchPart {
    /// Tells the parts of a batch apart.
    #[schema(min_length = 1, max_length = 64)]
    id: String,
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    method: String,
    /// Under `/api/v1/`, with its query.
    path: String,
    /// `accept`, `content-type`, `if-match`, `if-none-match`, `idempotency-key`, `x-request-id`.
    #[serde(default)]
    #[schema(required = false)]
    headers: BTreeMap<String, String>,
    /// Sent as JSON.
    #[schema(required = false, value_type = Option<Object>)]
    body: Option<Value>,
}

/// The answers, in the order of the requests.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BatchAnswers {
    responses: Vec<BatchAnswer>,
}

#[derive(Debug, Serialize, ToSchema)]
struct BatchAnswer {
    id: String,
    status: u16,
    headers: BTreeMap<String, String>,
    /// JSON where it is, else a text; of other bytes their base64, as `encoding` says then. Null
    /// where there is none, or it is longer than a batch carries.
    #[schema(value_type = Option<Object>)]
    body: Value,
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
    /// The body was too long to be carried; ask for it by itself.
    truncated: bool,
}

impl Resource for BatchAnswers {
    const FLAT: Flat = Flat::fields();
}

/// What the parts take over from the batch, and the router that they run through.
#[derive(Debug)]
pub(crate) struct Around {
    whole: Whole,
    headers: HeaderMap,
    peer: Option<ConnectInfo<SocketAddr>>,
}

impl<S: Send + Sync> FromRequestParts<S> for Around {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let whole = parts.extensions.get::<Whole>().cloned().unwrap_or_default();
        let mut headers = HeaderMap::new();
        for name in SHARED_HEADERS {
            for value in parts.headers.get_all(&name) {
                headers.append(name.clone(), value.clone());
            }
        }
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().copied();
        Ok(Self { whole, headers, peer })
    }
}

impl Input for Around {
    fn describe(_: &mut Operation, _: &mut Schemas) {}
}

pub(crate) async fn create(
    Member(_): Member,
    around: Around,
    JsonBody(batch): JsonBody<BatchRequests>,
) -> Answer<One<BatchAnswers>> {
    let requests = check(&batch, &around)?;
    let at_once = if batch.parallel { AT_ONCE } else { 1 };
    let answers = requests.into_iter().map(|(id, request)| {
        let whole = around.whole.clone();
        async move { answer(id, whole.answer(request).await).await }
    });
    let responses = stream::iter(answers).buffered(at_once).collect().await;
    Ok(One(BatchAnswers { responses }))
}

/// Every fault of every part, before the first one runs.
fn check(batch: &BatchRequests, around: &Around) -> Result<Vec<(String, Request<Body>)>, Problem> {
    if !(1..=MAX_PARTS).contains(&batch.requests.len()) {
        let message = format!("has 1 to {MAX_PARTS} parts");
        return Err(Problem::invalid(vec![FieldError::body("requests", "out_of_range", message)]));
    }
    let (mut faults, mut ids, mut requests) = (Vec::new(), HashSet::new(), Vec::new());
    for (number, part) in batch.requests.iter().enumerate() {
        if !(1..=MAX_ID).contains(&part.id.len()) || !ids.insert(&part.id) {
            let message = format!("is unlike the others' and has 1 to {MAX_ID} characters");
            let field = format!("requests.{number}.id");
            faults.push(FieldError::body(&field, "invalid_value", message));
        }
        match part.request(around) {
            Ok(request) => requests.push((part.id.clone(), request)),
            Err((field, message)) => {
                let field = format!("requests.{number}.{field}");
                faults.push(FieldError::body(&field, "invalid_value", message));
            }
        }
    }
    if faults.is_empty() { Ok(requests) } else { Err(Problem::invalid(faults)) }
}

impl BatchPart {
    fn request(&self, around: &Around) -> Result<Request<Body>, (&'static str, String)> {
        let known = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
        let method = known.into_iter().find(|method| method.as_str() == self.method);
        let method =
            method.ok_or_else(|| ("method", "is GET, POST, PUT, PATCH or DELETE".to_owned()))?;
        let path = self.path.split('?').next().unwrap_or_default();
        let plain = path.starts_with(PREFIX) && self.path.len() <= MAX_PATH;
        let here = !NOT_HERE.iter().any(|prefix| path.starts_with(prefix));
        if !plain || !here {
            let message = format!("lies under {PREFIX}, and is no batch and no stream");
            return Err(("path", message));
        }
        let mut request = Request::builder()
            .method(method)
            .uri(&self.path)
            .body(self.body.as_ref().map_or_else(Body::empty, |body| Body::from(body.to_string())))
            .map_err(|_| ("path", "is no path with its query".to_owned()))?;
        *request.headers_mut() = around.headers.clone();
        if self.body.is_some() {
            let json = HeaderValue::from_static("application/json");
            request.headers_mut().insert(header::CONTENT_TYPE, json);
        }
        for (name, value) in &self.headers {
            let own = OWN_HEADERS.into_iter().find(|own| own.as_str().eq_ignore_ascii_case(name));
            let value = HeaderValue::from_str(value).ok();
            let (Some(name), Some(value)) = (own, value) else {
                let message = format!("a part can't send `{}` so", name.escape_debug());
                return Err(("headers", message));
            };
            request.headers_mut().insert(name, value);
        }
        if let Some(peer) = around.peer {
            request.extensions_mut().insert(peer);
        }
        Ok(request)
    }
}

async fn answer(id: String, response: Response<Body>) -> BatchAnswer {
    let (parts, body) = response.into_parts();
    let bytes = Limited::new(body, MAX_ANSWER_BYTES).collect().await;
    let bytes = bytes.map(http_body_util::Collected::to_bytes);
    let truncated = bytes.is_err();
    let bytes = bytes.unwrap_or_default();
    let json = match bytes.is_empty() {
        true => Some(Value::Null),
        false => serde_json::from_slice(&bytes).ok(),
    };
    let (body, encoding) = match (json, std::str::from_utf8(&bytes)) {
        (Some(json), _) => (json, None),
        (None, Ok(text)) => (text.into(), None),
        (None, Err(_)) => (STANDARD.encode(&bytes).into(), Some("base64")),
    };
    let headers = parts.headers.iter().filter_map(|(name, value)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    });
    let status = parts.status.as_u16();
    BatchAnswer { id, status, headers: headers.collect(), body, encoding, truncated }
}
