//! Which application a request comes from, where its headers say so.

use crate::http::error::Problem;
use crate::http::reply::Schemas;
use crate::http::table::{Input, Operation};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde_json::json;

const HEADERS: [(&str, &str); 2] = [
    ("X-Client-ID", "The application, where the body does not name it."),
    ("X-Client-Name", "The application's name for people, where the body has none."),
];

/// As it was written; whoever takes it checks it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Source {
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Source {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let text = |(name, _): (&str, &str)| {
            let value = parts.headers.get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let [id, name] = HEADERS.map(text);
        Ok(Self { id, name })
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
                "schema": { "type": "string", "minLength": 1, "maxLength": 128 },
            })
        }));
    }
}
