//! The server itself: health, applications, plugins, the audit trail.

use crate::http::resources::{
    application_metrics, audit, batch_requests, clients, health, plugins, stats, system,
};
use crate::http::table::Table;

pub(super) fn v1(table: Table) -> Table {
    table
        .get("/api/v1/health", "Is the server healthy?", health::health)
        .get("/api/v1/audit", "The audit trail, newest first", audit::list)
        .get("/api/v1/audit/verify", "Do the audit trail's chains hold?", audit::verify)
        .post("/api/v1/batch-requests", "Several requests in one", batch_requests::create)
        .get("/api/v1/plugins", "List plugins", plugins::list)
}

pub(super) fn flat(table: Table) -> Table {
    table
        .get("/health", "Is the server healthy?", health::health)
        .get("/api/health", "The same, for desktop clients", health::health_with_data)
        .get("/api/plugins", "List plugins", plugins::list)
        .get("/api/system/metrics", "One machine's state", system::metrics)
        .get("/api/system/snapshot", "The same with its processes", system::snapshot)
        .get("/api/stats", "The server's statistics", stats::stats)
        .get("/api/clients", "Connected sources of metrics", clients::list)
        .post("/api/metrics", "Report an application's own metrics", application_metrics::create)
        .get(
            "/api/metrics",
            "What applications reported, and what it comes to",
            application_metrics::list,
        )
}
