//! Curricula that come, change and go.

use super::archives::Confirmation;
use super::{Api, CurriculumDetail, Done, audit, problem, renamed, shown};
use crate::access::Caller;
use crate::content::umcf::Document;
use crate::content::{MAX_DOCUMENT_BYTES, Replaced, read};
use crate::http::auth::Actor;
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::extract::{Path, Query, Upload, is_form, read as read_body, turn};
use crate::http::precondition::{MaybeIfMatch, changed};
use crate::http::reply::{Answer, Created, Flat, One, Resource, Schemas, Tagged};
use crate::http::table::{Input, Operation};
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, header};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// A form's file: a document with assets may be longer than a document.
const MAX_FILE: usize = crate::content::MAX_ASSET_BYTES;

/// A curriculum as it is handed in.
#[derive(Debug)]
pub(crate) enum HandedIn {
    File { name: String, bytes: Vec<u8> },
    Url(String),
}

impl FromRequest<Api> for HandedIn {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        if is_form(request.headers()) {
            let Upload { file, .. } = Upload::<MAX_FILE>::from_request(request, api).await?;
            return Ok(Self::File { name: file.name, bytes: file.bytes });
        }
        let _turn = turn(api)?;
        match essence(request.headers()).as_str() {
            "application/json" | "application/umcf+json" => {
                let bytes = read_body(request, MAX_DOCUMENT_BYTES).await?;
                Ok(url(&bytes).map_or_else(
                    || Self::File { name: String::new(), bytes: bytes.to_vec() },
                    Self::Url,
                ))
            }
            "application/gzip" | "application/x-gzip" | "application/octet-stream" => {
                let bytes = read_body(request, MAX_FILE).await?.to_vec();
                Ok(Self::File { name: String::new(), bytes })
            }
            _ => {
                let message = "send a form with a file, a UMCF document as application/json, \
                               {\"url\": …}, or application/gzip";
                Err(Problem::new(ErrorCode::UnsupportedMediaType, message))
            }
        }
    }
}

fn essence(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The address in `{"url": …}`, which no document is.
fn url(bytes: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    let fields = value.as_object().filter(|fields| fields.len() == 1)?;
    fields.get("url")?.as_str().map(str::to_owned)
}

impl Input for HandedIn {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        Upload::<MAX_FILE>::describe(operation, schemas);
        operation.body = Some(json!({
            "required": true,
            "content": {
                "multipart/form-data": { "schema": {
                    "type": "object", "required": ["file"],
                    "properties": { "file": {
                        "type": "string", "format": "binary",
                        "description": "A UMCF document, or one with its assets (.umcfz).",
                    } },
                } },
                "application/json": { "schema": {
                    "type": "object",
                    "description": "A UMCF document, or `{\"url\": …}` of one on the public network.",
                    "additionalProperties": true,
                } },
                "application/gzip": { "schema": { "type": "string", "format": "binary" } },
            },
        }));
        operation.fails(&[ErrorCode::InvalidJson]);
    }
}

/// A curriculum that was taken, and what it does otherwise than UMCF's schema says.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Taken {
    message: &'static str,
    curriculum_id: String,
    warnings: Vec<String>,
}

impl Resource for Taken {
    const FLAT: Flat = Flat::fields();
}

async fn take(api: &Api, caller: &Caller, handed: HandedIn) -> Result<Taken, Problem> {
    let (name, taken) = match handed {
        HandedIn::File { name, bytes } => {
            let bundle = read(bytes).await.map_err(problem)?;
            let taken = api.app.content.take(bundle, &name).await;
            (Some(name).filter(|name| !name.is_empty()), taken)
        }
        HandedIn::Url(url) => {
            let taken = api.app.content.take_from(&url).await;
            (Some(url), taken)
        }
    };
    let (curriculum_id, warnings) = taken.map_err(problem)?;
    audit(api, caller, "import", &curriculum_id, renamed(name.as_deref())).await?;
    Ok(Taken { message: "Curriculum imported", curriculum_id, warnings })
}

/// A document of an id that is there replaces it; the old one stays among the versions.
pub(crate) async fn import(
    State(api): State<Api>,
    Actor(caller): Actor,
    handed: HandedIn,
) -> Answer<One<Taken>> {
    Ok(One(take(&api, &caller, handed).await?))
}

