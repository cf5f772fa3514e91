//! Curricula: lists, details, what is said in a topic, and the documents as they came.

mod archives;
mod assets;
mod bodies;
mod changes;
mod placement;
mod versions;

pub(crate) use archives::{archive, archived, remove_archive, unarchive};
pub(crate) use assets::{
    KINDS, asset_content, assets, change_asset, preload, remove_asset, stream_audio, upload,
};
pub(crate) use bodies::full_with_assets;
pub(crate) use changes::{create, import, reload, remove, replace, restore};
pub(crate) use placement::{place, placement, withdraw};
pub(crate) use versions::{restore_version, version, versions};

use crate::access::Caller;
use crate::audit::{AuditEntry, Decision};
use crate::content::transcript::Transcript as Said;
use crate::content::{
    AssetInfo, ContentError, Curriculum as Kept, Summary as KeptSummary, is_upstream, sniff,
};
use crate::http::Api;
use crate::http::auth::Member;
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::extract::{Path, Query};
use crate::http::listing::{Asked, Listable};
use crate::http::paging::PageQuery;
use crate::http::precondition::IfNoneMatch;
use crate::http::reply::{Answer, Flat, Listed, Many, One, Raw, Resource, Tagged};
use crate::http::time::rfc3339;
use crate::listing::{Field, Form, Kind, List};
use axum::extract::State;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// A row of the list, with every field that clients of either kind read.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CurriculumSummary {
    id: String,
    title: String,
    description: String,
    author: String,
    language: String,
    created_at: String,
    updated_at: String,
    topics_count: usize,
    topic_count: usize,
    status: String,
    difficulty: String,
    age_range: String,
    keywords: Vec<String>,
    /// Counts its changes; the ETag.
    revision: u64,
}

impl Resource for CurriculumSummary {
    const FLAT: Flat = Flat::named("curriculum", "curricula");
}

impl Listable for CurriculumSummary {
    const LIST: List = List {
        fields: &[
            Field::new("title", Kind::Text).searched(),
            Field::new("description", Kind::Text).searched(),
            Field::new("author", Kind::Text).searched(),
            Field::new("keywords", Kind::Text).searched(),
            Field::new("language", Kind::Text).bare(),
            Field::new("status", Kind::Text).bare(),
            Field::new("difficulty", Kind::Text).bare(),
            Field::new("topics_count", Kind::Number),
            Field::new("created_at", Kind::Time),
            Field::new("updated_at", Kind::Time),
            Field::new("id", Kind::Text),
            Field::new("deleted", Kind::View),
        ],
        form: Form::Pages,
        includes: &[],
        labelled: false,
    };
}

