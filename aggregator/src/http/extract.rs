//! What handlers take from a request. Every refusal is a problem of the registry; what a parser
//! says of itself stays here.

mod batch;
mod source;
mod upload;

pub(crate) use batch::Batch;
pub(crate) use source::Source;
pub(crate) use upload::{ComponentWords, Upload, is_form, turn};

use super::Api;
use super::error::{ErrorCode, FieldError, Problem};
use super::peer::ClientAddress;
use super::reply::Schemas;
use super::table::{Input, Operation};
use super::time;
use crate::accounts::Origin;
use crate::operations::Origin as Rank;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::any::TypeId;
use utoipa::openapi::path::ParameterIn;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// No body is longer. A diagram's source of the largest allowed length fits well.
pub(crate) const MAX_BODY_BYTES: usize = 1024 * 1024;
/// But for the routes that take files: the largest of these, and the form around it.
pub(crate) const MAX_FILE_BYTES: usize = crate::content::MAX_ASSET_BYTES + 1024 * 1024;

impl Input for State<Api> {
    fn describe(_: &mut Operation, _: &mut Schemas) {}
}

/// A JSON body of at most `MAX` bytes. No body at all is an empty object, for requests whose fields
/// may all be absent.
#[derive(Debug)]
pub(crate) struct Body<T, const MAX: usize = MAX_BODY_BYTES>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync, const MAX: usize> FromRequest<S> for Body<T, MAX> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let typed = request.headers().contains_key(header::CONTENT_TYPE);
        if !typed && axum::body::HttpBody::is_end_stream(request.body()) {
            return parse(b"{}").map(Self);
        }
        if !is_json(request.headers()) {
            return Err(Problem::new(
                ErrorCode::UnsupportedMediaType,
                "the body has to come as Content-Type: application/json",
            ));
        }
        parse(&read(request, MAX).await?).map(Self)
    }
}

impl<T: ToSchema + DeserializeOwned, const MAX: usize> Input for Body<T, MAX> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        // No body is an empty object.
        let required = serde_json::from_value::<T>(json!({})).is_err();
        operation.body = Some(json!({
            "required": required,
            "content": { "application/json": { "schema": schemas.reference::<T>() } },
        }));
        operation.fails(&[
            ErrorCode::InvalidJson,
            ErrorCode::ValidationError,
            ErrorCode::PayloadTooLarge,
            ErrorCode::UnsupportedMediaType,
        ]);
    }
}

/// The whole body, within its bound.
pub(crate) async fn read(request: Request, max_bytes: usize) -> Result<Bytes, Problem> {
    let body = Limited::new(request.into_body(), max_bytes);
    match body.collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large(max_bytes)),
        Err(error) if is_slow(error.as_ref()) => {
            Err(Problem::new(ErrorCode::RequestTimeout, "the body came too slowly"))
        }
        Err(_) => Err(Problem::new(ErrorCode::BadRequest, "the body ended before its length")),
    }
}

fn is_slow(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut error = Some(error);
    while let Some(this) = error {
        if this.is::<tower_http::timeout::TimeoutError>() {
            return true;
        }
        error = this.source();
    }
    false
}

pub(crate) fn too_large(max_bytes: usize) -> Problem {
    Problem::new(ErrorCode::PayloadTooLarge, format!("the body is longer than {max_bytes} bytes"))
        .detail("max_bytes", max_bytes)
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()) else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let value = value(bytes)?;
    if !value.is_object() {
        return Err(Problem::new(ErrorCode::ValidationError, "the body has to be a JSON object"));
    }
    typed(value, "")
}

fn value(bytes: &[u8]) -> Result<Value, Problem> {
    serde_json::from_slice(bytes).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        Problem::new(ErrorCode::InvalidJson, format!("the body is no valid JSON at {place}"))
            .detail("line", error.line())
            .detail("column", error.column())
    })
}

/// `value` as what it has to be; `place` is where it stands in the body.
pub(crate) fn typed<T: DeserializeOwned>(value: Value, place: &str) -> Result<T, Problem> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let said = error.inner().to_string();
        // serde says a missing field by its words alone.
        let missing = said.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
        if let Some(name) = missing {
            let field = if path == "." { name.to_owned() } else { format!("{path}.{name}") };
            let field = format!("{place}{field}");
            return Problem::invalid(vec![FieldError::body(
                &field,
                "missing_field",
                "is required",
            )]);
        }
        let field = if path == "." { "body" } else { &path };
        let field = format!("{place}{field}");
        Problem::invalid(vec![FieldError::body(
            &field,
            "invalid_value",
            "has the wrong type or a value that is not known here, or holds an unknown field",
        )])
    })
}

/// A form of OAuth2: RFC 6749 wants its own words for what is wrong with one.
#[derive(Debug)]
pub(crate) struct Form<T>(pub(crate) T);

/// No form of ours is longer.
const MAX_FORM_BYTES: usize = 16 * 1024;

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let refused = |message| Problem::new(ErrorCode::InvalidRequest, message);
        let value = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        let essence = value.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(refused("the body comes as application/x-www-form-urlencoded"));
        }
        let bytes = read(request, MAX_FORM_BYTES).await?;
        let pairs = form_urlencoded::parse(&bytes);
        T::deserialize(serde_urlencoded::Deserializer::new(pairs))
            .map(Self)
            .map_err(|_| refused("a field stands there twice or is no text"))
    }
}

impl<T: ToSchema> Input for Form<T> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        operation.body = Some(json!({
            "required": true,
            "content": {
                "application/x-www-form-urlencoded": { "schema": schemas.reference::<T>() },
            },
        }));
        operation.fails(&[ErrorCode::InvalidRequest, ErrorCode::PayloadTooLarge]);
    }
}

