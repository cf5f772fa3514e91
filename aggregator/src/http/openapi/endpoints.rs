//! Which endpoints of the flat dialect's requirement are there.

use super::super::routes;
use crate::http::dialect::Dialect;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// All that the requirement names, in its order; parameters by its own names.
pub(crate) const ENDPOINTS: [(&str, &str); 62] = [
    ("POST", "/api/auth/register"),
    ("POST", "/api/auth/login"),
    ("POST", "/api/auth/refresh"),
    ("POST", "/api/auth/logout"),
    ("GET", "/api/auth/me"),
    ("PATCH", "/api/auth/me"),
    ("POST", "/api/auth/password"),
    ("GET", "/api/auth/devices"),
    ("DELETE", "/api/auth/devices/{device_id}"),
    ("GET", "/api/auth/sessions"),
    ("DELETE", "/api/auth/sessions/{session_id}"),
    ("GET", "/api/curricula"),
    ("GET", "/api/curricula/{curriculum_id}"),
    ("GET", "/api/curricula/{curriculum_id}/full"),
    ("GET", "/api/curricula/{curriculum_id}/full-with-assets"),
    ("GET", "/api/curricula/{curriculum_id}/topics/{topic_id}/transcript"),
    ("GET", "/api/curricula/{curriculum_id}/topics/{topic_id}/stream-audio"),
    ("PUT", "/api/curricula/{curriculum_id}"),
    ("DELETE", "/api/curricula/{curriculum_id}"),
    ("POST", "/api/curricula/{curriculum_id}/archive"),
    ("GET", "/api/curricula/archived"),
    ("POST", "/api/curricula/archived/{file_name}/unarchive"),
    ("POST", "/api/curricula/reload"),
    ("POST", "/api/curricula/import"),
    ("POST", "/api/curricula/{curriculum_id}/topics/{topic_id}/assets"),
    ("PATCH", "/api/curricula/{curriculum_id}/topics/{topic_id}/assets/{asset_id}"),
    ("DELETE", "/api/curricula/{curriculum_id}/topics/{topic_id}/assets/{asset_id}"),
    ("POST", "/api/curricula/{curriculum_id}/preload-assets"),
    ("GET", "/api/media/capabilities"),
    ("POST", "/api/media/diagrams/validate"),
    ("POST", "/api/media/diagrams/render"),
    ("POST", "/api/media/formulas/validate"),
    ("POST", "/api/media/formulas/render"),
    ("POST", "/api/media/maps/render"),
    ("GET", "/api/media/maps/styles"),
    ("GET", "/api/import/sources"),
    ("GET", "/api/import/sources/{source_id}"),
    ("GET", "/api/import/sources/{source_id}/courses"),
    ("GET", "/api/import/sources/{source_id}/courses/{course_id}"),
    ("POST", "/api/import/jobs"),
    ("GET", "/api/import/jobs/{job_id}"),
    ("GET", "/api/import/jobs"),
    ("DELETE", "/api/import/jobs/{job_id}"),
    ("GET", "/api/plugins"),
    ("POST", "/api/plugins/{plugin_id}/enable"),
    ("POST", "/api/plugins/{plugin_id}/disable"),
    ("POST", "/api/plugins/{plugin_id}/configure"),
    ("POST", "/api/plugins/initialize"),
    ("GET", "/health"),
    ("GET", "/api/system/metrics"),
    ("GET", "/api/system/snapshot"),
    ("GET", "/api/stats"),
    ("GET", "/api/system/idle/status"),
    ("POST", "/api/system/idle/config"),
    ("POST", "/api/system/idle/keep-awake"),
    ("POST", "/api/logs"),
    ("GET", "/api/logs"),
    ("DELETE", "/api/logs"),
    ("POST", "/api/metrics"),
    ("GET", "/api/metrics"),
    ("GET", "/api/clients"),
    ("POST", "/api/clients/heartbeat"),
];

const HEAD: &str = "# Endpoints of the flat dialect

Every endpoint that the requirement of the flat dialect names, and whether it is there. The table is
written by the code from its routes; a test sends each example that the requirement gives for what is
there, and holds the answers against it.

The WebSocket at `/ws` says `connected`, answers `ping` with `pong`, and broadcasts `log_received`,
`metrics_received`, `client_status_changed`, `logs_cleared`, `stats_update`, `idle_state_changed`,
`curriculum_imported`, `curriculum_updated`, `curriculum_deleted`, `curriculum_archived`,
`curriculum_unarchived`, `import_progress` and `plugin_update`.

| method | path | state |
|---|---|---|
";

const BEYOND: &str = "
Routes of the flat dialect that the requirement does not name:

| method | path |
|---|---|
";

/// The method and the path without the names of its parameters.
fn key(method: &str, path: &str) -> (String, String) {
    let parts = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
    (method.to_owned(), parts.collect::<Vec<_>>().join("/"))
}

/// Is it there?
#[cfg(test)]
pub(crate) fn is_there(method: &str, path: &str) -> bool {
    routed().contains(&key(method, path))
}

fn routed() -> BTreeSet<(String, String)> {
    let (_, documents) = routes::build();
    let flat = documents.listed.iter().filter(|(dialect, _)| *dialect == Dialect::Flat);
    flat.map(|(_, listed)| key(listed.method.as_str(), &listed.path)).collect()
}

pub(super) fn page() -> String {
    let mut routed = routed();
    let mut text = HEAD.to_owned();
    let mut done = 0;
    for (method, path) in ENDPOINTS {
        let there = routed.remove(&key(method, path));
        done += u32::from(there);
        let state = if there { "done" } else { "later" };
        // Writing into a string does not fail.
        let _ = writeln!(text, "| {method} | `{path}` | {state} |");
    }
    let _ = write!(text, "\n{done} of {} are done.\n", ENDPOINTS.len());
    text.push_str(BEYOND);
    for (method, path) in routed {
        let _ = writeln!(text, "| {method} | `{path}` |");
    }
    text
}
