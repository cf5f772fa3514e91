//! What readers nearby get: the paths of the aggregator's own API, so that an application changes
//! the address and nothing else. Reading only.

mod answer;

use super::folder::{About, Shelf};
use crate::config::Secret;
use answer::{Answer, Problem};
use http_body_util::Either;
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, HeaderMap};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq as _;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

const MAX_CONNECTIONS: usize = 128;
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// For a head to come, and between two requests of a connection.
const HEAD_PATIENCE: Duration = Duration::from_secs(15);
const BIND_AGAIN: Duration = Duration::from_secs(10);
/// A recording may be listened to slowly, but not for ever.
const CONNECTION_LIFE: Duration = Duration::from_secs(6 * 60 * 60);

/// Where readers are served, and who they have to be.
#[derive(Clone, Debug)]
pub(crate) struct Serving {
    pub(crate) listen: SocketAddr,
    /// What a reader has to show; anybody where it is absent.
    pub(crate) token: Option<Secret>,
}

/// Serves for ever.
pub(crate) async fn serve(serving: Serving, shelf: Shelf) {
    let listener = bind(serving.listen).await;
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let serving = Arc::new(serving);
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // No descriptor is free; others end.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (serving, shelf) = (Arc::clone(&serving), shelf.clone());
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let (serving, shelf) = (Arc::clone(&serving), shelf.clone());
                async move { Ok::<_, Infallible>(respond(&serving, shelf, request).await) }
            });
            let mut http = hyper::server::conn::http1::Builder::new();
            http.timer(TokioTimer::new());
            http.header_read_timeout(HEAD_PATIENCE).max_buf_size(MAX_HEAD_BYTES);
            let connection = http.serve_connection(TokioIo::new(stream), service);
            match tokio::time::timeout(CONNECTION_LIFE, connection).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(%error, "a reader's connection ended"),
                Err(_) => tracing::debug!("a reader's connection was ended after its time"),
            }
            drop(place);
        });
    }
}

async fn bind(listen: SocketAddr) -> TcpListener {
    let mut reported = false;
    loop {
        match TcpListener::bind(listen).await {
            Ok(listener) => {
                tracing::info!(%listen, "readers here get content over HTTP");
                return listener;
            }
            Err(error) => {
                if !std::mem::replace(&mut reported, true) {
                    tracing::error!(%listen, %error, "no content over HTTP yet");
                }
                tokio::time::sleep(BIND_AGAIN).await;
            }
        }
    }
}

type Body = Either<http_body_util::Full<hyper::body::Bytes>, answer::FileBody>;

async fn respond(serving: &Serving, shelf: Shelf, request: Request<Incoming>) -> Response<Body> {
    let (head, _) = request.into_parts();
    let open = serving.token.is_none();
    let read = matches!(head.method, Method::GET | Method::HEAD);
    let answer = if !read {
        Err(Problem::Method)
    } else if !may_read(serving, &head.headers) {
        Err(Problem::Unauthorized)
    } else {
        let path = head.uri.path().to_owned();
        let wanted = answer::Wanted::of(&head.headers);
        // The disk is read off the runtime's thread.
        let found = tokio::task::spawn_blocking(move || find(&shelf, &path, &wanted)).await;
        found.unwrap_or(Err(Problem::Broken))
    };
    answer.unwrap_or_else(Answer::of_problem).into_response(head.method == Method::HEAD, open)
}

fn may_read(serving: &Serving, headers: &HeaderMap) -> bool {
    let Some(token) = &serving.token else { return true };
    let given =
        headers.get(AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    given.is_some_and(|given| bool::from(given.ct_eq(token.reveal().as_bytes())))
}

fn find(shelf: &Shelf, path: &str, wanted: &answer::Wanted) -> Result<Answer, Problem> {
    let mut parts = Vec::new();
    for part in path.trim_start_matches('/').split('/') {
        let part = percent_decode_str(part).decode_utf8().map_err(|_| Problem::NotFound)?;
        parts.push(part.into_owned());
    }
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match parts[..] {
        ["api", "health"] => {
            let held = shelf.held().map_err(Problem::of)?.len();
            Ok(Answer::json(&json!({ "status": "healthy", "curricula": held }), None))
        }
        ["api", "curricula"] => {
            let all = shelf.list().map_err(Problem::of)?;
            let shown: Vec<Value> = all.iter().map(curriculum).collect();
            let total = shown.len();
            Ok(Answer::json(&json!({ "success": true, "curricula": shown, "total": total }), None))
        }
        ["api", "curricula", id, "full"] => {
            let (about, document) = about(shelf, id)?;
            let tag = format!("\"{}\"", about.revision);
            Answer::file(document, about.size, "application/json", &tag, wanted)
        }
        ["api", "curricula", id, "assets"] => {
            let (about, _) = about(shelf, id)?;
            let shown: Vec<Value> = about.assets.iter().map(|a| asset(&about.id, a)).collect();
            let tag = format!("\"{}\"", about.revision);
            Ok(Answer::json(&json!({ "success": true, "assets": shown }), Some(tag)))
        }
        ["api", "curricula", id, "assets", asset, "content"] => {
            let (about, _) = about(shelf, id)?;
            let found = about.assets.iter().find(|known| known.id == asset);
            content(shelf, &about, found.ok_or(Problem::NotFound)?, wanted)
        }
        ["api", "curricula", id, "topics", topic, "stream-audio"] => {
            let (about, _) = about(shelf, id)?;
            let spoken = about
                .assets
                .iter()
                .find(|known| known.kind == "audio" && known.topic.as_deref() == Some(topic));
            content(shelf, &about, spoken.ok_or(Problem::NotFound)?, wanted)
        }
        _ => Err(Problem::NotFound),
    }
}

fn about(shelf: &Shelf, id: &str) -> Result<(About, std::path::PathBuf), Problem> {
    shelf.find(id).map_err(Problem::of)?.ok_or(Problem::NotFound)
}

fn content(
    shelf: &Shelf,
    about: &About,
    asset: &flyball_protocol::message::ShelfAsset,
    wanted: &answer::Wanted,
) -> Result<Answer, Problem> {
    let tag = format!("\"{}-{}\"", about.revision, asset.size);
    let path = shelf.asset(&about.id, &asset.id);
    Answer::file(path, asset.size, &asset.media_type, &tag, wanted)
}

fn curriculum(about: &About) -> Value {
    json!({
        "id": about.id, "title": about.title, "revision": about.revision,
        "size": about.size, "asset_count": about.assets.len(),
    })
}

fn asset(curriculum: &str, asset: &flyball_protocol::message::ShelfAsset) -> Value {
    let escaped = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let url =
        format!("/api/curricula/{}/assets/{}/content", escaped(curriculum), escaped(&asset.id));
    json!({
        "id": asset.id, "topic_id": asset.topic, "type": asset.kind, "title": asset.title,
        "mime_type": asset.media_type, "size": asset.size, "url": url,
    })
}

#[cfg(test)]
mod tests;
