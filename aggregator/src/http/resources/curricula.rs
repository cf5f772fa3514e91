//! Curricula: lists, details, and the documents as they came.

use crate::content::{Curriculum as Kept, Summary as KeptSummary};
use crate::http::Api;
use crate::http::auth::Member;
use crate::http::error::Problem;
use crate::http::extract::{Path, Query};
use crate::http::paging::PageQuery;
use crate::http::reply::{Answer, Flat, Many, One, Raw, Resource};
use crate::http::time::rfc3339;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
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
}

impl Resource for CurriculumSummary {
    const FLAT: Flat = Flat::named("curriculum", "curricula");
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
    url: Option<String>,
    description: String,
}

impl From<Kept> for CurriculumDetail {
    fn from(kept: Kept) -> Self {
        let topics = kept.topics().into_iter().map(|topic| Topic {
            id: topic.id,
            title: topic.title,
            description: topic.description,
            duration: topic.duration_s,
            order_index: topic.order_index,
            has_transcript: topic.has_transcript,
            segment_count: topic.segments,
            assessment_count: topic.assessments,
            assets: topic
                .assets
                .into_iter()
                .map(|asset| TopicAsset {
                    id: asset.id,
                    r#type: asset.kind,
                    format: asset.format,
                    url: asset.url,
                    description: asset.description,
                })
                .collect(),
        });
        Self {
            topics: topics.collect(),
            glossary_terms: kept.glossary_terms(),
            learning_objectives: kept.learning_objectives(),
            summary: kept.summary.into(),
        }
    }
}

pub(crate) async fn list(
    State(api): State<Api>,
    Member(_): Member,
    Query(page): Query<PageQuery>,
) -> Answer<Many<CurriculumSummary>> {
    let page = page.request()?;
    let found = api.app.content.list(page).await.map_err(Problem::internal)?;
    let items = found.items.into_iter().map(CurriculumSummary::from).collect();
    Ok(Many::page(items, page.page, page.per_page, found.total))
}

pub(crate) async fn detail(
    State(api): State<Api>,
    Member(_): Member,
    Path(id): Path<String>,
) -> Answer<One<CurriculumDetail>> {
    let found = api.app.content.curriculum(&id).await.map_err(Problem::internal)?;
    found.map(|kept| One(kept.into())).ok_or_else(|| Problem::not_found("curriculum", id))
}

pub(crate) async fn full(
    State(api): State<Api>,
    Member(_): Member,
    Path(id): Path<String>,
) -> Answer<Raw> {
    let found = api.app.content.document(&id).await.map_err(Problem::internal)?;
    found.map(Raw).ok_or_else(|| Problem::not_found("curriculum", id))
}
