//! The route table: every address, what it is, and the handler behind it.

use super::Api;
use super::dialect::Dialect;
use super::docs;
use super::exposition;
use super::live;
use super::openapi::{Documents, assemble};
use super::resources::commands::{
    give, ladder, levels, locks, power, self_test, switches, thermal, trips, validate,
};
use super::resources::{
    application_metrics, audit, certificates, clients, curricula, devices, enrolment_tokens,
    events, fleet_limits, health, imports, interlocks, limits, media, operations, plugins,
    quarantine, readings, retention, series, sessions, stats, stream_tickets, system,
};
use super::table::Table;
use axum::Router;
use axum::routing::get;

fn v1() -> Table {
    Table::new(Dialect::V1)
        .get("/api/v1/health", "Is the server healthy?", health::health)
        .post("/api/v1/auth/login", "Sign in", sessions::login)
        .post("/api/v1/auth/refresh", "Exchange a refresh token", sessions::refresh)
        .post("/api/v1/auth/logout", "Sign out", sessions::logout)
        .get("/api/v1/auth/me", "Who am I?", sessions::me)
        .post("/api/v1/auth/ws-ticket", "A ticket for one stream", stream_tickets::create)
        .get("/api/v1/devices", "List devices", devices::list)
        .get("/api/v1/devices/{id}", "One device, its series and actuators", devices::detail)
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
        .get("/api/v1/devices/{id}/limits", "Limits and their states", limits::list)
        .post(
            "/api/v1/devices/{id}/limits/{limit}/hold",
            "Put steps of a limit's ladder off",
            ladder::hold,
        )
        .post(
            "/api/v1/devices/{id}/limits/{limit}/release",
            "Lift the hold on a limit's ladder",
            ladder::release,
        )
        .get("/api/v1/devices/{id}/self-test", "The last self-test", self_test::status)
        .post(
            "/api/v1/devices/{id}/self-test",
            "Try fans and caps by simulated readings",
            give::<self_test::SelfTestRequest>,
        )
        .get("/api/v1/devices/{id}/fleet-limits", "The fleet's limits", fleet_limits::detail)
        .put("/api/v1/devices/{id}/fleet-limits", "Set the fleet's limits", fleet_limits::replace)
        .get("/api/v1/devices/{id}/interlocks", "Interlocks and conditions", interlocks::list)
        .get("/api/v1/devices/{id}/power", "Switches and power caps", power::status)
        .post(
            "/api/v1/devices/{id}/power",
            "Switch it, or set or clear a power cap",
            give::<power::PowerRequest>,
        )
        .get("/api/v1/devices/{id}/thermal", "Fans and temperatures", thermal::status)
        .post(
            "/api/v1/devices/{id}/thermal",
            "Set or clear a fan floor",
            give::<thermal::ThermalRequest>,
        )
        .get("/api/v1/devices/{id}/trips", "Latched trips", trips::list)
        .post(
            "/api/v1/devices/{id}/trips/clear",
            "Clear a latched trip by its limit",
            give::<trips::TripClearRequest>,
        )
        .post("/api/v1/devices/{id}/trips/{limit}/clear", "Clear a latched trip", trips::clear)
        .get("/api/v1/devices/{id}/locks", "Lock-outs", locks::list)
        .post("/api/v1/devices/{id}/locks", "Set a lock-out", give::<locks::LockRequest>)
        .post("/api/v1/devices/{id}/locks/{lock}/release", "Lift a lock-out", locks::release)
        .post(
            "/api/v1/devices/{id}/indicator",
            "Light the identify light, or put it out",
            give::<switches::IndicatorRequest>,
        )
        .post(
            "/api/v1/devices/{id}/boot-once",
            "Choose the next boot's source",
            give::<switches::BootOnceRequest>,
        )
        .post(
            "/api/v1/devices/{id}/services",
            "Pause, resume, stop or start a service",
            give::<switches::ServiceRequest>,
        )
        .post(
            "/api/v1/devices/{id}/frequency",
            "Set or clear a ceiling of the frequency",
            give::<levels::FrequencyRequest>,
        )
        .post("/api/v1/devices/{id}/profile", "Set a profile", give::<levels::ProfileRequest>)
        .post(
            "/api/v1/devices/{id}/actions:validate",
            "What would the machine say to a command?",
            validate::validate,
        )
        .get("/api/v1/devices/{id}/events", "A device's events, newest first", events::of_device)
        .get("/api/v1/devices/{id}/certificate", "A machine's certificate", certificates::detail)
        .delete(
            "/api/v1/devices/{id}/certificate",
            "Take a machine's certificate back",
            certificates::revoke,
        )
        .post(
            "/api/v1/devices/{id}/release",
            "Let a quarantined machine in again",
            quarantine::release,
        )
        .delete(
            "/api/v1/devices/{id}/telemetry",
            "Erase everything that a machine has measured",
            retention::erase,
        )
        .get("/api/v1/retention", "How long telemetry is kept", retention::detail)
        .put("/api/v1/retention", "Set how long telemetry is kept", retention::replace)
        .get("/api/v1/operations", "List operations", operations::list)
        .get("/api/v1/operations/{id}", "One operation", operations::detail)
        .post(
            "/api/v1/operations/{id}/confirm",
            "Confirm what is armed",
            operations::confirm::confirm,
        )
        .get("/api/v1/events", "Events, newest first", events::list)
        .get("/api/v1/enrolment-tokens", "List enrolment tokens", enrolment_tokens::list)
        .post("/api/v1/enrolment-tokens", "Make an enrolment token", enrolment_tokens::create)
        .delete("/api/v1/enrolment-tokens/{id}", "Revoke a token", enrolment_tokens::revoke)
        .get("/api/v1/audit", "The audit trail, newest first", audit::list)
        .get("/api/v1/plugins", "List plugins", plugins::list)
        .get("/api/v1/media/capabilities", "What can be drawn now", media::capabilities)
        .post("/api/v1/media/diagrams/validate", "Check a diagram's source", media::validate)
        .post("/api/v1/media/diagrams/render", "Draw a diagram", media::render)
        .get("/api/v1/curricula", "List curricula", curricula::list)
        .get("/api/v1/curricula/{id}", "One curriculum with its topics", curricula::detail)
        .get("/api/v1/curricula/{id}/full", "The UMCF document", curricula::full)
        .get("/api/v1/import/sources", "List import sources", imports::sources)
        .get("/api/v1/import/sources/{id}", "One import source", imports::source)
        .get("/api/v1/import/sources/{id}/courses", "Courses of a source", imports::courses)
        .get("/api/v1/import/sources/{id}/courses/{course_id}", "One course", imports::course)
        .post("/api/v1/import/jobs", "Start an import", imports::create_job)
        .get("/api/v1/import/jobs", "List import jobs", imports::jobs)
        .get("/api/v1/import/jobs/{id}", "One import job", imports::job)
        .delete("/api/v1/import/jobs/{id}", "Cancel an import job", imports::cancel)
}

