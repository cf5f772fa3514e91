//! Live streams: `/ws` and `/api/v1/stream`, one WebSocket each.
//!
//! A connection is authenticated by header, by a one-time ticket or by its first message, and
//! ends when its session does. What waits for it is bounded by its subscription: a slow reader
//! loses the oldest and is told so, and is not disconnected for it.

mod connection;
mod message;
mod tickets;

pub(crate) use tickets::{TICKET_TTL_MS, Tickets};

use super::Api;
use super::auth::{Identity, unauthorized};
use super::error::{ErrorCode, Problem};
use super::extract::Query;
use axum::extract::FromRequestParts;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use connection::Connection;
use serde::Deserialize;

/// The longest message that a client may send.
const MAX_MESSAGE_BYTES: usize = 64 * 1024;

#[derive(Debug, Default, Deserialize)]
pub(crate) struct StreamQuery {
    ticket: Option<String>,
}

/// Opens a stream.
pub(crate) async fn open(
    State(api): State<Api>,
    Query(query): Query<StreamQuery>,
    request: Request,
) -> Response {
    let now_ms = api.app.clock.now_ms();
    let caller = match (request.extensions().get::<Identity>(), query.ticket) {
        (_, Some(ticket)) => match api.tickets.redeem(&ticket, now_ms) {
            Some(caller) => Some(caller),
            None => {
                return Problem::new(ErrorCode::InvalidToken, "the ticket is unknown or used up")
                    .into_response();
            }
        },
        (Some(Identity::Known(caller)), None) => Some(caller.clone()),
        (Some(Identity::Refused(code)), None) => return unauthorized(*code).into_response(),
        (Some(Identity::Unknown), None) => {
            return Problem::new(ErrorCode::Unavailable, "accounts can't be read now")
                .into_response();
        }
        (Some(Identity::Anonymous) | None, None) => None,
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
