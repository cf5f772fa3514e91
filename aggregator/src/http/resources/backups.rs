//! Backups of the embedded store.

use super::reports::full;
use super::schedules::Removed;
use crate::audit::{AuditEntry, Decision};
use crate::backups::{Backup as Kept, MAX_PASSPHRASE, MIN_PASSPHRASE};
use crate::http::Api;
use crate::http::auth::Administrator;
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::extract::{Body, Path};
use crate::http::listing::{Asked, Listable, sift};
use crate::http::reply::{Accepted, Answer, Document, Flat, Listed, Many, One, Resource};
use crate::http::time::rfc3339;
use crate::jobs::{Job, JobKind, JobState, NewJob};
use crate::listing::{Field, Form, Kind, List, words};
use crate::store::Database;
use axum::extract::State;
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::io::AsyncReadExt;
use utoipa::ToSchema;
use uuid::Uuid;
use zeroize::Zeroizing;

const CHUNK: usize = 256 * 1024;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BackupRequest {
    /// What the keys in it are sealed with: 12 bytes at least. Without it nothing is restored.
    #[schema(min_length = 12, max_length = 1024)]
    passphrase: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Backup {
    id: Uuid,
    /// `queued`, `running`, `succeeded`, `failed` or `cancelled`.
    state: &'static str,
    bytes: Option<u64>,
    /// Of the whole file, hexadecimal.
    sha256: Option<String>,
    /// The program's version that took it.
    version: Option<String>,
    /// Why it could not be taken.
    error: Option<String>,
    /// The job that takes it.
    job: String,
    /// The file, once it is there.
    content: Option<String>,
    created_at: String,
    created_by: Option<Uuid>,
}

impl Resource for Backup {
    const FLAT: Flat = Flat::named("backup", "backups");
}

impl Listable for Backup {
    const LIST: List = List {
        fields: &[
            Field::new("state", Kind::OneOf(words!(JobState))),
            Field::new("bytes", Kind::Number),
            Field::new("version", Kind::Text),
            Field::new("created_at", Kind::Time),
            Field::new("created_by", Kind::Id),
            Field::new("id", Kind::Id),
        ],
        form: Form::Whole,
        includes: &[],
        labelled: false,
    };
}

impl From<Kept> for Backup {
    fn from(kept: Kept) -> Self {
        Self {
            id: kept.id,
            state: JobState::Succeeded.name(),
            bytes: Some(kept.bytes),
            sha256: Some(kept.sha256),
            version: Some(kept.manifest.version),
            error: None,
            job: format!("/api/v1/jobs/{}", kept.id),
            content: Some(format!("/api/v1/backups/{}/content", kept.id)),
            created_at: rfc3339(kept.record.created_at_ms),
            created_by: kept.record.created_by.map(|user| user.0),
        }
    }
}

impl From<Job> for Backup {
    fn from(job: Job) -> Self {
        Self {
            id: job.id,
            state: job.state.name(),
            bytes: None,
            sha256: None,
            version: None,
            error: job.error,
            job: format!("/api/v1/jobs/{}", job.id),
            content: None,
            created_at: rfc3339(job.created_at_ms),
            created_by: job.created_by.map(|user| user.0),
        }
    }
}

pub(crate) async fn create(
    State(api): State<Api>,
    Administrator(caller): Administrator,
    Body(request): Body<BackupRequest>,
) -> Answer<Accepted<Backup>> {
    let passphrase = Zeroizing::new(request.passphrase);
    if !(MIN_PASSPHRASE..=MAX_PASSPHRASE).contains(&passphrase.len()) {
        let message = format!("has {MIN_PASSPHRASE} to {MAX_PASSPHRASE} bytes");
        let fault = FieldError::body("passphrase", "out_of_range", message);
        return Err(Problem::invalid(vec![fault]));
    }
    if matches!(api.app.config.database(), Database::Postgres(_)) {
        let message = "the database is PostgreSQL: back it up with pg_dump, and copy the state \
                       folder beside it";
        return Err(Problem::new(ErrorCode::Conflict, message));
    }
    let id = api.app.clock.new_id();
    let location = format!("/api/v1/backups/{id}");
    let job = api.app.jobs.queue(NewJob {
        id,
        kind: JobKind::Backup,
        organization: None,
        target: Some(location.clone()),
        parameters: json!({}),
        secret: Some(passphrase),
        schedule: None,
        requested_by: caller.email.clone(),
        created_by: Some(caller.user),
    });
    let job = job.await.map_err(full)?;
    audit(&api, &caller.email, "create", id).await?;
    Ok(Accepted { item: job.into(), location })
}

async fn audit(api: &Api, actor: &str, action: &str, id: Uuid) -> Result<(), Problem> {
    let entry = AuditEntry {
        at_ms: api.app.clock.now_ms(),
        actor: actor.to_owned(),
        action: format!("backup.{action}"),
        target: format!("backup:{id}"),
        decision: Decision::Allowed,
        details: json!({}),
        ..AuditEntry::default()
    };
    api.app.store.add_audit(&entry).await.map_err(Problem::internal)
}

/// Those that were taken; one that is being taken stands among the jobs.
pub(crate) async fn list(
    State(api): State<Api>,
    Administrator(_): Administrator,
    Asked(listing, ..): Asked<Backup>,
) -> Answer<Listed<Backup>> {
    let found = api.app.backups.list().await.map_err(Problem::internal)?;
    let items = sift(found.into_iter().map(Backup::from).collect(), &listing)?;
    Ok(Many::whole(items).asked(listing))
}

pub(crate) async fn detail(
    State(api): State<Api>,
    Administrator(_): Administrator,
    Path(id): Path<Uuid>,
) -> Answer<One<Backup>> {
    if let Some(found) = api.app.backups.backup(id).await.map_err(Problem::internal)? {
        return Ok(One(found.into()));
    }
    let job = api.app.jobs.job(id).await.map_err(Problem::internal)?;
    let job = job.filter(|job| job.kind == JobKind::Backup && job.state != JobState::Succeeded);
    Ok(One(job.ok_or_else(|| Problem::not_found("backup", id))?.into()))
}

/// The file as it lies in the state folder.
pub(crate) async fn content(
    State(api): State<Api>,
    Administrator(caller): Administrator,
    Path(id): Path<Uuid>,
) -> Answer<Document> {
    let found = api.app.backups.backup(id).await.map_err(Problem::internal)?;
    found.ok_or_else(|| Problem::not_found("backup", id))?;
    let opened = tokio::fs::File::open(api.app.backups.path(id)).await;
    let file = opened.map_err(Problem::internal)?;
    audit(&api, &caller.email, "download", id).await?;
    let chunks = stream::unfold(Some(file), |file| async {
        let mut file = file?;
        let mut chunk = vec![0; CHUNK];
        match file.read(&mut chunk).await {
            Ok(0) => None,
            Ok(read) => {
                chunk.truncate(read);
                Some((Ok(chunk), Some(file)))
            }
            Err(error) => Some((Err(error), None)),
        }
    });
    Ok(Document {
        media_type: "application/octet-stream",
        file: Some(format!("{id}.flyball")),
        body: axum::body::Body::from_stream(chunks.fuse()),
    })
}

pub(crate) async fn remove(
    State(api): State<Api>,
    Administrator(caller): Administrator,
    Path(id): Path<Uuid>,
) -> Answer<One<Removed>> {
    if !api.app.backups.remove(id, caller.user).await.map_err(Problem::internal)? {
        return Err(Problem::not_found("backup", id));
    }
    audit(&api, &caller.email, "delete", id).await?;
    Ok(One(Removed { id, removed: true }))
}
