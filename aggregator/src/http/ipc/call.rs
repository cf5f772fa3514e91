//! One call: from its message to a request, and from the response to its answer.

use super::answer::{self, Fault};
use super::catalogue::{Route, routes};
use super::{MAX_ANSWER_BYTES, MAX_FRAME_BYTES};
use crate::http::Api;
use crate::http::auth::Identity;
use crate::http::dialect::Dialect;
use crate::http::error::ErrorCode;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use form_urlencoded::{Serializer, byte_serialize};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Map, Value, json};
use tower::ServiceExt;

/// What a message asks for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    /// Absent where no answer is wanted.
    pub(super) id: Option<Value>,
    pub(super) method: String,
    pub(super) params: Map<String, Value>,
}

impl Call {
    /// The call of a message, or what it is answered.
    pub(super) fn read(message: Value) -> Result<Self, Value> {
        let Value::Object(mut message) = message else {
            let said = "a message is an object, or a list of them";
            return Err(answer::fault(&Value::Null, Fault::InvalidRequest, said));
        };
        let id = message.remove("id");
        let known = match &id {
            None => Value::Null,
            Some(id) if id.is_null() || id.is_string() || id.is_number() => id.clone(),
            Some(_) => {
                let said = "`id` is a string or a number";
                return Err(answer::fault(&Value::Null, Fault::InvalidRequest, said));
            }
        };
        if message.get("jsonrpc") != Some(&json!("2.0")) {
            let said = "`jsonrpc` has to be \"2.0\"";
            return Err(answer::fault(&known, Fault::InvalidRequest, said));
        }
        let Some(Value::String(method)) = message.remove("method") else {
            let said = "`method` has to be a string";
            return Err(answer::fault(&known, Fault::InvalidRequest, said));
        };
        let params = match message.remove("params") {
            None => Map::new(),
            Some(Value::Object(params)) => params,
            Some(_) => {
                let said = "`params` has to be an object: parameters have names here";
                return Err(answer::fault(&known, Fault::InvalidParams, said));
            }
        };
        Ok(Self { id, method, params })
    }

    /// The id that an answer repeats.
    pub(super) fn known(&self) -> Value {
        self.id.clone().unwrap_or_default()
    }
}

/// Does what `call` asks for and answers it.
pub(super) async fn make(api: &Api, router: Router, account: &str, call: Call) -> Value {
    let id = call.known();
    let Some(route) = routes().get(&call.method) else {
        let said = format!("there is no method `{}`", call.method);
        return answer::fault(&id, Fault::MethodNotFound, said);
    };
    let mut request = match request(route, call.params) {
        Ok(request) => request,
        Err(said) => return answer::fault(&id, Fault::InvalidParams, said),
    };
    let identity = match api.app.accounts.local_caller(account).await {
        Ok(Some(caller)) => Identity::Known(caller),
        Ok(None) => {
            let said = format!("the account {account} is not there, or is disabled");
            return answer::refusal(&id, ErrorCode::AccountInactive, &said);
        }
        Err(error) => {
            let error = crate::http::error::error_chain(&error);
            tracing::error!(%error, "an account can't be judged");
            Identity::Unknown
        }
    };
    request.extensions_mut().insert(identity);
    request.extensions_mut().insert(Dialect::Ipc);
    match router.oneshot(request).await {
        Ok(response) => read(&id, response).await,
        Err(never) => match never {},
    }
}

