//! Curricula, pictures and imports.

use crate::http::error::ErrorCode;
use crate::http::resources::{curricula, imports, media};
use crate::http::table::Table;

/// No machine that draws is connected, or all are busy.
const RENDERER_AWAY: [ErrorCode; 2] = [ErrorCode::PluginUnavailable, ErrorCode::Unavailable];

pub(super) fn v1(table: Table) -> Table {
    table
        .get("/api/v1/media/capabilities", "What can be drawn now", media::capabilities)
        .post("/api/v1/media/diagrams/validate", "Check a diagram's source", media::validate)
        .fails(&RENDERER_AWAY)
        .post("/api/v1/media/diagrams/render", "Draw a diagram", media::render)
        .fails(&RENDERER_AWAY)
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

pub(super) fn flat(table: Table) -> Table {
    table
        .get("/api/curricula", "List curricula", curricula::list)
        .get("/api/curricula/{id}", "One curriculum with its topics", curricula::detail)
        .get("/api/curricula/{id}/full", "The UMCF document", curricula::full)
        .get("/api/media/capabilities", "What can be drawn now", media::capabilities)
        .post("/api/media/diagrams/validate", "Check a diagram's source", media::validate)
        .fails(&RENDERER_AWAY)
        .post("/api/media/diagrams/render", "Draw a diagram", media::render)
        .fails(&RENDERER_AWAY)
        .get("/api/import/sources", "List import sources", imports::sources)
        .get("/api/import/sources/{id}", "One import source", imports::source)
        .get("/api/import/sources/{id}/courses", "Courses of a source", imports::courses)
        .get("/api/import/sources/{id}/courses/{course_id}", "One course", imports::course)
        .post("/api/import/jobs", "Start an import", imports::create_job)
        .get("/api/import/jobs", "List import jobs", imports::jobs)
        .get("/api/import/jobs/{id}", "One import job", imports::job)
        .delete("/api/import/jobs/{id}", "Cancel an import job", imports::cancel)
}
