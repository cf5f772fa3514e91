//! Live streams: `/ws` and `/api/v1/stream`, one WebSocket each, and `/api/v1/stream/sse`.
//!
//! A connection is authenticated by header, by a one-time ticket or by its first message, and
//! ends when its session does. What waits for it is bounded by its subscription: a slow reader
//! loses the oldest and is told so, and is not disconnected for it.

mod bookmark;
mod broadcast;
mod connection;
pub(super) mod feed;
pub(super) mod message;
mod replay;
pub(super) mod said;
mod sse;
mod tickets;

pub(crate) use tickets::{TICKET_TTL_MS, Tickets};

use super::Api;
use super::auth::{Identity, unauthorized};
use super::error::{ErrorCode, Problem};
use super::extract::Query;
use crate::access::Caller;
use crate::live::Mode;
use axum::extract::FromRequestParts;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use connection::Connection;
use serde::Deserialize;

/// The longest message that a client may send.
const MAX_MESSAGE_BYTES: usize = 64 * 1024;

/// Streams at once.
pub(super) const MAX_STREAMS: usize = 2_000;

mod close {
    pub(super) const GOING_AWAY: u16 = 1001;
    pub(super) const UNAUTHORIZED: u16 = 4401;
    pub(super) const TOO_MANY: u16 = 4429;
}

/// Why a stream ends.
pub(super) struct End {
    pub(super) code: u16,
    pub(super) reason: &'static str,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct StreamQuery {
    ticket: Option<String>,
    /// Of server-sent events, which take no messages.
    topics: Option<String>,
    mode: Option<Mode>,
    min_interval_ms: Option<u64>,
    resume: Option<String>,
}

/// Opens a stream.
pub(crate) async fn open(
    State(api): State<Api>,
    Query(query): Query<StreamQuery>,
    request: Request,
) -> Response {
    let caller = match caller(&api, &query, &request) {
        Ok(caller) => caller,
        Err(refused) => return *refused,
    };
    let (mut parts, _) = request.into_parts();
    match WebSocketUpgrade::from_request_parts(&mut parts, &api).await {
        Ok(upgrade) => upgrade
            .max_message_size(MAX_MESSAGE_BYTES)
            .max_frame_size(MAX_MESSAGE_BYTES)
            .on_upgrade(move |socket| Connection::run(api, socket, caller)),
        Err(_) => Problem::new(ErrorCode::BadRequest, "this address takes WebSocket upgrades only")
            .into_response(),
    }
}

/// Opens a stream of server-sent events.
pub(crate) async fn open_sse(
    State(api): State<Api>,
    Query(query): Query<StreamQuery>,
    request: Request,
) -> Response {
    match caller(&api, &query, &request) {
        Ok(Some(caller)) => sse::serve(api, caller, &query, request.headers()).await,
        Ok(None) => unauthorized(ErrorCode::Unauthorized).into_response(),
        Err(refused) => *refused,
    }
}

/// Whose request it is, by ticket or header; `None` where it does not say.
fn caller(
    api: &Api,
    query: &StreamQuery,
    request: &Request,
) -> Result<Option<Caller>, Box<Response>> {
    let now_ms = api.app.clock.now_ms();
    let refused = match (request.extensions().get::<Identity>(), &query.ticket) {
        (_, Some(ticket)) => match api.tickets.redeem(ticket, now_ms) {
            Some(caller) => return Ok(Some(caller)),
            None => Problem::new(ErrorCode::InvalidToken, "the ticket is unknown or used up")
                .into_response(),
        },
        (Some(Identity::Known(caller)), None) => return Ok(Some(caller.clone())),
        (Some(Identity::Anonymous) | None, None) => return Ok(None),
        (Some(Identity::Refused(code)), None) => unauthorized(*code).into_response(),
        (Some(Identity::Unknown), None) => {
            Problem::new(ErrorCode::Unavailable, "accounts can't be read now").into_response()
        }
    };
    Err(Box::new(refused))
}
