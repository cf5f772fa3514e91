//! The OpenAPI 3.1 document of each dialect, made from the route table and the very shapes that
//! render the answers.

mod complete;
pub(crate) mod endpoints;
mod examples;
mod files;
mod links;
mod typescript;

pub use files::files;

use super::dialect::Dialect;
use super::error::ErrorCode;
use super::names::Names;
use super::reply::Schemas;
use super::routes;
use super::table::Listed;
use serde_json::{Map, Value, json};

/// The documents and routes of every dialect, made once.
#[derive(Debug)]
pub(crate) struct Documents {
    pub(crate) v1: Value,
    pub(crate) flat: Value,
    pub(crate) listed: Vec<(Dialect, Listed)>,
}

/// The names of the documented dialects.
#[must_use]
pub fn dialects() -> [&'static str; 2] {
    [Dialect::V1.name(), Dialect::Flat.name()]
}

/// The document of a dialect by its name, as `docs/openapi` holds it.
#[must_use]
pub fn document(dialect: &str) -> Option<Value> {
    let (_, documents) = routes::build();
    match dialect {
        "v1" => Some(documents.v1),
        "flat" => Some(documents.flat),
        _ => None,
    }
}

/// Puts a dialect's document together.
pub(crate) fn assemble(
    dialect: Dialect,
    paths: Map<String, Value>,
    schemas: Schemas,
    names: &Names,
) -> Value {
    let (title, about) = match dialect {
        Dialect::V1 | Dialect::Ipc => ("Flyball API, v1", V1_ABOUT),
        Dialect::Flat => ("Flyball API, flat", FLAT_ABOUT),
    };
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": "1.0.0",
            "description": format!("{about}\n\n{}", error_table(dialect)),
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/", "description": "The server that this document comes from." }],
        "paths": paths,
        "components": {
            "schemas": schemas.0,
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The access token of a sign-in.",
                },
                "api_key": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-API-Key",
                    "description": "A key that an account has made for a program.",
                },
            },
        },
    });
    complete::complete(&mut document, dialect, names);
    document
}

const V1_ABOUT: &str = "Machines, their readings and limits, and what may be asked of them. \
    Every success is `{data, meta, links}`, every problem RFC 9457 `application/problem+json`.";
const FLAT_ABOUT: &str = "The same handlers with named keys at the top and `success: true` \
    beside them, for clients of the flat management API.";

/// The registry as a table, so that the documentation can't list other errors than the code.
fn error_table(dialect: Dialect) -> String {
    let mut table =
        String::from("## Errors\n\n| error | status | retry | what to do |\n|---|---|---|---|\n");
    for code in ErrorCode::ALL {
        let entry = code.entry();
        let status = code.status(dialect).as_u16();
        let retry = if entry.retryable { "yes" } else { "no" };
        table
            .push_str(&format!("| `{}` | {status} | {retry} | {} |\n", entry.slug, entry.recovery));
    }
    table
}
