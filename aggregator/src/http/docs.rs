//! The documents and their reference pages, without anything from another host.

use super::Api;
use super::console;
use super::dialect::Dialect;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

const SCRIPT: &str = "assets/rapidoc-min.js";

pub(crate) async fn v1_document(State(api): State<Api>) -> Response {
    json(api.documents.v1.to_string())
}

pub(crate) async fn flat_document(State(api): State<Api>) -> Response {
    json(api.documents.flat.to_string())
}

fn json(body: String) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

pub(crate) async fn v1_page(State(api): State<Api>) -> Response {
    page(&api, Dialect::V1).await
}

pub(crate) async fn flat_page(State(api): State<Api>) -> Response {
    page(&api, Dialect::Flat).await
}

async fn page(api: &Api, dialect: Dialect) -> Response {
    let (name, prefix) = (dialect.name(), dialect.prefix());
    let head = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Flyball API, {name}</title>"
    );
    let body = if console::has(api, SCRIPT).await {
        format!(
            "<script type=\"module\" src=\"/{SCRIPT}\"></script>\
             <rapi-doc spec-url=\"{prefix}/openapi.json\" load-fonts=\"false\" \
             render-style=\"read\" show-header=\"false\" allow-spec-url-load=\"false\" \
             allow-spec-file-load=\"false\" schema-style=\"table\"></rapi-doc>"
        )
    } else {
        format!(
            "<body style=\"font:16px/1.5 system-ui;max-width:40rem;margin:4rem auto\">\
             <h1>Flyball API, {name}</h1><p>This binary was built without the reference page. \
             With Node installed, <code>cargo xtask console</code> builds it.\
             <p>The document itself: <a href=\"{prefix}/openapi.json\">openapi.json</a>."
        )
    };
    console::page(format!("{head}{body}</html>\n"))
}
