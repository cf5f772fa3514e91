//! The registry of errors and the problem that carries one to a client.
//!
//! Every refusal of the API is an entry of [`ErrorCode`]: its slug, its status in each dialect,
//! its title, what a client can do, and whether trying again may help. A [`Problem`] is one
//! occurrence. Sources are kept for the log and never reach a client.

use super::dialect::Dialect;
use super::reply::{Payload, Render, Rendered, Scene};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use utoipa::ToSchema;

/// What the registry says of one error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) slug: &'static str,
    pub(crate) v1: u16,
    pub(crate) flat: u16,
    pub(crate) title: &'static str,
    pub(crate) recovery: &'static str,
    pub(crate) retryable: bool,
}

macro_rules! registry {
    ($($name:ident, $slug:literal, $v1:literal, $flat:literal, $title:literal, $retryable:literal, $recovery:literal;)*) => {
        /// Every error that the API gives.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum ErrorCode { $($name,)* }

        impl ErrorCode {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name,)*];

            pub(crate) const fn entry(self) -> Entry {
                match self {
                    $(Self::$name => Entry {
                        slug: $slug, v1: $v1, flat: $flat, title: $title,
                        recovery: $recovery, retryable: $retryable,
                    },)*
                }
            }
        }
    };
}

registry! {
    InvalidJson, "invalid_json", 400, 400, "Invalid JSON", false, "Send a body that is valid JSON.";
    MissingField, "missing_field", 422, 400, "Missing Field", false, "Send the listed fields as well.";
    ValidationError, "validation_error", 422, 400, "Unprocessable Entity", false, "Correct the listed fields and send again.";
    InvalidEmail, "invalid_email", 422, 400, "Invalid Email", false, "Send an address of the form name@example.org.";
    WeakPassword, "weak_password", 422, 400, "Weak Password", false, "Choose a longer password.";
    MissingCredentials, "missing_credentials", 400, 400, "Missing Credentials", false, "Send both email and password.";
    MissingDevice, "missing_device", 400, 400, "Missing Device", false, "Send the device object with at least a fingerprint.";
    MissingToken, "missing_token", 400, 400, "Missing Token", false, "Send refresh_token.";
    InvalidInvitation, "invalid_invitation", 422, 400, "Invalid Invitation", false, "Ask whoever invited you for a new invitation.";
    InvalidSource, "validation_error", 400, 400, "Invalid Source", false, "Correct the source at the lines of validationErrors.";
    UnsupportedVersion, "unsupported_version", 400, 400, "Unsupported Version", false, "Ask for version 1 or leave X-API-Version out.";
    UnsupportedFormat, "unsupported_format", 400, 400, "Unsupported Format", false, "Ask for a format that the capabilities list.";
    InvalidCursor, "invalid_cursor", 400, 400, "Invalid Cursor", false, "Start again without a cursor.";
    BadRequest, "bad_request", 400, 400, "Bad Request", false, "Correct the request and send it again.";
    ConfirmationRequired, "confirmation_required", 409, 400, "Confirmation Required", false, "Look at what is meant, and send the confirmation if you mean it.";
    Unauthorized, "unauthorized", 401, 401, "Unauthorized", false, "Sign in and send the access token as Authorization: Bearer.";
    InvalidCredentials, "invalid_credentials", 401, 401, "Invalid Credentials", false, "Check email and password.";
    AccountInactive, "account_inactive", 401, 401, "Account Inactive", false, "Ask a superuser to enable the account.";
    MfaRequired, "mfa_required", 401, 401, "Second Factor Required", false, "Send details.challenge with a code to /auth/mfa/verify.";
    InvalidCode, "invalid_code", 401, 401, "Invalid Code", false, "Wait for the next code of the app, or use a recovery code.";
    BasicRefused, "basic_refused", 401, 401, "Basic Authentication Refused", false, "Sign in for an access token, or use an API key.";
    AccountLocked, "account_locked", 401, 401, "Account Locked", true, "Wait until the lock ends, then sign in with the right password.";
    InvalidToken, "invalid_token", 401, 401, "Invalid Token", false, "Sign in again.";
    TokenExpired, "token_expired", 401, 401, "Token Expired", false, "Refresh the access token, or sign in again.";
    TokenReused, "token_reused", 401, 401, "Token Reused", false, "Sign in again: every session of this token's family was ended.";
    ProviderRefused, "provider_refused", 401, 401, "Provider Refused", false, "Begin the sign-in again; details say what the provider said.";
    IdTokenRefused, "id_token_refused", 401, 401, "ID Token Refused", false, "Begin the sign-in again; details.reason tells an administrator what the provider's token lacks.";
    InvalidState, "invalid_state", 400, 400, "Invalid State", false, "Begin the sign-in again, and finish it in the same browser within ten minutes.";
    IdentityUnknown, "identity_unknown", 403, 403, "Identity Unknown", false, "Ask a superuser for an account or an invitation, or link the identity under your account.";
    EmailUnverified, "email_unverified", 403, 403, "Email Unverified", false, "Verify the address at the provider, then sign in again.";
    IdentityUnlinked, "identity_unlinked", 409, 409, "Identity Unlinked", false, "Sign in as before and link the identity under your account.";
    IdentityTaken, "identity_taken", 409, 409, "Identity Taken", false, "Sign in with this identity, and part it from that account first.";
    Forbidden, "forbidden", 403, 403, "Forbidden", false, "Ask someone whose role allows it.";
    RegistrationClosed, "registration_closed", 403, 403, "Registration Closed", false, "Ask a superuser for an account.";
    InvitationRequired, "invitation_required", 403, 403, "Invitation Required", false, "Ask somebody who manages an organization here for an invitation.";
    NotFound, "not_found", 404, 404, "Not Found", false, "Check the address and the id.";
    MethodNotAllowed, "method_not_allowed", 405, 405, "Method Not Allowed", false, "Use one of the methods that the Allow header names.";
    NotAcceptable, "not_acceptable", 406, 406, "Not Acceptable", false, "Send Accept with one of the media types in details.available.";
    RequestTimeout, "request_timeout", 408, 408, "Request Timeout", true, "Send the request again.";
    Conflict, "conflict", 409, 409, "Conflict", false, "Read the resource again and decide anew.";
    EmailExists, "email_exists", 409, 409, "Email Exists", false, "Sign in with this address, or register another one.";
    LastSuperuser, "last_superuser", 409, 409, "Last Superuser", false, "Make somebody else a superuser first.";
    InterlockActive, "interlock_active", 409, 409, "Interlock Active", false, "Wait for the condition in clears_when, or ask for less.";
    Locked, "locked", 409, 409, "Locked", false, "Ask the owner of the lock to lift it, or lift it with a justification.";
    Outranked, "outranked", 409, 409, "Outranked", false, "Ask who it belongs to, or wait for the end that clears_when names.";
    StateConflict, "state_conflict", 409, 409, "State Conflict", false, "Look at the state as it is now and decide anew.";
    ConfirmationExpired, "confirmation_expired", 409, 409, "Confirmation Expired", false, "Ask for the operation again, and confirm it in time.";
    SecondPersonRequired, "second_person_required", 409, 409, "Second Person Required", false, "Have somebody else confirm it.";
    StartPaceExceeded, "start_pace_exceeded", 409, 409, "Start Pace Exceeded", true, "Wait for the seconds in Retry-After: the rack's feed takes no more at once.";
    BudgetExceeded, "budget_exceeded", 409, 409, "Budget Exceeded", true, "Take another machine of the rack off its feed, or wait until it draws less.";
    OperationRefused, "operation_refused", 409, 409, "Operation Refused", false, "Read the reason; the machine would refuse the same request again.";
    IdempotencyInFlight, "idempotency_in_flight", 409, 409, "Request In Flight", true, "Wait for the first request with this key to end.";
    IdempotencyMismatch, "idempotency_mismatch", 422, 422, "Idempotency Mismatch", false, "Use a new Idempotency-Key for a different request.";
    PreconditionFailed, "precondition_failed", 412, 412, "Precondition Failed", false, "Read the resource again, decide anew, and send its new ETag.";
    PreconditionRequired, "precondition_required", 428, 428, "Precondition Required", false, "Read the resource and send its ETag as If-Match.";
    PayloadTooLarge, "payload_too_large", 413, 413, "Payload Too Large", false, "Send a smaller body.";
    UnsupportedMediaType, "unsupported_media_type", 415, 415, "Unsupported Media Type", false, "Send Content-Type: application/json.";
    InvalidRequest, "invalid_request", 400, 400, "Invalid Request", false, "Send the fields of the grant, each once, as a form.";
    InvalidGrant, "invalid_grant", 400, 400, "Invalid Grant", false, "Check user name and password, or sign in again.";
    UnsupportedGrantType, "unsupported_grant_type", 400, 400, "Unsupported Grant Type", false, "Use password or refresh_token.";
    TooManyPoints, "too_many_points", 422, 400, "Too Many Points", false, "Ask for a shorter range, fewer series or a longer step.";
    RateLimitExceeded, "rate_limit_exceeded", 429, 429, "Too Many Requests", true, "Wait for the seconds in Retry-After.";
    InternalError, "internal_error", 500, 500, "Internal Server Error", true, "Try again; if it persists, give the request_id to whoever runs this server.";
    PluginFailed, "plugin_failed", 502, 502, "Plugin Failed", false, "Simplify the source, or ask the plugin's author.";
    PluginUnavailable, "plugin_unavailable", 503, 503, "Plugin Unavailable", true, "Connect an agent that has the plugin, then try again.";
    ProviderUnavailable, "provider_unavailable", 503, 503, "Provider Unavailable", true, "Try again in a moment, or sign in with a password.";
    Unavailable, "unavailable", 503, 503, "Service Unavailable", true, "Try again in a moment.";
    Timeout, "timeout", 504, 504, "Gateway Timeout", true, "Try again, or ask for less at once.";
}