/// The same, with 201 and where it is.
pub(crate) async fn create(
    State(api): State<Api>,
    Actor(caller): Actor,
    handed: HandedIn,
) -> Answer<Created<Taken>> {
    let item = take(&api, &caller, handed).await?;
    let location = format!("/api/v1/curricula/{}", item.curriculum_id);
    Ok(Created { item, location })
}

/// A whole UMCF document.
#[derive(Debug)]
pub(crate) struct WholeDocument(Document);

impl FromRequest<Api> for WholeDocument {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        if essence(request.headers()) != "application/json" {
            let message = "the document has to come as Content-Type: application/json";
            return Err(Problem::new(ErrorCode::UnsupportedMediaType, message));
        }
        let _turn = turn(api)?;
        let bytes = read_body(request, MAX_DOCUMENT_BYTES).await?;
        let text = String::from_utf8(bytes.to_vec()).map_err(|_| {
            Problem::new(ErrorCode::InvalidJson, "the document is no text in UTF-8")
        })?;
        Document::parse(text, MAX_DOCUMENT_BYTES).map(Self).map_err(|error| {
            let message = error.to_string();
            Problem::invalid(vec![FieldError::body("body", "invalid_document", message)])
        })
    }
}

impl Input for WholeDocument {
    fn describe(operation: &mut Operation, _: &mut Schemas) {
        operation.body = Some(json!({
            "required": true,
            "content": { "application/json": { "schema": {
                "type": "object",
                "description": "A whole UMCF document. What its schema does not know is kept.",
                "required": ["title", "content"],
                "properties": {
                    "formatIdentifier": { "const": "umcf" },
                    "title": { "type": "string", "minLength": 1 },
                    "content": { "type": "array", "minItems": 1 },
                },
                "additionalProperties": true,
            } } },
        }));
        operation.fails(&[
            ErrorCode::InvalidJson,
            ErrorCode::ValidationError,
            ErrorCode::PayloadTooLarge,
            ErrorCode::UnsupportedMediaType,
            ErrorCode::Unavailable,
        ]);
    }
}

pub(crate) async fn replace(
    State(api): State<Api>,
    Actor(caller): Actor,
    Path(id): Path<String>,
    precondition: MaybeIfMatch,
    WholeDocument(document): WholeDocument,
) -> Answer<Tagged<CurriculumDetail>> {
    let expected = precondition.expected()?;
    let replaced = api.app.content.replace(&id, &document, expected).await.map_err(problem)?;
    let revision = match replaced {
        Replaced::Done(revision) => revision,
        Replaced::Missing => return Err(Problem::not_found("curriculum", id)),
        Replaced::Changed => return Err(changed("curriculum")),
    };
    audit(&api, &caller, "update", &id, json!({ "revision": revision })).await?;
    shown(&api, &id).await
}

/// It stays under `filter[deleted]=true`, and can be restored.
pub(crate) async fn remove(
    State(api): State<Api>,
    Actor(caller): Actor,
    Path(id): Path<String>,
    Query(confirmation): Query<Confirmation>,
) -> Answer<One<Done>> {
    confirmation.demand("a curriculum")?;
    let title = api.app.content.delete(&id).await.map_err(problem)?;
    let title = title.ok_or_else(|| Problem::not_found("curriculum", &id))?;
    audit(&api, &caller, "delete", &id, json!({ "title": title })).await?;
    Ok(One(Done { message: "Curriculum deleted", curriculum_id: id }))
}

pub(crate) async fn restore(
    State(api): State<Api>,
    Actor(caller): Actor,
    Path(id): Path<String>,
) -> Answer<Tagged<CurriculumDetail>> {
    if !api.app.content.restore(&id).await.map_err(problem)? {
        return Err(Problem::not_found("deleted curriculum", id));
    }
    audit(&api, &caller, "restore", &id, json!({})).await?;
    shown(&api, &id).await
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Reloaded {
    message: &'static str,
    curricula_count: u64,
}

impl Resource for Reloaded {
    const FLAT: Flat = Flat::fields();
}

/// Derives what lists show from every document in the database once more.
pub(crate) async fn reload(State(api): State<Api>, Actor(caller): Actor) -> Answer<One<Reloaded>> {
    let curricula_count = api.app.content.reload().await.map_err(problem)?;
    audit(&api, &caller, "reload", "all", json!({ "count": curricula_count })).await?;
    Ok(One(Reloaded { message: "Curricula reloaded", curricula_count }))
}