fn flat() -> Table {
    Table::new(Dialect::Flat)
        .get("/health", "Is the server healthy?", health::health)
        .get("/api/health", "The same, for desktop clients", health::health_with_data)
        .post("/api/auth/login", "Sign in", sessions::login)
        .post("/api/auth/refresh", "Exchange a refresh token", sessions::refresh)
        .post("/api/auth/logout", "Sign out", sessions::logout)
        .get("/api/auth/me", "Who am I?", sessions::me)
        .get("/api/curricula", "List curricula", curricula::list)
        .get("/api/curricula/{id}", "One curriculum with its topics", curricula::detail)
        .get("/api/curricula/{id}/full", "The UMCF document", curricula::full)
        .get("/api/media/capabilities", "What can be drawn now", media::capabilities)
        .post("/api/media/diagrams/validate", "Check a diagram's source", media::validate)
        .post("/api/media/diagrams/render", "Draw a diagram", media::render)
        .get("/api/import/sources", "List import sources", imports::sources)
        .get("/api/import/sources/{id}", "One import source", imports::source)
        .get("/api/import/sources/{id}/courses", "Courses of a source", imports::courses)
        .get("/api/import/sources/{id}/courses/{course_id}", "One course", imports::course)
        .post("/api/import/jobs", "Start an import", imports::create_job)
        .get("/api/import/jobs", "List import jobs", imports::jobs)
        .get("/api/import/jobs/{id}", "One import job", imports::job)
        .delete("/api/import/jobs/{id}", "Cancel an import job", imports::cancel)
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

/// What is no resource: streams, probes, documents.
fn beside() -> Router<Api> {
    Router::new()
        .route("/ws", get(live::open))
        .route("/api/v1/stream", get(live::open))
        .route("/api/v1/stream/sse", get(live::open_sse))
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(exposition::metrics))
        .route("/api/v1/openapi.json", get(docs::v1_document))
        .route("/api/openapi.json", get(docs::flat_document))
        .route("/api/v1/docs", get(docs::v1_page))
        .route("/api/docs", get(docs::flat_page))
}

/// Every route, and the documents that describe them.
pub(crate) fn build() -> (Router<Api>, Documents) {
    let (v1_router, v1_paths, v1_schemas, v1_listed) = v1().finish();
    let (flat_router, flat_paths, flat_schemas, flat_listed) = flat().finish();
    let listed = v1_listed
        .into_iter()
        .map(|listed| (Dialect::V1, listed))
        .chain(flat_listed.into_iter().map(|listed| (Dialect::Flat, listed)));
    let documents = Documents {
        v1: assemble(Dialect::V1, v1_paths, v1_schemas),
        flat: assemble(Dialect::Flat, flat_paths, flat_schemas),
        listed: listed.collect(),
    };
    (v1_router.merge(flat_router).merge(beside()), documents)
}