/// The query string.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = form_urlencoded::parse(query.as_bytes());
        let deserializer = serde_urlencoded::Deserializer::new(pairs);
        serde_path_to_error::deserialize(deserializer).map(Self).map_err(|error| {
            let path = error.path().to_string();
            let field = if path == "." { "query" } else { &path };
            Problem::invalid(vec![FieldError::query(
                field,
                "invalid_value",
                "has the wrong type, or stands there more than once",
            )])
        })
    }
}

impl<T: IntoParams> Input for Query<T> {
    fn describe(operation: &mut Operation, _: &mut Schemas) {
        for parameter in T::into_params(|| Some(ParameterIn::Query)) {
            operation.parameters.extend(serde_json::to_value(parameter));
        }
        operation.fails(&[ErrorCode::ValidationError]);
    }
}

/// The path's parameters; one that cannot be an id names nothing, so it is a 404.
#[derive(Debug)]
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        type Own<T> = axum::extract::Path<T>;
        let path = <Own<T> as FromRequestParts<S>>::from_request_parts(parts, state).await;
        path.map(|axum::extract::Path(value)| Self(value)).map_err(|_| {
            Problem::new(ErrorCode::NotFound, format!("there is nothing at {}", parts.uri.path()))
        })
    }
}

impl<T: 'static> Input for Path<T> {
    fn describe(operation: &mut Operation, _: &mut Schemas) {
        operation.ids = ids::<T>();
        operation.fails(&[ErrorCode::NotFound]);
    }
}

/// Which parts of a path's type are ids.
fn ids<T: 'static>() -> &'static [bool] {
    let is = |other| TypeId::of::<T>() == other;
    if is(TypeId::of::<Uuid>()) || is(TypeId::of::<(Uuid, String)>()) {
        &[true, false]
    } else if is(TypeId::of::<(Uuid, Uuid)>()) {
        &[true, true]
    } else if is(TypeId::of::<(String, Uuid)>()) {
        &[false, true]
    } else {
        &[]
    }
}

/// The id that the outermost layer gave the request.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) String);

/// Where the request comes from, as [`super::peer`] found it.
#[derive(Debug)]
pub(crate) struct CameFrom(pub(crate) Origin);

impl<S: Send + Sync> FromRequestParts<S> for CameFrom {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let client = parts.extensions.get::<ClientAddress>();
        let user_agent = parts.headers.get(header::USER_AGENT);
        Ok(Self(Origin {
            address: client.and_then(|client| client.0),
            user_agent: user_agent
                .and_then(|value| value.to_str().ok())
                .map(|value| value.chars().take(256).collect()),
            request_id: parts.extensions.get::<RequestId>().map(|id| id.0.clone()),
        }))
    }
}

impl Input for CameFrom {
    fn describe(_: &mut Operation, _: &mut Schemas) {}
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for RequestId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Problem> {
        Ok(parts.extensions.get::<Self>().cloned())
    }
}

impl Input for Option<RequestId> {
    fn describe(_: &mut Operation, _: &mut Schemas) {}
}

/// A year with a day more; what stands longer is withdrawn by hand.
const MAX_STANDS_FOR_S: u64 = 366 * 24 * 60 * 60;

/// What every command may be told besides its body.
#[derive(Debug)]
pub(crate) struct Terms {
    pub(crate) not_after_ms: Option<u64>,
    pub(crate) stands_for_s: Option<u64>,
    pub(crate) origin: Rank,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
struct TermsQuery {
    /// RFC 3339 or Unix milliseconds: nothing may happen any more after this.
    not_after: Option<String>,
    /// Seconds that what is asked for stands. A level without it stands until it is withdrawn; a
    /// switch or a setting without it is done, and may be asked otherwise by anybody.
    #[param(maximum = 31_622_400)]
    stands_for: Option<u64>,
    /// `remote`, a person, or `automation`: what a person asked for has precedence over that.
    origin: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Terms {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(query) = Query::<TermsQuery>::from_request_parts(parts, state).await?;
        let refused = |name, message| {
            Problem::invalid(vec![FieldError::query(name, "invalid_value", message)])
        };
        let not_after_ms =
            match query.not_after {
                Some(text) => Some(time::parse(&text).ok_or_else(|| {
                    refused("not_after", "is an RFC 3339 time or Unix milliseconds")
                })?),
                None => None,
            };
        let origin = match query.origin.as_deref() {
            None | Some("remote") => Rank::Remote,
            Some("automation") => Rank::Automation,
            Some(_) => return Err(refused("origin", "is remote or automation")),
        };
        if query.stands_for.is_some_and(|seconds| seconds > MAX_STANDS_FOR_S) {
            let message = format!("is at most {MAX_STANDS_FOR_S} seconds, a year");
            return Err(Problem::invalid(vec![FieldError::query(
                "stands_for",
                "out_of_range",
                message,
            )]));
        }
        Ok(Self { not_after_ms, stands_for_s: query.stands_for, origin })
    }
}

impl Input for Terms {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        Query::<TermsQuery>::describe(operation, schemas);
        operation.fails(&[
            ErrorCode::InterlockActive,
            ErrorCode::Locked,
            ErrorCode::Outranked,
            ErrorCode::StateConflict,
            ErrorCode::OperationRefused,
            ErrorCode::StartPaceExceeded,
            ErrorCode::BudgetExceeded,
            ErrorCode::Conflict,
            ErrorCode::Unavailable,
        ]);
    }
}