/// The request of a call, or what is wrong with its parameters.
fn request(route: &Route, mut params: Map<String, Value>) -> Result<Request<Body>, String> {
    let mut path = route.path.clone();
    for name in &route.in_path {
        let value = params.remove(name).as_ref().and_then(text);
        let value = value
            .filter(|value| !value.is_empty())
            .ok_or_else(|| format!("`params.{name}` has to be there, as a string or a number"))?;
        path = path.replace(&format!("{{{name}}}"), &escaped(&value));
    }
    let body = params.remove("body");
    if body.is_some() && !route.takes_body {
        return Err("this method takes no `params.body`".into());
    }
    let mut builder = Request::builder().method(route.method.clone());
    for (name, header) in [("if_match", header::IF_MATCH), ("if_none_match", header::IF_NONE_MATCH)]
    {
        if let Some(value) = params.remove(name) {
            let tag = text(&value).ok_or_else(|| format!("`params.{name}` is a version"))?;
            builder = builder.header(header, tagged(&tag));
        }
    }
    if let Some(key) = params.remove("idempotency_key") {
        let key = key.as_str().ok_or("`params.idempotency_key` is a string")?.to_owned();
        builder = builder.header("idempotency-key", key);
    }
    let mut query = Serializer::new(String::new());
    for (name, value) in &params {
        if value.is_null() {
            continue;
        }
        if !route.in_query.contains(name) && !name.contains('[') {
            let known: Vec<&str> =
                route.in_path.iter().chain(&route.in_query).map(String::as_str).collect();
            return Err(format!("`params.{name}` is not known; there are: {}", known.join(", ")));
        }
        let value = text(value)
            .ok_or_else(|| format!("`params.{name}` is a string, a number or a boolean"))?;
        query.append_pair(name, &value);
    }
    let query = query.finish();
    let uri = if query.is_empty() { path } else { format!("{path}?{query}") };
    builder = builder.uri(uri);
    let body = match body {
        Some(body) => {
            builder = builder.header(header::CONTENT_TYPE, "application/json");
            Body::from(body.to_string())
        }
        None => Body::empty(),
    };
    builder.body(body).map_err(|_| {
        format!("the parameters make no request: each has plain text and at most {MAX_FRAME_BYTES} bytes")
    })
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// As one segment of a path; `.` and `..` would be steps.
fn escaped(segment: &str) -> String {
    byte_serialize(segment.as_bytes()).collect::<String>().replace('+', "%20").replace('.', "%2E")
}

fn tagged(tag: &str) -> String {
    if tag == "*" || tag.starts_with('"') { tag.to_owned() } else { format!("\"{tag}\"") }
}

async fn read(id: &Value, response: Response<Body>) -> Value {
    let (parts, body) = response.into_parts();
    let bytes = match Limited::new(body, MAX_ANSWER_BYTES).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            let said = format!("the answer is longer than {MAX_ANSWER_BYTES} bytes: ask for less");
            return answer::refusal(id, ErrorCode::PayloadTooLarge, &said);
        }
        Err(_) => {
            let said = "the answer broke off; the server's log says why";
            return answer::refusal(id, ErrorCode::InternalError, said);
        }
    };
    if parts.status == StatusCode::NOT_MODIFIED {
        let known = json!({ "status": "not_modified", "data": null, "error": null, "meta": {} });
        return answer::result(id, with_headers(known, &parts.headers));
    }
    let drawn = serde_json::from_slice::<Value>(&bytes).ok();
    // An address to go on at is an answer; it stands in `meta`.
    if !parts.status.is_success() && !parts.status.is_redirection() {
        return answer::problem(id, parts.status.as_u16(), drawn.unwrap_or_default());
    }
    // Anything else than an answer of a handler was not drawn for a frame.
    let drawn = drawn.filter(|drawn| drawn.get("status").is_some() && drawn.get("meta").is_some());
    let result = drawn.unwrap_or_else(|| {
        let media_type = header_text(&parts.headers, &header::CONTENT_TYPE);
        let data = json!({ "media_type": media_type, "base64": STANDARD.encode(&bytes) });
        json!({ "status": "ok", "data": data, "error": null, "meta": {} })
    });
    answer::result(id, with_headers(result, &parts.headers))
}

/// What HTTP says in headers stands in `meta`.
fn with_headers(mut result: Value, headers: &HeaderMap<HeaderValue>) -> Value {
    if let Some(tag) = header_text(headers, &header::ETAG) {
        result["meta"]["etag"] = tag.trim_matches('"').into();
    }
    if let Some(location) = header_text(headers, &header::LOCATION) {
        result["meta"]["location"] = location.into();
    }
    result
}

fn header_text<'a>(
    headers: &'a HeaderMap<HeaderValue>,
    name: &header::HeaderName,
) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
