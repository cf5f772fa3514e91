//! `If-Match` and `If-None-Match`: which version of a resource a request knows.

use super::error::{ErrorCode, Problem};
use super::reply::Schemas;
use super::table::{Input, Operation};
use axum::extract::FromRequestParts;
use axum::http::header::{HeaderName, IF_MATCH, IF_NONE_MATCH};
use axum::http::request::Parts;
use serde_json::json;

/// The version that a change is meant for; RFC 9110, section 13.1.1. Required.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IfMatch {
    /// `*`: whatever stands there.
    Any,
    Version(u64),
    /// Tags that no version of ours has.
    Foreign,
}

/// The versions that the client has already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct IfNoneMatch(Vec<u64>);

impl IfMatch {
    /// What has to stand there, where it has to be one version.
    ///
    /// # Errors
    /// Where no version can be the one.
    pub(crate) fn expected(self) -> Result<Option<u64>, Problem> {
        match self {
            Self::Any => Ok(None),
            Self::Version(version) => Ok(Some(version)),
            Self::Foreign => Err(failed("none of the tags in If-Match is a version of this")),
        }
    }

    /// # Errors
    /// Where `what` stands at another version than the one meant.
    pub(crate) fn admit(self, version: u64, what: &str) -> Result<(), Problem> {
        match self.expected()? {
            Some(expected) if expected != version => Err(changed(what)),
            _ => Ok(()),
        }
    }
}

impl IfNoneMatch {
    pub(crate) fn knows(&self, version: u64) -> bool {
        self.0.contains(&version)
    }
}

/// `what` is at another version by now.
pub(crate) fn changed(what: &str) -> Problem {
    failed(format!("the {what} was changed since"))
}

/// The resource is another one by now.
pub(crate) fn failed(message: impl Into<String>) -> Problem {
    Problem::new(ErrorCode::PreconditionFailed, message)
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = value(parts, &IF_MATCH) else {
            let message = "this change needs If-Match with the ETag of what you have read";
            return Err(Problem::new(ErrorCode::PreconditionRequired, message));
        };
        if value.trim() == "*" {
            return Ok(Self::Any);
        }
        // A weak tag never matches here.
        let strong: Vec<u64> = value.split(',').filter_map(|tag| version(tag.trim())).collect();
        Ok(match strong.as_slice() {
            [version] => Self::Version(*version),
            _ => Self::Foreign,
        })
    }
}

/// The same where a request may do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MaybeIfMatch(Option<IfMatch>);

impl MaybeIfMatch {
    /// # Errors
    /// Where no version can be the one.
    pub(crate) fn expected(self) -> Result<Option<u64>, Problem> {
        self.0.map_or(Ok(None), IfMatch::expected)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for MaybeIfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if !parts.headers.contains_key(IF_MATCH) {
            return Ok(Self(None));
        }
        IfMatch::from_request_parts(parts, state).await.map(|own| Self(Some(own)))
    }
}

impl Input for MaybeIfMatch {
    fn describe(operation: &mut Operation, _: &mut Schemas) {
        let text = "The ETag of what was read; nothing is changed where it is another by now.";
        operation.parameters.push(parameter("If-Match", false, text));
        operation.fails(&[ErrorCode::PreconditionFailed]);
    }
}

impl Input for IfMatch {
    fn describe(operation: &mut Operation, _: &mut Schemas) {
        operation.parameters.push(parameter(
            "If-Match",
            true,
            "The ETag of what was read, or `*`.",
        ));
        operation.fails(&[ErrorCode::PreconditionRequired, ErrorCode::PreconditionFailed]);
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let value = value(parts, &IF_NONE_MATCH).unwrap_or_default();
        let tags = value.split(',').map(|tag| tag.trim().trim_start_matches("W/"));
        Ok(Self(tags.filter_map(version).collect()))
    }
}

impl Input for IfNoneMatch {
    fn describe(operation: &mut Operation, _: &mut Schemas) {
        let text = "The ETag of what is known; 304 where it still is that.";
        operation.parameters.push(parameter("If-None-Match", false, text));
    }
}

fn parameter(name: &str, required: bool, description: &str) -> serde_json::Value {
    json!({
        "name": name,
        "in": "header",
        "required": required,
        "description": description,
        "schema": { "type": "string" },
    })
}

fn value(parts: &Parts, name: &HeaderName) -> Option<String> {
    let mut values = parts.headers.get_all(name).iter().peekable();
    values.peek()?;
    let texts = values.map(|value| value.to_str().unwrap_or_default());
    Some(texts.collect::<Vec<_>>().join(","))
}

fn version(tag: &str) -> Option<u64> {
    tag.strip_prefix('"')?.strip_suffix('"')?.parse().ok()
}