impl From<KeptSummary> for CurriculumSummary {
    fn from(kept: KeptSummary) -> Self {
        Self {
            id: kept.id,
            title: kept.title,
            description: kept.description,
            author: kept.author,
            language: kept.language,
            created_at: rfc3339(kept.created_at_ms),
            updated_at: rfc3339(kept.updated_at_ms),
            topics_count: kept.topics,
            topic_count: kept.topics,
            status: kept.status,
            difficulty: kept.difficulty,
            age_range: kept.age_range,
            keywords: kept.keywords,
            revision: kept.revision,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CurriculumDetail {
    #[serde(flatten)]
    summary: CurriculumSummary,
    topics: Vec<Topic>,
    #[schema(value_type = Vec<Object>)]
    glossary_terms: Vec<Value>,
    #[schema(value_type = Vec<Object>)]
    learning_objectives: Vec<Value>,
}

impl Resource for CurriculumDetail {
    const FLAT: Flat = Flat::named("curriculum", "curricula");
}

#[derive(Debug, Serialize, ToSchema)]
struct Topic {
    id: String,
    title: String,
    description: String,
    /// Seconds.
    duration: u64,
    order_index: i64,
    has_transcript: bool,
    segment_count: usize,
    assessment_count: usize,
    assets: Vec<TopicAsset>,
}

#[derive(Debug, Serialize, ToSchema)]
struct TopicAsset {
    id: String,
    r#type: String,
    format: Option<String>,
    /// Of an asset that is kept here the path of its content, else what the document says.
    url: Option<String>,
    description: String,
    alt_text: Option<String>,
    size: Option<u64>,
}

/// Where an asset's bytes are.
fn content_path(curriculum: &str, asset: &str) -> String {
    let escaped = |text: &str| -> String {
        form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
    };
    format!("/api/v1/curricula/{}/assets/{}/content", escaped(curriculum), escaped(asset))
}

/// A curriculum with its topics; those assets that are kept here have their address here.
fn drawn(kept: Kept, infos: &[AssetInfo]) -> CurriculumDetail {
    let id = kept.summary.id.clone();
    let here = |asset: &str| infos.iter().find(|info| info.id == asset);
    let topics = kept.topics().into_iter().map(|topic| {
        let mut assets: Vec<TopicAsset> = topic
            .assets
            .into_iter()
            .map(|asset| {
                let info = here(&asset.id);
                TopicAsset {
                    format: asset
                        .format
                        .or_else(|| info.map(|info| sniff::format_of(&info.media_type).into())),
                    url: info.map(|info| content_path(&id, &info.id)).or(asset.url),
                    alt_text: info.and_then(|info| info.alt_text.clone()),
                    size: info.map(|info| info.size),
                    id: asset.id,
                    r#type: asset.kind,
                    description: asset.description,
                }
            })
            .collect();
        let own = infos.iter().filter(|info| info.topic.as_deref() == Some(&topic.id));
        for info in own {
            if !assets.iter().any(|asset| asset.id == info.id) {
                assets.push(TopicAsset {
                    id: info.id.clone(),
                    r#type: info.kind.clone(),
                    format: Some(sniff::format_of(&info.media_type).into()),
                    url: Some(content_path(&id, &info.id)),
                    description: info.description.clone(),
                    alt_text: info.alt_text.clone(),
                    size: Some(info.size),
                });
            }
        }
        Topic {
            id: topic.id,
            title: topic.title,
            description: topic.description,
            duration: topic.duration_s,
            order_index: topic.order_index,
            has_transcript: topic.has_transcript,
            segment_count: topic.segments,
            assessment_count: topic.assessments,
            assets,
        }
    });
    CurriculumDetail {
        topics: topics.collect(),
        glossary_terms: kept.glossary_terms(),
        learning_objectives: kept.learning_objectives(),
        summary: kept.summary.into(),
    }
}

/// What is said in a topic, in the document's own words.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Transcript {
    #[schema(value_type = Vec<Object>)]
    segments: Vec<Value>,
    /// ISO 8601.
    #[serde(rename = "totalDuration")]
    total_duration: String,
    /// Each term with its `ipa` and `respelling`.
    #[serde(rename = "pronunciationGuide")]
    #[schema(value_type = Object)]
    pronunciation_guide: Map<String, Value>,
}

impl Resource for Transcript {
    const FLAT: Flat = Flat::named("transcript", "transcripts");
}

impl From<Said> for Transcript {
    fn from(said: Said) -> Self {
        let Said { segments, total_duration, pronunciation_guide } = said;
        Self { segments, total_duration, pronunciation_guide }
    }
}

pub(crate) async fn list(
    State(api): State<Api>,
    Member(_): Member,
    Query(page): Query<PageQuery>,
    Asked(mut listing, ..): Asked<CurriculumSummary>,
) -> Answer<Listed<CurriculumSummary>> {
    let page = page.request()?;
    let deleted = listing.take_view("deleted");
    let found = api.app.content.list(&listing, deleted, page).await.map_err(Problem::internal)?;
    let items = found.items.into_iter().map(CurriculumSummary::from).collect();
    Ok(Many::page(items, page.page, page.per_page, found.total).asked(listing))
}

pub(crate) async fn detail(
    State(api): State<Api>,
    Member(_): Member,
    Path(id): Path<String>,
    known: IfNoneMatch,
) -> Answer<Tagged<CurriculumDetail>> {
    let mut shown = shown(&api, &id).await?;
    shown.known = known.knows(shown.version);
    Ok(shown)
}

async fn shown(api: &Api, id: &str) -> Result<Tagged<CurriculumDetail>, Problem> {
    let kept = found(api, id).await?;
    let infos = api.app.content.assets(id).await.map_err(Problem::internal)?;
    let version = kept.summary.revision;
    Ok(Tagged { item: drawn(kept, &infos), version, known: false })
}

async fn found(api: &Api, id: &str) -> Result<Kept, Problem> {
    let found = api.app.content.curriculum(id).await.map_err(Problem::internal)?;
    found.ok_or_else(|| Problem::not_found("curriculum", id))
}

pub(crate) async fn full(
    State(api): State<Api>,
    Member(_): Member,
    Path(id): Path<String>,
) -> Answer<Raw> {
    let found = api.app.content.document(&id).await.map_err(Problem::internal)?;
    found.map(|(text, _)| Raw(text)).ok_or_else(|| Problem::not_found("curriculum", id))
}

pub(crate) async fn transcript(
    State(api): State<Api>,
    Member(_): Member,
    Path((id, topic)): Path<(String, String)>,
) -> Answer<One<Transcript>> {
    let kept = found(&api, &id).await?;
    let said = kept.transcript(&topic).ok_or_else(|| Problem::not_found("transcript of", topic))?;
    Ok(One(said.into()))
}

async fn audit(api: &Api, caller: &Caller, action: &str, id: &str, details: Value) -> Answer<()> {
    let entry = AuditEntry {
        at_ms: api.app.clock.now_ms(),
        actor: caller.email.clone(),
        action: format!("curriculum.{action}"),
        target: format!("curriculum:{id}"),
        decision: Decision::Allowed,
        details,
        ..AuditEntry::default()
    };
    api.app.store.add_audit(&entry).await.map_err(Problem::internal)
}

/// What authors are told of what could not be done.
fn problem(error: ContentError) -> Problem {
    let message = error.to_string();
    match error {
        ContentError::Document(_) | ContentError::Bundle(_) | ContentError::NoId => {
            Problem::invalid(vec![FieldError::body("file", "invalid_document", message)])
        }
        ContentError::Sniff(_) => {
            Problem::invalid(vec![FieldError::body("file", "unsupported_media", message)])
        }
        ContentError::Fetch(error) if is_upstream(&error) => {
            let field = FieldError::body("url", "not_fetched", message.clone());
            Problem::new(ErrorCode::ValidationError, message).field(field)
        }
        ContentError::Fetch(_) => {
            Problem::invalid(vec![FieldError::body("url", "invalid_value", message)])
        }
        ContentError::Archive(_)
        | ContentError::Taken(_)
        | ContentError::Full
        | ContentError::TooManyArchives => Problem::new(ErrorCode::Conflict, message),
        ContentError::Busy => Problem::new(ErrorCode::Unavailable, message).retry_after(1),
        error @ (ContentError::Pack(_) | ContentError::Stopped | ContentError::Store(_)) => {
            Problem::internal(error)
        }
    }
}

/// What was done, in 003's words.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Done {
    message: &'static str,
    curriculum_id: String,
}

impl Resource for Done {
    const FLAT: Flat = Flat::fields();
}

fn renamed(from: Option<&str>) -> Value {
    from.map_or_else(|| json!({}), |name| json!({ "file": name }))
}
