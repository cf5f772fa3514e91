//! The server itself: health, applications, plugins, the audit trail.

use crate::http::error::ErrorCode;
use crate::http::resources::{
    application_metrics, audit, batch_requests, clients, health, health_history, idle, logs,
    plugins::{self, packages, rollouts},
    power_profiles, servers, stats, system, system_history,
};
use crate::http::table::Table;

pub(super) fn v1(table: Table) -> Table {
    table
        .get("/api/v1/health", "Is the server healthy?", health::health)
        .get("/api/v1/audit", "The audit trail, newest first", audit::list)
        .get("/api/v1/audit/verify", "Do the audit trail's chains hold?", audit::verify)
        .post("/api/v1/batch-requests", "Several requests in one", batch_requests::create)
        .get("/api/v1/plugins", "List plugins", plugins::list)
        .get("/api/v1/plugins/first-run", "Has nobody chosen plugins yet?", plugins::first_run)
        .post(
            "/api/v1/plugins/initialize",
            "Choose plugins for the first time",
            plugins::initialize,
        )
        .fails(&[ErrorCode::Conflict])
        .post("/api/v1/plugins", "Install a signed component", packages::install)
        .fails(&[ErrorCode::Conflict])
        .get("/api/v1/plugins/packages", "Installed components, the newest first", packages::list)
        .get("/api/v1/plugins/packages/{hash}", "One installed component", packages::detail)
        .delete("/api/v1/plugins/packages/{hash}", "Remove a component", packages::remove)
        .fails(&[ErrorCode::Conflict])
        .get("/api/v1/plugins/publishers", "Whose components are taken", packages::publishers)
        .post("/api/v1/plugins/publishers", "Trust a publisher", packages::trust)
        .fails(&[ErrorCode::Conflict])
        .delete(
            "/api/v1/plugins/publishers/{key_id}",
            "Trust a publisher no more",
            packages::distrust,
        )
        .get("/api/v1/plugins/{plugin_id}", "One plugin", plugins::detail)
        .delete("/api/v1/plugins/{plugin_id}", "Remove a plugin", rollouts::remove)
        .get("/api/v1/plugins/{plugin_id}/rollout", "Where a plugin runs", rollouts::detail)
        .put("/api/v1/plugins/{plugin_id}/rollout", "Run a version on machines", rollouts::put)
        .fails(&[ErrorCode::Conflict, ErrorCode::ConfirmationRequired])
        .post(
            "/api/v1/plugins/{plugin_id}/rollback",
            "Run the version before again",
            rollouts::rollback,
        )
        .fails(&[ErrorCode::Conflict])
        .put("/api/v1/plugins/{plugin_id}", "Decide of a plugin", plugins::change)
        .post("/api/v1/plugins/{plugin_id}/enable", "Use a plugin", plugins::enable)
        .post("/api/v1/plugins/{plugin_id}/disable", "Use a plugin no more", plugins::disable)
        .post(
            "/api/v1/plugins/{plugin_id}/configure",
            "Set what a plugin is told",
            plugins::configure,
        )
        .get("/api/v1/plugins/{plugin_id}/config-schema", "What can be set", plugins::config_schema)
        .post("/api/v1/plugins/{plugin_id}/test", "Call a plugin once", plugins::test)
        .get("/api/v1/stats", "The server's statistics", stats::stats)
        .get("/api/v1/servers", "The aggregators on this database", servers::list)
        .get("/api/v1/clients", "Connected sources of logs and metrics", clients::list)
        .post("/api/v1/clients/heartbeat", "An application is there", clients::heartbeat)
        .post("/api/v1/logs", "Log one entry or several", logs::create)
        .get("/api/v1/logs", "What applications logged, the last first", logs::walk)
        .delete("/api/v1/logs", "Remove all entries", logs::clear)
        .get("/api/v1/system/metrics", "One machine's state", system::metrics)
        .get("/api/v1/system/snapshot", "The same with its processes", system::snapshot)
        .get("/api/v1/system/idle/status", "How idle a machine is", idle::status)
        .get("/api/v1/system/idle/modes", "When a machine is how idle, by mode", idle::modes)
        .get("/api/v1/system/idle/history", "How a machine turned, newest first", idle::history)
        .post("/api/v1/system/idle/config", "Manage a machine's idleness", idle::configure)
        .post("/api/v1/system/idle/keep-awake", "Keep a machine active", idle::keep_awake)
        .post(
            "/api/v1/system/idle/cancel-keep-awake",
            "Let a machine be idle again",
            idle::cancel_keep_awake,
        )
        .post("/api/v1/system/idle/force-state", "Let a machine be as idle", idle::force_state)
        .get(
            "/api/v1/system/history/hourly",
            "A machine's state by the hour",
            system_history::hourly,
        )
        .get("/api/v1/system/history/daily", "A machine's state by the day", system_history::daily)
        .get(
            "/api/v1/system/history/summary",
            "A machine's state over some days",
            system_history::summary,
        )
        .get(
            "/api/v1/devices/{id}/health-history",
            "When a machine's agent was connected",
            health_history::of_device,
        )
        .get("/api/v1/devices/{id}/history", "A device's state by step", system_history::of_device)
        .get("/api/v1/devices/{id}/processes", "A machine's processes", system::processes)
}

