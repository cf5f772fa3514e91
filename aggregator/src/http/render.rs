//! The outermost layer: gives every request its id, draws what the handlers left, and writes
//! the headers that every answer has. Nothing that fails below it escapes unrendered.

use super::Api;
use super::access_log::Asked;
use super::console;
use super::dialect::Dialect;
use super::error::{ErrorCode, Problem};
use super::extract::RequestId;
use super::listener::Secure;
use super::reply::{Payload, Render, Rendered, Scene};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

pub(crate) const X_API_VERSION: HeaderName = HeaderName::from_static("x-api-version");
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The version that this server speaks.
const VERSION: &str = "1";
/// Browsers come back over TLS alone for a year.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");
const MAX_REQUEST_ID: usize = 64;

/// Marks a response whose body is final, whatever its status.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Final;

/// What a version header may say.
fn speaks(headers: &HeaderMap) -> bool {
    headers.get(X_API_VERSION).is_none_or(|value| matches!(value.as_bytes(), b"1" | b"v1" | b"1.0"))
}

/// What the carrier says, or else the path.
fn dialect(request: &Request) -> Dialect {
    let said = request.extensions().get::<Dialect>().copied();
    said.unwrap_or_else(|| Dialect::of_path(request.uri().path()))
}

/// Draws the answer of everything below.
pub(crate) async fn render(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let scene = Scene {
        dialect: dialect(&request),
        request_id: request_id(request.headers(), &api),
        path: request.uri().path().to_owned(),
        query: request.uri().query().map(str::to_owned),
        now_ms: api.app.clock.now_ms(),
    };
    request.extensions_mut().insert(RequestId(scene.request_id.clone()));
    request.extensions_mut().insert(scene.clone());
    let asked = Asked::start(&api, &request);
    let secure = request.extensions().get::<Secure>().is_some();
    let response = if speaks(request.headers()) {
        next.run(request).await
    } else {
        Problem::new(ErrorCode::UnsupportedVersion, "this server speaks version 1 only")
            .detail("supported", vec![VERSION])
            .into_response()
    };
    let mut response = draw(response, &scene);
    write_headers(response.headers_mut(), &scene);
    if secure {
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    asked.end(&api, &scene.request_id, &response);
    response
}

/// The response with its payload drawn. One without a payload is final where it is no error.
pub(crate) fn draw(mut response: Response, scene: &Scene) -> Response {
    if let Some(Payload(payload)) = response.extensions_mut().remove::<Payload>() {
        return draw_payload(response, payload.as_ref(), scene);
    }
    let status = response.status();
    let is_final = response.extensions().get::<Final>().is_some();
    if is_final || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let code = ErrorCode::of_status(status);
    draw_payload(response, &Problem::new(code, explanation(code, scene)), scene)
}

fn draw_payload(response: Response, payload: &dyn Render, scene: &Scene) -> Response {
    let rendered = payload.render(scene).unwrap_or_else(|error| {
        tracing::error!(request_id = %scene.request_id, %error, "an answer can't be rendered");
        Rendered {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            content_type: scene.dialect.problem_media_type(),
            headers: Vec::new(),
            body: br#"{"error":"internal_error","code":"INTERNAL_ERROR","status":500}"#.to_vec(),
        }
    });
    let (mut parts, _) = response.into_parts();
    parts.status = rendered.status;
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(rendered.content_type));
    for (name, value) in rendered.headers {
        parts.headers.insert(name, value);
    }
    parts.extensions.insert(Final);
    Response::from_parts(parts, Body::from(rendered.body))
}

fn explanation(code: ErrorCode, scene: &Scene) -> String {
    let path = &scene.path;
    match code {
        ErrorCode::NotFound => format!("there is nothing at {path}"),
        ErrorCode::MethodNotAllowed => format!("{path} does not take this method"),
        ErrorCode::Timeout => "the request took longer than this server allows".into(),
        ErrorCode::InternalError => "the server failed at this request; its log says why".into(),
        _ => "the request was refused before it reached its handler".into(),
    }
}

/// The client's own id where it is a harmless one, else a new one.
fn request_id(headers: &HeaderMap, api: &Api) -> String {
    let own = headers.get(X_REQUEST_ID).and_then(|value| value.to_str().ok());
    let harmless = own.filter(|id| {
        (1..=MAX_REQUEST_ID).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    });
    harmless.map_or_else(|| api.app.clock.new_id().to_string(), str::to_owned)
}

fn write_headers(headers: &mut HeaderMap, scene: &Scene) {
    if let Ok(id) = HeaderValue::from_str(&scene.request_id) {
        headers.insert(X_REQUEST_ID, id);
    }
    let fixed = [
        (X_API_VERSION, VERSION),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        let policy = HeaderValue::from_static(console::NOTHING);
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}