impl ErrorCode {
    /// Is it drawn as RFC 6749, section 5.2, wants it?
    pub(crate) const fn is_oauth(self) -> bool {
        matches!(self, Self::InvalidRequest | Self::InvalidGrant | Self::UnsupportedGrantType)
    }

    pub(crate) fn status(self, dialect: Dialect) -> StatusCode {
        let entry = self.entry();
        let code = match dialect {
            Dialect::V1 | Dialect::Ipc => entry.v1,
            Dialect::Flat => entry.flat,
        };
        StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The entry for a status that a layer below answered with and no body of ours.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status.as_u16() {
            401 => Self::Unauthorized,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            405 => Self::MethodNotAllowed,
            406 => Self::NotAcceptable,
            408 => Self::RequestTimeout,
            409 => Self::Conflict,
            412 => Self::PreconditionFailed,
            428 => Self::PreconditionRequired,
            413 => Self::PayloadTooLarge,
            415 => Self::UnsupportedMediaType,
            422 => Self::ValidationError,
            429 => Self::RateLimitExceeded,
            503 => Self::Unavailable,
            504 => Self::Timeout,
            400..=499 => Self::BadRequest,
            _ => Self::InternalError,
        }
    }
}

/// One fault of one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct FieldError {
    pub(crate) field: String,
    pub(crate) message: String,
    /// JSON pointer into the body; absent for a query parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pointer: Option<String>,
    pub(crate) code: String,
}

