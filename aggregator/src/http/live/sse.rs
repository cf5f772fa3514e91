//! The same stream as server-sent events: topics in the address, bookmarks as event ids, so that
//! a browser that comes back goes on by itself.

use super::feed::{Feed, Request};
use super::message::parse_topics;
use super::said::Said;
use super::{MAX_STREAMS, StreamQuery};
use crate::http::Api;
use crate::http::error::{ErrorCode, Problem};
use crate::live::Mode;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use serde_json::json;
use std::convert::Infallible;

const LAST_EVENT_ID: &str = "last-event-id";

/// Serves the topics that `query` names to `caller`.
pub(super) async fn serve(
    api: Api,
    caller: crate::access::Caller,
    query: &StreamQuery,
    headers: &HeaderMap,
) -> Response {
    let names: Vec<String> = query
        .topics
        .iter()
        .flat_map(|topics| topics.split(';'))
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    if names.is_empty() {
        let message = "`topics` names what to stream, separated by `;`: `topics=events;readings:*`";
        return Problem::new(ErrorCode::BadRequest, message).into_response();
    }
    let topics = match parse_topics(&names, query.mode.unwrap_or(Mode::Event)) {
        Ok(topics) => topics,
        Err(message) => return Problem::new(ErrorCode::BadRequest, message).into_response(),
    };
    if api.app.live.subscribers() >= MAX_STREAMS {
        return Problem::new(ErrorCode::Unavailable, "too many streams are open").into_response();
    }
    let header = headers.get(LAST_EVENT_ID).and_then(|value| value.to_str().ok());
    let resume = header.map(str::to_owned).or_else(|| query.resume.clone());
    let mut feed = Feed::open(api, caller, false).await;
    feed.greet().await;
    feed.subscribe(None, Request { topics, min_interval_ms: query.min_interval_ms, resume }).await;
    // The end of a stream is the end of its answer: the client comes back and is told why.
    let events = stream::unfold(Some(feed), |feed| async {
        let mut feed = feed?;
        match feed.next().await {
            Ok(message) => Some((Ok::<_, Infallible>(event(&message)), Some(feed))),
            Err(end) => {
                let data = json!({ "type": "close", "code": end.code, "reason": end.reason });
                Some((Ok(event(&Said::Own(data))), None))
            }
        }
    });
    Sse::new(events.fuse()).keep_alive(KeepAlive::default()).into_response()
}

fn event(message: &Said) -> Event {
    let event = Event::default().event(message.kind().unwrap_or("message")).data(message.text());
    match message.bookmark() {
        Some(token) => event.id(token),
        None => event,
    }
}