pub(super) fn flat(table: Table) -> Table {
    table
        .get("/health", "Is the server healthy?", health::health)
        .get("/api/health", "The same, for desktop clients", health::health_with_data)
        .get("/api/plugins", "List plugins", plugins::list)
        .get("/api/plugins/first-run", "Has nobody chosen plugins yet?", plugins::first_run)
        .post("/api/plugins/initialize", "Choose plugins for the first time", plugins::initialize)
        .fails(&[ErrorCode::Conflict])
        .get("/api/plugins/{plugin_id}", "One plugin", plugins::detail)
        .put("/api/plugins/{plugin_id}", "Decide of a plugin", plugins::change)
        .post("/api/plugins/{plugin_id}/enable", "Use a plugin", plugins::enable)
        .post("/api/plugins/{plugin_id}/disable", "Use a plugin no more", plugins::disable)
        .post("/api/plugins/{plugin_id}/configure", "Set what a plugin is told", plugins::configure)
        .get("/api/plugins/{plugin_id}/config-schema", "What can be set", plugins::config_schema)
        .post("/api/plugins/{plugin_id}/test", "Call a plugin once", plugins::test)
        .get("/api/system/metrics", "One machine's state", system::metrics)
        .get("/api/system/snapshot", "The same with its processes", system::snapshot)
        .get("/api/system/idle/status", "How idle a machine is", idle::status)
        .get("/api/system/idle/modes", "When a machine is how idle, by mode", idle::modes)
        .get("/api/system/idle/history", "How a machine turned, newest first", idle::history)
        .post("/api/system/idle/config", "Manage a machine's idleness", idle::configure)
        .post("/api/system/idle/keep-awake", "Keep a machine active", idle::keep_awake)
        .post(
            "/api/system/idle/cancel-keep-awake",
            "Let a machine be idle again",
            idle::cancel_keep_awake,
        )
        .post("/api/system/idle/force-state", "Let a machine be as idle", idle::force_state)
        .get("/api/system/profiles", "Power profiles of one's own", power_profiles::list)
        .post("/api/system/profiles", "Make a power profile", power_profiles::create)
        .put("/api/system/profiles/{id}", "Replace a power profile", power_profiles::replace)
        .delete("/api/system/profiles/{id}", "Delete a power profile", power_profiles::delete)
        .get("/api/system/history/hourly", "A machine's state by the hour", system_history::hourly)
        .get("/api/system/history/daily", "A machine's state by the day", system_history::daily)
        .get(
            "/api/system/history/summary",
            "A machine's state over some days",
            system_history::summary,
        )
        .get("/api/stats", "The server's statistics", stats::stats)
        .get("/api/servers", "The aggregators on this database", servers::list)
        .get("/api/clients", "Connected sources of logs and metrics", clients::whole)
        .post("/api/clients/heartbeat", "An application is there", clients::heartbeat)
        .post("/api/logs", "Log one entry or several", logs::create)
        .post("/api/log", "The same", logs::create)
        .post("/log", "The same", logs::create)
        .get("/api/logs", "What applications logged, the last first", logs::view)
        .delete("/api/logs", "Remove all entries", logs::clear)
        .post("/api/metrics", "Report an application's own metrics", application_metrics::create)
        .get(
            "/api/metrics",
            "What applications reported, and what it comes to",
            application_metrics::list,
        )
}