impl FieldError {
    /// A fault of a field of the body.
    pub(crate) fn body(field: &str, code: &str, message: impl Into<String>) -> Self {
        let pointer = format!("/{}", field.replace('.', "/"));
        Self {
            field: field.into(),
            message: message.into(),
            pointer: Some(pointer),
            code: code.into(),
        }
    }

    /// A fault of a query parameter.
    pub(crate) fn query(field: &str, code: &str, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into(), pointer: None, code: code.into() }
    }
}

/// One occurrence of an error, on its way to a client.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) code: ErrorCode,
    // Boxed, so that the results of good answers stay small.
    occurrence: Box<Occurrence>,
}

#[derive(Debug, Default)]
struct Occurrence {
    message: String,
    details: Map<String, Value>,
    /// Members beside RFC 9457's that a requirement document names.
    members: Map<String, Value>,
    fields: Vec<FieldError>,
    retry_after_s: Option<u64>,
    headers: Vec<(HeaderName, HeaderValue)>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Problem {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        let occurrence = Occurrence { message: message.into(), ..Occurrence::default() };
        Self { code, occurrence: Box::new(occurrence) }
    }

    pub(crate) fn not_found(what: &str, id: impl std::fmt::Display) -> Self {
        Self::new(ErrorCode::NotFound, format!("there is no {what} `{id}`"))
    }

