//! The console's built files, embedded or from the folder that the configuration names, and a
//! plain page where it was not built. The console is one page with hash routing, so an address
//! that is no file is simply not found.

use super::Api;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;
use std::borrow::Cow;
use std::path::{Component, Path};

/// What a page may do that is no page.
pub(crate) const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";
/// What the console and the reference pages may do: their own scripts, pictures that they were
/// given as data, and this server.
const OWN: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";
/// No built file of a console is larger.
const MAX_FILE_BYTES: u64 = 32 * 1024 * 1024;

#[derive(RustEmbed)]
#[folder = "console/dist"]
#[allow_missing = true]
struct Built;

/// Any address that no route has: a file of the console, or nothing.
pub(crate) async fn fallback(State(api): State<Api>, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let path = match request.uri().path() {
        "/" => "index.html",
        path => path.trim_start_matches('/'),
    };
    match file(&api, path).await {
        Some(bytes) => serve(path, bytes, request.headers().get(header::IF_NONE_MATCH)),
        None if path == "index.html" => page(NOT_BUILT),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn file(api: &Api, path: &str) -> Option<Cow<'static, [u8]>> {
    let plain = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    if !plain || path.contains('\\') {
        return None;
    }
    let Some(folder) = &api.app.config.console_dir else {
        return Built::get(path).map(|file| file.data);
    };
    let file = folder.join(path);
    let metadata = tokio::fs::metadata(&file).await.ok()?;
    if !metadata.is_file() || metadata.len() > MAX_FILE_BYTES {
        return None;
    }
    tokio::fs::read(&file).await.ok().map(Cow::Owned)
}

fn serve(path: &str, bytes: Cow<'static, [u8]>, known: Option<&HeaderValue>) -> Response {
    let etag = etag(&bytes);
    let mut response = if known.is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Response::new(match bytes {
            Cow::Borrowed(bytes) => Body::from(bytes),
            Cow::Owned(bytes) => Body::from(bytes),
        })
    };
    let caching = if has_hash(path) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(path)));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(OWN));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        headers.insert(header::ETAG, etag);
    }
    response
}

/// A page of our own.
pub(crate) fn page(html: impl Into<Body>) -> Response {
    let mut response = Response::new(html.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(OWN));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn etag(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(bytes);
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

/// Names such as `index-B3f9aZ_1.js` change with their contents.
fn has_hash(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let Some((stem, _)) = name.split_once('.') else { return false };
    path.starts_with("assets/")
        && stem.len() > 9
        && stem.is_char_boundary(stem.len() - 9)
        && stem.as_bytes()[stem.len() - 9] == b'-'
        && stem[stem.len() - 8..].bytes().any(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" | "webmanifest" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}

const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
    <meta name=\"viewport\" content=\"width=device-width\"><title>Flyball</title>\
    <body style=\"font:16px/1.5 system-ui;max-width:40rem;margin:4rem auto;padding:0 1rem\">\
    <h1>Flyball</h1><p>The aggregator is running, but this binary was built without its console.\
    <p>To build it, with Node installed: <code>cargo xtask console</code>, then build the \
    aggregator again, or start it with <code>--console-dir aggregator/console/dist</code>.\
    <p>The API is here: <a href=\"/api/v1/docs\">v1</a>, <a href=\"/api/docs\">flat</a>.</html>\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_carry_a_hash_are_kept_for_ever() {
        for (path, hashed) in [
            ("assets/index-B3f9aZ_1.js", true),
            ("assets/some-document.js", false),
            ("index.html", false),
        ] {
            assert_eq!(has_hash(path), hashed, "{path}");
        }
    }
}
