//! What leaves the house and what goes on in the background: webhooks, mail, jobs, reports,
//! backups.

use crate::http::resources::{backups, jobs, mail, notifications, reports, schedules, webhooks};
use crate::http::table::Table;

pub(super) fn v1(table: Table) -> Table {
    table
        .get("/api/v1/jobs", "Work in the background, newest first", jobs::list)
        .get("/api/v1/jobs/{id}", "One job", jobs::detail)
        .post("/api/v1/jobs/{id}/cancel", "End a job", jobs::cancel)
        .post("/api/v1/jobs/{id}/retry", "Queue a job anew that came to nothing", jobs::retry)
        .get("/api/v1/schedules", "What makes jobs at their times", schedules::list)
        .post("/api/v1/schedules", "Have a job made at its times", schedules::create)
        .get("/api/v1/schedules/{id}", "One schedule", schedules::detail)
        .put("/api/v1/schedules/{id}", "Replace a schedule", schedules::replace)
        .delete("/api/v1/schedules/{id}", "Remove a schedule", schedules::remove)
        .get("/api/v1/mail", "Mail that was sent, waits, or was taken by nobody", mail::list)
        .get("/api/v1/notifications", "What one is told of by mail", notifications::list)
        .post("/api/v1/notifications", "Be told of events by mail", notifications::create)
        .delete("/api/v1/notifications/{id}", "Be told no more", notifications::remove)
        .get("/api/v1/webhooks", "List webhooks", webhooks::list)
        .post("/api/v1/webhooks", "Have what happens posted to a receiver", webhooks::create)
        .get("/api/v1/webhooks/{id}", "One webhook", webhooks::detail)
        .put("/api/v1/webhooks/{id}", "Replace a webhook", webhooks::replace)
        .delete("/api/v1/webhooks/{id}", "Remove a webhook", webhooks::remove)
        .post(
            "/api/v1/webhooks/{id}/rotate-secret",
            "Give a webhook a new secret, beside the one before for a while",
            webhooks::rotate_secret,
        )
        .post("/api/v1/webhooks/{id}/test", "Send a test message", webhooks::test)
        .get("/api/v1/webhooks/{id}/deliveries", "What was sent to it", webhooks::deliveries)
        .post(
            "/api/v1/webhooks/{id}/deliveries/{delivery}/redeliver",
            "Send a message again",
            webhooks::redeliver,
        )
        .get("/api/v1/reports", "Reports that were made", reports::list)
        .post("/api/v1/reports", "Have a report made", reports::create)
        .get("/api/v1/reports/{id}", "One report", reports::detail)
        .get("/api/v1/reports/{id}/content", "What a report says", reports::content)
        .get("/api/v1/backups", "Backups that were taken", backups::list)
        .post("/api/v1/backups", "Have a backup taken", backups::create)
        .get("/api/v1/backups/{id}", "One backup", backups::detail)
        .get("/api/v1/backups/{id}/content", "A backup's file", backups::content)
        .delete("/api/v1/backups/{id}", "Remove a backup and its file", backups::remove)
}
