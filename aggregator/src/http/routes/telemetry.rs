//! What was measured, what happened, and how long it is kept.

use crate::http::resources::{events, readings, retention, series, stream_tickets};
use crate::http::table::Table;

pub(super) fn v1(table: Table) -> Table {
    table
        .post("/api/v1/auth/ws-ticket", "A ticket for one stream", stream_tickets::create)
        .get("/api/v1/devices/{id}/readings", "Readings over a range", readings::of_device)
        .get("/api/v1/series", "Series across devices", series::list)
        .get("/api/v1/readings", "Readings over a range, across devices", readings::list)
        .get(
            "/api/v1/readings:aggregate",
            "Series put together by step",
            readings::aggregate::by_query,
        )
        .post(
            "/api/v1/readings:aggregate",
            "The same, asked by a body",
            readings::aggregate::by_body,
        )
        .get("/api/v1/devices/{id}/events", "A device's events, newest first", events::of_device)
        .delete(
            "/api/v1/devices/{id}/telemetry",
            "Erase everything that a machine has measured",
            retention::erase,
        )
        .get("/api/v1/retention", "How long telemetry is kept", retention::detail)
        .put("/api/v1/retention", "Set how long telemetry is kept", retention::replace)
        .get("/api/v1/events", "Events, newest first", events::list)
}