    pub(crate) fn invalid(fields: Vec<FieldError>) -> Self {
        let message = match fields.as_slice() {
            [one] => format!("{}: {}", one.field, one.message),
            _ => "request failed validation".into(),
        };
        let mut problem = Self::new(ErrorCode::ValidationError, message);
        problem.occurrence.fields = fields;
        problem
    }

    /// A failure of ours: the source goes to the log, the client gets the request id.
    pub(crate) fn internal(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        let mut problem = Self::new(
            ErrorCode::InternalError,
            "the server failed at this request; its log says why, under the request_id",
        );
        problem.occurrence.source = Some(Box::new(source));
        problem
    }

    pub(crate) fn detail(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.occurrence.details.insert(key.into(), value.into());
        self
    }

    pub(crate) fn message(&self) -> &str {
        &self.occurrence.message
    }

    pub(crate) fn fields(&self) -> &[FieldError] {
        &self.occurrence.fields
    }

    pub(crate) fn member(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.occurrence.members.insert(key.into(), value.into());
        self
    }

    pub(crate) fn field(mut self, field: FieldError) -> Self {
        self.occurrence.fields.push(field);
        self
    }

    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.occurrence.headers.push((name, value));
        self
    }

    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.occurrence.retry_after_s = Some(seconds);
        self
    }

    /// The problem's members as `dialect` has them.
    fn to_value(&self, scene: &Scene) -> Value {
        if self.code == ErrorCode::RateLimitExceeded && scene.dialect == Dialect::Flat {
            return json!({
                "error": "Rate limit exceeded",
                "code": "RATE_LIMIT_EXCEEDED",
                "retry_after": self.occurrence.retry_after_s.unwrap_or(1),
            });
        }
        let entry = self.code.entry();
        if self.code.is_oauth() {
            return json!({ "error": entry.slug, "error_description": self.occurrence.message });
        }
        let status = self.code.status(scene.dialect).as_u16();
        let mut body = Map::new();
        body.insert("type".into(), entry.slug.into());
        body.insert("title".into(), entry.title.into());
        body.insert("status".into(), status.into());
        body.insert("detail".into(), self.occurrence.message.clone().into());
        body.insert("instance".into(), scene.path.clone().into());
        body.insert("status_code".into(), status.into());
        body.insert("error".into(), entry.slug.into());
        body.insert("code".into(), entry.slug.to_uppercase().into());
        body.insert("message".into(), self.occurrence.message.clone().into());
        body.insert("details".into(), Value::Object(self.occurrence.details.clone()));
        body.insert("timestamp".into(), scene.now_ms.into());
        body.insert("field_errors".into(), json!(self.occurrence.fields));
        body.insert("request_id".into(), scene.request_id.clone().into());
        body.insert("retryable".into(), entry.retryable.into());
        body.insert("recovery".into(), entry.recovery.into());
        if let Some(seconds) = self.occurrence.retry_after_s {
            body.insert("retry_after".into(), seconds.into());
        }
        for (key, value) in &self.occurrence.members {
            body.insert(key.clone(), value.clone());
        }
        Value::Object(body)
    }
}

impl Render for Problem {
    fn render(&self, scene: &Scene) -> Result<Rendered, serde_json::Error> {
        if let Some(source) = &self.occurrence.source {
            let chain = error_chain(source.as_ref());
            tracing::error!(request_id = %scene.request_id, path = %scene.path, error = %chain, "request failed");
        }
        let mut headers = self.occurrence.headers.clone();
        if let Some(seconds) = self.occurrence.retry_after_s {
            headers.push((header::RETRY_AFTER, HeaderValue::from(seconds)));
        }
        Ok(Rendered {
            status: self.code.status(scene.dialect),
            content_type: if self.code.is_oauth() {
                "application/json"
            } else {
                scene.dialect.problem_media_type()
            },
            headers,
            body: serde_json::to_vec(&self.to_value(scene))?,
        })
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.code.status(Dialect::V1);
        let mut response = status.into_response();
        response.extensions_mut().insert(Payload(Arc::new(self)));
        response
    }
}

