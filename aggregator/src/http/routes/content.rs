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
        .get(
            "/api/v1/media/diagrams/{format}/{output}/{source}",
            "A diagram by a link that holds its source",
            media::linked,
        )
        .fails(&RENDERER_AWAY)
        .post(
            "/api/v1/media/formulas/validate",
            "Check a formula's source",
            media::validate_formula,
        )
        .fails(&RENDERER_AWAY)
        .post("/api/v1/media/formulas/render", "Draw a formula", media::render_formula)
        .fails(&RENDERER_AWAY)
        .post("/api/v1/media/maps/render", "Draw a map", media::render_map)
        .fails(&RENDERER_AWAY)
        .get("/api/v1/media/maps/styles", "The styles of maps", media::styles)
        .get("/api/v1/curricula", "List curricula", curricula::list)
        .get("/api/v1/curricula/{id}", "One curriculum with its topics", curricula::detail)
        .get("/api/v1/curricula/{id}/full", "The UMCF document", curricula::full)
        .post("/api/v1/curricula", "Keep a UMCF document", curricula::create)
        .get("/api/v1/curricula/archived", "List archived curricula", curricula::archived)
        .post(
            "/api/v1/curricula/archived/{file_name}/unarchive",
            "Bring a curriculum back from its archive",
            curricula::unarchive,
        )
        .fails(&[ErrorCode::Conflict])
        .delete(
            "/api/v1/curricula/archived/{file_name}",
            "Delete an archive",
            curricula::remove_archive,
        )
        .fails(&[ErrorCode::ConfirmationRequired])
        .post("/api/v1/curricula/reload", "Derive what lists show once more", curricula::reload)
        .post(
            "/api/v1/curricula/import",
            "Import a UMCF file, document or address",
            curricula::import,
        )
        .put("/api/v1/curricula/{id}", "Replace a curriculum's document", curricula::replace)
        .delete("/api/v1/curricula/{id}", "Delete a curriculum", curricula::remove)
        .fails(&[ErrorCode::ConfirmationRequired])
        .get(
            "/api/v1/curricula/{id}/full-with-assets",
            "The UMCF document with its assets",
            curricula::full_with_assets,
        )
        .get(
            "/api/v1/curricula/{id}/topics/{topic_id}/transcript",
            "What is said in a topic",
            curricula::transcript,
        )
        .get(
            "/api/v1/curricula/{id}/topics/{topic_id}/stream-audio",
            "A topic's recording",
            curricula::stream_audio,
        )
        .post("/api/v1/curricula/{id}/archive", "Put a curriculum away", curricula::archive)
        .fails(&[ErrorCode::Conflict, ErrorCode::Unavailable])
        .get(
            "/api/v1/curricula/{id}/topics/{topic_id}/assets",
            "List a topic's assets",
            curricula::assets,
        )
        .post(
            "/api/v1/curricula/{id}/topics/{topic_id}/assets",
            "Add an asset to a topic",
            curricula::upload,
        )
        .fails(&[ErrorCode::Conflict])
        .patch(
            "/api/v1/curricula/{id}/topics/{topic_id}/assets/{asset_id}",
            "Say otherwise what an asset is",
            curricula::change_asset,
        )
        .delete(
            "/api/v1/curricula/{id}/topics/{topic_id}/assets/{asset_id}",
            "Delete an asset",
            curricula::remove_asset,
        )
        .get(
            "/api/v1/curricula/{id}/assets/{asset_id}/content",
            "An asset's bytes",
            curricula::asset_content,
        )
        .get(
            "/api/v1/curricula/{id}/placement",
            "Which machines keep a curriculum",
            curricula::placement,
        )
        .put(
            "/api/v1/curricula/{id}/placement",
            "Have machines keep a curriculum for readers nearby",
            curricula::place,
        )
        .fails(&[ErrorCode::Conflict])
        .delete(
            "/api/v1/curricula/{id}/placement",
            "Have machines keep a curriculum no longer",
            curricula::withdraw,
        )
        .post(
            "/api/v1/curricula/{id}/preload-assets",
            "Fetch what the document has elsewhere",
            curricula::preload,
        )
        .post(
            "/api/v1/curricula/{id}/restore",
            "Take a deleted curriculum back",
            curricula::restore,
        )
        .get(
            "/api/v1/curricula/{id}/versions",
            "List the documents that were replaced",
            curricula::versions,
        )
        .get(
            "/api/v1/curricula/{id}/versions/{revision}",
            "A document that was replaced",
            curricula::version,
        )
        .post(
            "/api/v1/curricula/{id}/versions/{revision}/restore",
            "Put an earlier document back",
            curricula::restore_version,
        )
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
        .post("/api/curricula", "Keep a UMCF document", curricula::create)
        .get("/api/curricula/archived", "List archived curricula", curricula::archived)
        .post(
            "/api/curricula/archived/{file_name}/unarchive",
            "Bring a curriculum back from its archive",
            curricula::unarchive,
        )
        .fails(&[ErrorCode::Conflict])
        .delete(
            "/api/curricula/archived/{file_name}",
            "Delete an archive",
            curricula::remove_archive,
        )
        .fails(&[ErrorCode::ConfirmationRequired])
        .post("/api/curricula/reload", "Derive what lists show once more", curricula::reload)
        .post("/api/curricula/import", "Import a UMCF file, document or address", curricula::import)
        .put("/api/curricula/{id}", "Replace a curriculum's document", curricula::replace)
        .delete("/api/curricula/{id}", "Delete a curriculum", curricula::remove)
        .fails(&[ErrorCode::ConfirmationRequired])
        .get(
            "/api/curricula/{id}/full-with-assets",
            "The UMCF document with its assets",
            curricula::full_with_assets,
        )
        .get(
            "/api/curricula/{id}/topics/{topic_id}/transcript",
            "What is said in a topic",
            curricula::transcript,
        )
        .get(
            "/api/curricula/{id}/topics/{topic_id}/stream-audio",
            "A topic's recording",
            curricula::stream_audio,
        )
        .post("/api/curricula/{id}/archive", "Put a curriculum away", curricula::archive)
        .fails(&[ErrorCode::Conflict, ErrorCode::Unavailable])
        .get(
            "/api/curricula/{id}/topics/{topic_id}/assets",
            "List a topic's assets",
            curricula::assets,
        )
        .post(
            "/api/curricula/{id}/topics/{topic_id}/assets",
            "Add an asset to a topic",
            curricula::upload,
        )
        .fails(&[ErrorCode::Conflict])
        .patch(
            "/api/curricula/{id}/topics/{topic_id}/assets/{asset_id}",
            "Say otherwise what an asset is",
            curricula::change_asset,
        )
        .delete(
            "/api/curricula/{id}/topics/{topic_id}/assets/{asset_id}",
            "Delete an asset",
            curricula::remove_asset,
        )
        .get(
            "/api/curricula/{id}/assets/{asset_id}/content",
            "An asset's bytes",
            curricula::asset_content,
        )
        .post(
            "/api/curricula/{id}/preload-assets",
            "Fetch what the document has elsewhere",
            curricula::preload,
        )
        .get("/api/media/capabilities", "What can be drawn now", media::capabilities)
        .post("/api/media/diagrams/validate", "Check a diagram's source", media::validate)
        .fails(&RENDERER_AWAY)
        .post("/api/media/diagrams/render", "Draw a diagram", media::render)
        .fails(&RENDERER_AWAY)
        .get(
            "/api/media/diagrams/{format}/{output}/{source}",
            "A diagram by a link that holds its source",
            media::linked,
        )
        .fails(&RENDERER_AWAY)
        .post("/api/media/formulas/validate", "Check a formula's source", media::validate_formula)
        .fails(&RENDERER_AWAY)
        .post("/api/media/formulas/render", "Draw a formula", media::render_formula)
        .fails(&RENDERER_AWAY)
        .post("/api/media/maps/render", "Draw a map", media::render_map)
        .fails(&RENDERER_AWAY)
        .get("/api/media/maps/styles", "The styles of maps", media::styles)
        .get("/api/import/sources", "List import sources", imports::sources)
        .get("/api/import/sources/{id}", "One import source", imports::source)
        .get("/api/import/sources/{id}/courses", "Courses of a source", imports::courses)
        .get("/api/import/sources/{id}/courses/{course_id}", "One course", imports::course)
        .post("/api/import/jobs", "Start an import", imports::create_job)
        .get("/api/import/jobs", "List import jobs", imports::jobs)
        .get("/api/import/jobs/{id}", "One import job", imports::job)
        .delete("/api/import/jobs/{id}", "Cancel an import job", imports::cancel)
}
