//! One-time tickets with which a browser opens a stream: it can't send headers there.

use crate::http::Api;
use crate::http::auth::Member;
use crate::http::error::Problem;
use crate::http::live::TICKET_TTL_MS;
use crate::http::reply::{Answer, Flat, One, Resource};
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StreamTicket {
    ticket: String,
    /// Seconds.
    expires_in: u64,
}

impl Resource for StreamTicket {
    const FLAT: Flat = Flat::fields();
}

pub(crate) async fn create(
    State(api): State<Api>,
    Member(caller): Member,
) -> Answer<One<StreamTicket>> {
    let ticket = api.tickets.issue(caller, api.app.clock.now_ms()).map_err(Problem::internal)?;
    Ok(One(StreamTicket { ticket, expires_in: TICKET_TTL_MS / 1_000 }))
}