/// The error and its sources in one line, as a log carries them.
pub(crate) fn error_chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

/// The body of every problem, for the OpenAPI documents. `Problem::to_value` writes it.
#[derive(ToSchema)]
#[schema(as = Problem)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct ProblemBody {
    /// The error's slug, the same as `error`.
    r#type: String,
    title: String,
    status: u16,
    detail: String,
    instance: String,
    status_code: u16,
    error: String,
    code: String,
    message: String,
    details: Map<String, Value>,
    /// Unix milliseconds.
    timestamp: u64,
    field_errors: Vec<FieldError>,
    request_id: String,
    retryable: bool,
    recovery: String,
    /// Seconds; only where waiting helps.
    #[schema(required = false, nullable = false)]
    retry_after: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn scene(dialect: Dialect) -> Scene {
        Scene {
            dialect,
            request_id: "r-1".into(),
            path: "/api/v1/users".into(),
            query: None,
            now_ms: 1_795_298_303_071,
        }
    }

    #[test]
    fn slugs_are_unique_and_snake_case() {
        // A source with faults is a validation error too, with a status of its own.
        let codes = ErrorCode::ALL.iter().filter(|code| **code != ErrorCode::InvalidSource);
        let slugs: HashSet<_> = codes.map(|code| code.entry().slug).collect();
        assert_eq!(slugs.len(), ErrorCode::ALL.len() - 1);
        for slug in slugs {
            assert!(slug.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{slug}");
        }
    }

    #[test]
    fn every_status_is_an_error_status() {
        for code in ErrorCode::ALL {
            for dialect in [Dialect::V1, Dialect::Flat, Dialect::Ipc] {
                let status = code.status(dialect);
                assert!(status.is_client_error() || status.is_server_error(), "{code:?}");
            }
        }
    }

    #[test]
    fn a_validation_error_has_the_members_of_every_requirement() {
        let problem = Problem::invalid(vec![
            FieldError::body("email", "invalid_email", "Invalid email format"),
            FieldError::body("device.name", "too_long", "at most 200 characters"),
        ]);
        let body = serde_json::to_string_pretty(&problem.to_value(&scene(Dialect::V1))).unwrap();
        insta::assert_snapshot!(body, @r#"
        {
          "type": "validation_error",
          "title": "Unprocessable Entity",
          "status": 422,
          "detail": "request failed validation",
          "instance": "/api/v1/users",
          "status_code": 422,
          "error": "validation_error",
          "code": "VALIDATION_ERROR",
          "message": "request failed validation",
          "details": {},
          "timestamp": 1795298303071,
          "field_errors": [
            {
              "field": "email",
              "message": "Invalid email format",
              "pointer": "/email",
              "code": "invalid_email"
            },
            {
              "field": "device.name",
              "message": "at most 200 characters",
              "pointer": "/device/name",
              "code": "too_long"
            }
          ],
          "request_id": "r-1",
          "retryable": false,
          "recovery": "Correct the listed fields and send again."
        }
        "#);
    }

    #[test]
    fn validation_fails_with_422_in_v1_and_400_in_flat() {
        let problem = Problem::invalid(vec![]);
        assert_eq!(problem.code.status(Dialect::V1), 422);
        assert_eq!(problem.code.status(Dialect::Flat), 400);
    }

    #[test]
    fn a_flat_429_is_the_requirements_body_and_nothing_else() {
        let problem = Problem::new(ErrorCode::RateLimitExceeded, "slow down").retry_after(12);
        let rendered = problem.render(&scene(Dialect::Flat)).unwrap();
        assert_eq!(
            String::from_utf8(rendered.body).unwrap(),
            r#"{"error":"Rate limit exceeded","code":"RATE_LIMIT_EXCEEDED","retry_after":12}"#
        );
        assert_eq!(rendered.headers, vec![(header::RETRY_AFTER, HeaderValue::from(12))]);
    }

    #[test]
    fn a_source_goes_to_the_log_and_not_to_the_client() {
        let source = std::io::Error::other("SELECT secret FROM users");
        let rendered = Problem::internal(source).render(&scene(Dialect::V1)).unwrap();
        assert_eq!(rendered.status, 500);
        assert!(!String::from_utf8(rendered.body).unwrap().contains("SELECT"));
    }
}
