//! The flat dialect's broadcasts, each under both names that its clients know.

use crate::http::resources::application_metrics::ApplicationMetrics;
use crate::http::resources::clients::Client;
use crate::http::resources::idle::IdleTurn;
use crate::http::resources::logs::LogEntry;
use crate::http::resources::stats::Stats;
use crate::live::{ContentTurn, What};
use serde_json::{Value, json};

/// The names that a broadcast has, and what it carries.
pub(super) fn drawn(what: &What) -> (&'static [&'static str], Value) {
    match what {
        What::Log(kept) => (&["log_received", "log"], json!(LogEntry::from((**kept).clone()))),
        What::Metrics(report) => {
            let metrics = ApplicationMetrics::from((**report).clone());
            (&["metrics_received", "metrics"], json!(metrics))
        }
        What::Client(turned) => {
            let client = Client::of_application(turned.client.clone(), turned.presence);
            (&["client_status_changed", "client_update"], json!(client))
        }
        What::LogsCleared { count } => (&["logs_cleared"], json!({ "cleared_count": count })),
        What::Idle(turn) => (&["idle_state_changed"], json!(IdleTurn::from((**turn).clone()))),
        What::Plugin { id, enabled } => {
            (&["plugin_update"], json!({ "plugin_id": id, "enabled": enabled }))
        }
        What::Content { turn, id, title } => {
            let name: &[&str] = match turn {
                ContentTurn::Imported => &["curriculum_imported"],
                ContentTurn::Updated => &["curriculum_updated"],
                ContentTurn::Deleted => &["curriculum_deleted"],
                ContentTurn::Archived => &["curriculum_archived"],
                ContentTurn::Unarchived => &["curriculum_unarchived"],
            };
            (name, json!({ "curriculum_id": id, "title": title }))
        }
        What::Stats(stats) => (&["stats_update"], json!(Stats::from(*stats))),
    }
}
