//! Trips: what has latched, and clearing it.

use super::{Aim, Asking, Request, carry, check_text};
use crate::access::Right;
use crate::http::Api;
use crate::http::auth::{Actor, Reader};
use crate::http::error::Problem;
use crate::http::extract::{Body, Path, RequestId, Terms};
use crate::http::reply::{Accepted, Answer, Flat, Many, Resource};
use crate::http::resources::devices::find;
use crate::http::resources::operations::Operation;
use crate::http::time::{rfc3339, rfc3339_option};
use crate::operations::Action;
use axum::extract::State;
use flyball_protocol::guard::TripSnapshot;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TripClearRequest {
    /// The limit that tripped, by its name in `limits`.
    limit: String,
    /// Why it may run again, for the guard's journal and the audit log.
    reason: String,
    /// Seconds that the command stays good while the machine is away.
    ttl_seconds: Option<u64>,
}

/// As [`TripClearRequest`], for an address that names the trip.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TripReason {
    /// Why it may run again, for the guard's journal and the audit log.
    reason: String,
    /// Seconds that the command stays good while the machine is away.
    ttl_seconds: Option<u64>,
}

impl Request for TripClearRequest {
    fn action(self, aim: &Aim) -> Result<Action, Problem> {
        check_text("limit", &self.limit)?;
        check_text("reason", &self.reason)?;
        Ok(Action::ClearTrip { limit: aim.limit(self.limit), reason: self.reason })
    }

    fn ttl_seconds(&self) -> Option<u64> {
        self.ttl_seconds
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Trip {
    /// The limit's name: a limit has one trip at most.
    id: String,
    limit: String,
    since: String,
    /// What tripped it.
    reading: Option<f64>,
    threshold: Option<f64>,
    unit: &'static str,
    /// `threshold`, `ladder_exhausted` or `restored`.
    cause: String,
    clearable: bool,
    /// What still stands against clearing it.
    held_by: Option<String>,
}

impl Resource for Trip {
    const FLAT: Flat = Flat::named("trip", "trips");
}

impl From<TripSnapshot> for Trip {
    fn from(trip: TripSnapshot) -> Self {
        Self {
            id: trip.limit.clone(),
            limit: trip.limit,
            since: rfc3339(trip.since_ms),
            reading: trip.reading,
            threshold: trip.threshold,
            unit: trip.unit.ucum(),
            cause: trip.cause,
            clearable: trip.held_by.is_none(),
            held_by: trip.held_by,
        }
    }
}

pub(crate) async fn list(
    State(api): State<Api>,
    Reader(caller): Reader,
    Path(id): Path<Uuid>,
) -> Answer<Many<Trip>> {
    let subject = find(&api, &caller, Right::Read, id).await?;
    let inventory = api.app.fleet.inventory(subject.machine().id);
    let trips = subject.share_of(inventory.board).trips.into_iter().map(Trip::from);
    Ok(Many::whole(trips.collect())
        .fact("reported_at", rfc3339_option(inventory.at_ms))
        .fact("online", subject.is_online()))
}

pub(crate) async fn clear(
    State(api): State<Api>,
    Actor(caller): Actor,
    Path((id, limit)): Path<(Uuid, String)>,
    request_id: Option<RequestId>,
    terms: Terms,
    Body(request): Body<TripReason>,
) -> Answer<Accepted<Operation>> {
    let aim = Aim::at(&api, id, &caller).await?;
    let TripReason { reason, ttl_seconds } = request;
    let request = TripClearRequest { limit, reason, ttl_seconds };
    carry(&api, Asking { caller, request_id, terms }, &aim, request).await
}
