//! Which application a request comes from, where its headers say so.

use crate::applications::report::MAX_TEXT;
use crate::http::error::{FieldError, Problem};
use crate::http::reply::Schemas;
use crate::http::table::{Input, Operation};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde_json::json;

const HEADERS: [(&str, &str); 2] = [
    ("X-Client-ID", "The application, where the body does not name it."),
    ("X-Client-Name", "The application's name for people, where the body has none."),
];

/// As it was written, within its bound.
#[derive(Clone, Debug, Default)]
pub(crate) struct Source {
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Source {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let text = |(name, _): (&str, &str)| {
            let Some(value) = parts.headers.get(name) else { return Ok(None) };
            let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
            if (1..=MAX_TEXT).contains(&text.chars().count()) {
                return Ok(Some(text));
            }
            let message = format!("has 1 to {MAX_TEXT} characters");
            Err(Problem::invalid(vec![FieldError::query(name, "out_of_range", message)]))
        };
        let [id, name] = HEADERS.map(text);
        Ok(Self { id: id?, name: name? })
    }
}

impl Input for Source {
    fn describe(operation: &mut Operation, _: &mut Schemas) {
        operation.parameters.extend(HEADERS.map(|(name, description)| {
            json!({
                "name": name,
                "in": "header",
                "required": false,
                "description": description,
                "schema": { "type": "string", "minLength": 1, "maxLength": MAX_TEXT },
            })
        }));
    }
}
