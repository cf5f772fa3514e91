//! The route table: every address, what it is, and the handler behind it. An area of the API has
//! its file, with the dialects side by side.

mod content;
mod identity;
mod machines;
mod outbound;
mod platform;
mod telemetry;
mod tenancy;

use super::Api;
use super::dialect::Dialect;
use super::docs;
use super::exposition;
use super::live;
use super::names;
use super::openapi::{Documents, assemble};
use super::resources::health;
use super::table::Table;
use axum::Router;
use axum::routing::get;

fn v1() -> Table {
    let areas: [fn(Table) -> Table; 7] = [
        platform::v1,
        identity::v1,
        tenancy::v1,
        machines::v1,
        telemetry::v1,
        outbound::v1,
        content::v1,
    ];
    areas.into_iter().fold(Table::new(Dialect::V1), |table, area| area(table))
}

fn flat() -> Table {
    let areas: [fn(Table) -> Table; 3] = [platform::flat, identity::flat, content::flat];
    areas.into_iter().fold(Table::new(Dialect::Flat), |table, area| area(table))
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
        .route("/api/v1/docs/search.js", get(docs::search))
        .route("/api/docs/search.js", get(docs::search))
}

/// Every route, and the documents that describe them.
pub(crate) fn build() -> (Router<Api>, Documents) {
    let (v1_router, v1_paths, v1_schemas, v1_listed) = v1().finish();
    let (flat_router, flat_paths, flat_schemas, flat_listed) = flat().finish();
    let v1_names = names::named(&v1_listed, Dialect::V1);
    let flat_names = names::named(&flat_listed, Dialect::Flat);
    let listed = v1_listed
        .into_iter()
        .map(|listed| (Dialect::V1, listed))
        .chain(flat_listed.into_iter().map(|listed| (Dialect::Flat, listed)));
    let documents = Documents {
        v1: assemble(Dialect::V1, v1_paths, v1_schemas, &v1_names),
        flat: assemble(Dialect::Flat, flat_paths, flat_schemas, &flat_names),
        listed: listed.collect(),
    };
    (v1_router.merge(flat_router).merge(beside()), documents)
}
