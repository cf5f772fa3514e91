//! What of the documentation the code writes besides the OpenAPI documents.

use super::{document, endpoints, typescript};
use crate::http::dialect::Dialect;
use crate::http::error::ErrorCode;
use crate::http::ipc;
use std::fmt::Write as _;

/// Files by their path below `docs`.
#[must_use]
pub fn files() -> [(&'static str, String); 4] {
    let client = document("v1").map(|document| typescript::print(&document)).unwrap_or_default();
    [
        ("clients/flyball.d.ts", client),
        ("errors.md", errors()),
        ("flat-endpoints.md", endpoints::page()),
        ("ipc.md", ipc::page()),
    ]
}

const ERRORS: &str = "# Errors

Every refusal of the API is one of these. Over HTTP it is a problem of RFC 9457, in the flat
dialect as `application/json`; on the [socket](ipc.md) the number is the error's code and the
problem its data. `error` is the slug, `recovery` what to do, and `retryable` says whether the same
request may be sent again. The table is written by the code.

| error | title | v1 | flat | socket | retry | what to do |
|---|---|---|---|---|---|---|
";

fn errors() -> String {
    let mut text = ERRORS.to_owned();
    for code in ErrorCode::ALL {
        let entry = code.entry();
        let [v1, flat, ipc] =
            [Dialect::V1, Dialect::Flat, Dialect::Ipc].map(|dialect| code.status(dialect).as_u16());
        let retry = if entry.retryable { "yes" } else { "no" };
        // Writing into a string does not fail.
        let _ = writeln!(
            text,
            "| `{}` | {} | {v1} | {flat} | {ipc} | {retry} | {} |",
            entry.slug, entry.title, entry.recovery
        );
    }
    text
}
