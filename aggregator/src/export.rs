//! What leaves the house: tables of samples, and the metrics that other systems are sent.
//!
//! Each export of the configuration is a task of its own over the committed blocks; none of them
//! slows ingest down, and none knows another.

pub mod batch;
mod gauges;
pub mod naming;
pub mod otlp;
mod outlet;
mod receiver;
pub mod remote_write;
pub mod table;

use crate::app::App;
use gauges::Gauges;
use outlet::Outlet;
use tokio::task::JoinSet;

/// Runs every export of the configuration until the process shuts down.
pub async fn run(app: App) {
    if app.config.export.is_empty() {
        return;
    }
    let gauges = Gauges::new(&app.metrics);
    let mut outlets = JoinSet::new();
    for export in &app.config.export {
        outlets.spawn(Outlet::new(app.clone(), export.clone(), gauges.clone()).run());
    }
    while outlets.join_next().await.is_some() {}
}
