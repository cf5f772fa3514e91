//! Curricula that were put away, and how they come back.

use super::{Api, Done, audit, problem};
use crate::content::Archive;
use crate::http::auth::{Actor, Member};
use crate::http::error::{ErrorCode, Problem};
use crate::http::extract::{Path, Query};
use crate::http::listing::{Asked, Listable};
use crate::http::paging::PageQuery;
use crate::http::reply::{Answer, Flat, Listed, Many, One, Resource};
use crate::http::time::rfc3339;
use crate::listing::{Field, Form, Kind, List};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ArchivedCurriculum {
    file_name: String,
    curriculum_id: String,
    curriculum_title: String,
    archived_at: String,
    /// Bytes.
    file_size: u64,
    /// SHA-256 of the file, hexadecimal.
    checksum: String,
}

impl Resource for ArchivedCurriculum {
    const FLAT: Flat = Flat::named("archive", "archived");
}

impl Listable for ArchivedCurriculum {
    const LIST: List = List {
        fields: &[
            Field::new("file_name", Kind::Text).searched(),
            Field::new("curriculum_id", Kind::Text),
            Field::new("curriculum_title", Kind::Text).searched(),
            Field::new("archived_at", Kind::Time),
            Field::new("file_size", Kind::Number),
        ],
        form: Form::Pages,
        includes: &[],
        labelled: false,
    };
}

impl From<Archive> for ArchivedCurriculum {
    fn from(kept: Archive) -> Self {
        Self {
            file_name: kept.file_name,
            curriculum_id: kept.curriculum,
            curriculum_title: kept.title,
            archived_at: rfc3339(kept.archived_at_ms),
            file_size: kept.size,
            checksum: kept.sha256,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PutAway {
    message: &'static str,
    archive_file: String,
    /// SHA-256 of the file, hexadecimal.
    checksum: String,
}

impl Resource for PutAway {
    const FLAT: Flat = Flat::fields();
}

pub(crate) async fn archive(
    State(api): State<Api>,
    Actor(caller): Actor,
    Path(id): Path<String>,
) -> Answer<One<PutAway>> {
    let kept = api.app.content.archive(&id).await.map_err(problem)?;
    let kept = kept.ok_or_else(|| Problem::not_found("curriculum", &id))?;
    let details = json!({ "file": kept.file_name, "sha256": kept.sha256 });
    audit(&api, &caller, "archive", &id, details).await?;
    let (archive_file, checksum) = (kept.file_name, kept.sha256);
    Ok(One(PutAway { message: "Curriculum archived", archive_file, checksum }))
}

/// The newest first.
pub(crate) async fn archived(
    State(api): State<Api>,
    Member(_): Member,
    Query(page): Query<PageQuery>,
    Asked(listing, ..): Asked<ArchivedCurriculum>,
) -> Answer<Listed<ArchivedCurriculum>> {
    let page = page.request()?;
    let found = api.app.content.archives(&listing, page).await.map_err(Problem::internal)?;
    let items = found.items.into_iter().map(ArchivedCurriculum::from).collect();
    Ok(Many::page(items, page.page, page.per_page, found.total).asked(listing))
}

pub(crate) async fn unarchive(
    State(api): State<Api>,
    Actor(caller): Actor,
    Path(file_name): Path<String>,
) -> Answer<One<Done>> {
    let id = api.app.content.unarchive(&file_name).await.map_err(problem)?;
    let curriculum_id = id.ok_or_else(|| Problem::not_found("archive", &file_name))?;
    audit(&api, &caller, "unarchive", &curriculum_id, json!({ "file": file_name })).await?;
    Ok(One(Done { message: "Curriculum unarchived", curriculum_id }))
}

#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct Confirmation {
    /// Has to be `true`: what is deleted here is gone.
    confirm: Option<bool>,
}

impl Confirmation {
    pub(super) fn demand(&self, what: &str) -> Result<(), Problem> {
        if self.confirm == Some(true) {
            return Ok(());
        }
        let message = format!("{what} is deleted where confirm=true is sent with it");
        Err(Problem::new(ErrorCode::ConfirmationRequired, message))
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ArchiveGone {
    message: &'static str,
    file_name: String,
}

impl Resource for ArchiveGone {
    const FLAT: Flat = Flat::fields();
}

pub(crate) async fn remove_archive(
    State(api): State<Api>,
    Actor(caller): Actor,
    Path(file_name): Path<String>,
    Query(confirmation): Query<Confirmation>,
) -> Answer<One<ArchiveGone>> {
    confirmation.demand("an archive")?;
    if !api.app.content.delete_archive(&file_name).await.map_err(Problem::internal)? {
        return Err(Problem::not_found("archive", file_name));
    }
    audit(&api, &caller, "delete_archive", &file_name, json!({})).await?;
    Ok(One(ArchiveGone { message: "Archive deleted", file_name }))
}
