//! The methods: every route of v1 by its name, read from v1's document.

use crate::http::openapi;
use axum::http::Method;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

/// One method and where it leads.
#[derive(Clone, Debug)]
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) in_path: Vec<String>,
    pub(super) in_query: Vec<String>,
    pub(super) takes_body: bool,
    pub(super) takes_if_match: bool,
    summary: String,
    right: Option<String>,
}

/// Every method by its name.
pub(super) fn routes() -> &'static BTreeMap<String, Route> {
    static ROUTES: LazyLock<BTreeMap<String, Route>> = LazyLock::new(|| {
        openapi::document("v1").map(|document| read(&document)).unwrap_or_default()
    });
    &ROUTES
}

fn read(document: &Value) -> BTreeMap<String, Route> {
    let mut routes = BTreeMap::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let name = operation["x-ipc-method"].as_str();
            let (Some(name), Ok(method)) =
                (name, Method::from_bytes(method.to_uppercase().as_bytes()))
            else {
                continue;
            };
            let named = |place: &str| -> Vec<String> {
                let parameters = operation["parameters"].as_array().into_iter().flatten();
                parameters
                    .filter(|parameter| parameter["in"] == place)
                    .filter_map(|parameter| parameter["name"].as_str().map(str::to_owned))
                    .collect()
            };
            let route = Route {
                method,
                path: path.clone(),
                in_path: named("path"),
                in_query: named("query"),
                takes_body: operation.get("requestBody").is_some(),
                takes_if_match: named("header").iter().any(|name| name == "If-Match"),
                summary: operation["summary"].as_str().unwrap_or_default().to_owned(),
                right: operation["x-right"].as_str().map(str::to_owned),
            };
            routes.insert(name.to_owned(), route);
        }
    }
    routes
}

/// `docs/ipc.md`.
#[must_use]
pub fn page() -> String {
    let mut text = format!(
        include_str!("preface.md"),
        frame = super::MAX_FRAME_BYTES,
        answer = super::MAX_ANSWER_BYTES,
        in_flight = super::MAX_IN_FLIGHT,
        batch = super::MAX_BATCH,
        connections = super::MAX_CONNECTIONS,
        local = crate::accounts::LOCAL,
    );
    for (name, route) in routes() {
        let parameters = route.in_path.iter().map(|name| format!("`{name}`"));
        let optional = route.in_query.iter().map(|name| format!("`{name}`?"));
        let body = route.takes_body.then(|| "`body`".to_owned());
        let if_match = route.takes_if_match.then(|| "`if_match`".to_owned());
        let parameters: Vec<String> =
            parameters.chain(body).chain(if_match).chain(optional).collect();
        // Writing into a string does not fail.
        let _ = writeln!(
            text,
            "| `{name}` | `{} {}` | {} | {} | {} |",
            route.method,
            route.path,
            parameters.join(", "),
            route.right.as_deref().unwrap_or("nobody's"),
            route.summary,
        );
    }
    text
}
