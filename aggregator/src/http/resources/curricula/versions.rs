//! Documents that were replaced.

use super::{Api, CurriculumDetail, audit, found, problem, shown};
use crate::content::umcf::Document;
use crate::content::{MAX_DOCUMENT_BYTES, Replaced, Revision};
use crate::http::auth::{Actor, Member};
use crate::http::error::Problem;
use crate::http::extract::Path;
use crate::http::precondition::{MaybeIfMatch, changed};
use crate::http::reply::{Answer, Flat, Many, Raw, Resource, Tagged};
use crate::http::time::rfc3339;
use axum::extract::State;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CurriculumVersion {
    revision: u64,
    title: String,
    /// Bytes of the document.
    size: u64,
    replaced_at: String,
}

impl Resource for CurriculumVersion {
    const FLAT: Flat = Flat::named("version", "versions");
}

impl From<Revision> for CurriculumVersion {
    fn from(kept: Revision) -> Self {
        Self {
            revision: kept.revision,
            title: kept.title,
            size: kept.bytes,
            replaced_at: rfc3339(kept.replaced_at_ms),
        }
    }
}

/// The newest first; twenty are kept.
pub(crate) async fn versions(
    State(api): State<Api>,
    Member(_): Member,
    Path(id): Path<String>,
) -> Answer<Many<CurriculumVersion>> {
    found(&api, &id).await?;
    let kept = api.app.content.revisions(&id).await.map_err(Problem::internal)?;
    Ok(Many::whole(kept.into_iter().map(CurriculumVersion::from).collect()))
}

async fn document(api: &Api, id: &str, revision: &str) -> Result<String, Problem> {
    found(api, id).await?;
    let missing = || Problem::not_found("version", revision);
    let number: u64 = revision.parse().map_err(|_| missing())?;
    let kept = api.app.content.revision(id, number).await.map_err(Problem::internal)?;
    kept.ok_or_else(missing)
}

/// The document as it was.
pub(crate) async fn version(
    State(api): State<Api>,
    Member(_): Member,
    Path((id, revision)): Path<(String, String)>,
) -> Answer<Raw> {
    Ok(Raw(document(&api, &id, &revision).await?))
}

/// Puts an earlier document back; the one that stands there becomes a version.
pub(crate) async fn restore_version(
    State(api): State<Api>,
    Actor(caller): Actor,
    Path((id, revision)): Path<(String, String)>,
    precondition: MaybeIfMatch,
) -> Answer<Tagged<CurriculumDetail>> {
    let text = document(&api, &id, &revision).await?;
    let document = Document::parse(text, MAX_DOCUMENT_BYTES).map_err(|e| problem(e.into()))?;
    let expected = precondition.expected()?;
    let replaced = api.app.content.replace(&id, &document, expected).await.map_err(problem)?;
    match replaced {
        Replaced::Missing => return Err(Problem::not_found("curriculum", id)),
        Replaced::Changed => return Err(changed("curriculum")),
        Replaced::Done(_) => {}
    }
    audit(&api, &caller, "restore_version", &id, json!({ "revision": revision })).await?;
    shown(&api, &id).await
}
