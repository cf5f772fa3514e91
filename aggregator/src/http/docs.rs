//! The documents and their reference pages, without anything from another host.

mod reference;

use super::Api;
use super::console;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

/// Finds operations by what is typed; the page is whole without it.
const SEARCH: &str = include_str!("docs/search.js");

pub(crate) async fn v1_document(State(api): State<Api>) -> Response {
    served(api.documents.v1.to_string(), "application/json")
}

pub(crate) async fn flat_document(State(api): State<Api>) -> Response {
    served(api.documents.flat.to_string(), "application/json")
}

pub(crate) async fn v1_page(State(api): State<Api>) -> Response {
    console::page(reference::page(&api.documents.v1, "/api/v1"))
}

pub(crate) async fn flat_page(State(api): State<Api>) -> Response {
    console::page(reference::page(&api.documents.flat, "/api"))
}

pub(crate) async fn search() -> Response {
    served(SEARCH.to_owned(), "text/javascript; charset=utf-8")
}

fn served(body: String, media_type: &'static str) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
