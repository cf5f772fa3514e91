//! Pictures, sounds and films of topics.

use super::{Api, audit, content_path, found, problem};
use crate::content::{
    AssetChange, AssetInfo, Content, ContentError, MAX_ASSET_BYTES, Preloaded, Upload as NewAsset,
    sniff,
};
use crate::http::auth::{Actor, Member};
use crate::http::error::{FieldError, Problem};
use crate::http::extract::{Body, Path, Upload};
use crate::http::ranges::{Cut, Wanted};
use crate::http::reply::{Answer, Created, Flat, Many, One, Ranged, Resource};
use crate::http::time::rfc3339;
use axum::body::Body as Bytes;
use axum::extract::State;
use futures_util::stream;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;
use utoipa::ToSchema;

/// What an asset can be.
pub(crate) const KINDS: [&str; 7] =
    ["diagram", "formula", "map", "image", "audio", "video", "document"];
const MAX_TEXT: usize = 4_096;
const PART: u32 = 256 * 1024;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Asset {
    id: String,
    /// `diagram`, `formula`, `map`, `image`, `audio`, `video` or `document`.
    r#type: String,
    /// Such as `svg` or `png`, by the bytes.
    format: String,
    /// The path of its content.
    url: String,
    title: String,
    description: String,
    alt_text: Option<String>,
    mime_type: String,
    /// Bytes.
    size: u64,
    topic_id: Option<String>,
    /// `import`, `upload` or `preload`.
    origin: &'static str,
    /// SHA-256, hexadecimal.
    checksum: Option<String>,
    created_at: String,
    updated_at: String,
}

impl Resource for Asset {
    const FLAT: Flat = Flat::named("asset", "assets");
}

fn drawn(curriculum: &str, info: AssetInfo) -> Asset {
    Asset {
        format: sniff::format_of(&info.media_type).into(),
        url: content_path(curriculum, &info.id),
        id: info.id,
        r#type: info.kind,
        title: info.title,
        description: info.description,
        alt_text: info.alt_text,
        mime_type: info.media_type,
        size: info.size,
        topic_id: info.topic,
        origin: info.origin.name(),
        checksum: Some(info.sha256).filter(|sum| !sum.is_empty()),
        created_at: rfc3339(info.created_at_ms),
        updated_at: rfc3339(info.updated_at_ms),
    }
}

/// Those of a topic.
pub(crate) async fn assets(
    State(api): State<Api>,
    Member(_): Member,
    Path((id, topic)): Path<(String, String)>,
) -> Answer<Many<Asset>> {
    demand_topic(&api, &id, &topic).await?;
    let infos = api.app.content.assets(&id).await.map_err(Problem::internal)?;
    let own = infos.into_iter().filter(|info| info.topic.as_deref() == Some(&topic));
    Ok(Many::whole(own.map(|info| drawn(&id, info)).collect()))
}

async fn demand_topic(api: &Api, id: &str, topic: &str) -> Result<(), Problem> {
    let kept = found(api, id).await?;
    match kept.topics().iter().any(|one| one.id == topic) {
        true => Ok(()),
        false => Err(Problem::not_found("topic", topic)),
    }
}

fn text(name: &str, text: String) -> Result<String, Problem> {
    if text.len() <= MAX_TEXT {
        return Ok(text);
    }
    let message = format!("has at most {MAX_TEXT} bytes");
    Err(Problem::invalid(vec![FieldError::body(name, "too_long", message)]))
}

fn kind(word: String) -> Result<String, Problem> {
    if KINDS.contains(&word.as_str()) {
        return Ok(word);
    }
    let message = format!("is one of {}", KINDS.join(", "));
    Err(Problem::invalid(vec![FieldError::body("type", "invalid_value", message)]))
}

pub(crate) async fn upload(
    State(api): State<Api>,
    Actor(caller): Actor,
    Path((id, topic)): Path<(String, String)>,
    Upload { file, mut words, .. }: Upload<MAX_ASSET_BYTES>,
) -> Answer<Created<Asset>> {
    let kind = words.remove("type").filter(|word| !word.is_empty()).map(kind).transpose()?;
    let description = text("description", words.remove("description").unwrap_or_default())?;
    let alt_text = words.remove("alt_text").map(|own| text("alt_text", own)).transpose()?;
    demand_topic(&api, &id, &topic).await?;
    let (name, bytes) = (file.name, file.bytes);
    let new = NewAsset { topic: topic.clone(), name, kind, description, alt_text, bytes };
    let kept = api.app.content.upload(&id, new).await.map_err(problem)?;
    let kept = kept.ok_or_else(|| Problem::not_found("topic", &topic))?;
    let details = json!({ "asset": kept.id, "topic": topic, "bytes": kept.size });
    audit(&api, &caller, "add_asset", &id, details).await?;
    let location = content_path(&id, &kept.id);
    Ok(Created { item: drawn(&id, kept), location })
}

/// What is absent stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssetRequest {
    #[schema(max_length = 4096)]
    description: Option<String>,
    /// Null takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 4096)]
    alt_text: Option<Option<String>>,
    #[schema(max_length = 4096)]
    title: Option<String>,
    /// `diagram`, `formula`, `map`, `image`, `audio`, `video` or `document`.
    r#type: Option<String>,
}

/// What stands there, null too.
fn given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(from).map(Some)
}

pub(crate) async fn change_asset(
    State(api): State<Api>,
    Actor(caller): Actor,
    Path((id, topic, asset)): Path<(String, String, String)>,
    Body(request): Body<AssetRequest>,
) -> Answer<One<Asset>> {
    demand_asset(&api, &id, &topic, &asset).await?;
    let change = AssetChange {
        title: request.title.map(|own| text("title", own)).transpose()?,
        description: request.description.map(|own| text("description", own)).transpose()?,
        alt_text: match request.alt_text {
            Some(Some(own)) => Some(Some(text("alt_text", own)?)),
            other => other,
        },
        kind: request.r#type.map(kind).transpose()?,
    };
    let kept = api.app.content.change_asset(&id, &asset, &change).await.map_err(problem)?;
    let kept = kept.ok_or_else(|| Problem::not_found("asset", &asset))?;
    audit(&api, &caller, "change_asset", &id, json!({ "asset": asset })).await?;
    Ok(One(drawn(&id, kept)))
}

/// The asset, where it is this topic's.
async fn demand_asset(api: &Api, id: &str, topic: &str, asset: &str) -> Result<(), Problem> {
    found(api, id).await?;
    let info = api.app.content.asset(id, asset).await.map_err(Problem::internal)?;
    match info.filter(|info| info.topic.as_deref() == Some(topic)) {
        Some(_) => Ok(()),
        None => Err(Problem::not_found("asset", asset)),
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AssetGone {
    message: &'static str,
    id: String,
}

impl Resource for AssetGone {
    const FLAT: Flat = Flat::fields();
}

pub(crate) async fn remove_asset(
    State(api): State<Api>,
    Actor(caller): Actor,
    Path((id, topic, asset)): Path<(String, String, String)>,
) -> Answer<One<AssetGone>> {
    demand_asset(&api, &id, &topic, &asset).await?;
    if !api.app.content.delete_asset(&id, &asset).await.map_err(problem)? {
        return Err(Problem::not_found("asset", asset));
    }
    audit(&api, &caller, "delete_asset", &id, json!({ "asset": asset })).await?;
    Ok(One(AssetGone { message: "Asset deleted", id: asset }))
}

pub(crate) async fn asset_content(
    State(api): State<Api>,
    Member(_): Member,
    Path((id, asset)): Path<(String, String)>,
    wanted: Wanted,
) -> Answer<Ranged> {
    found(&api, &id).await?;
    let info = api.app.content.asset(&id, &asset).await.map_err(Problem::internal)?;
    let info = info.ok_or_else(|| Problem::not_found("asset", asset))?;
    Ok(sent(&api.app.content, &id, info, &wanted))
}

/// The recording of a topic: the asset of type `audio` that is bound to it.
pub(crate) async fn stream_audio(
    State(api): State<Api>,
    Member(_): Member,
    Path((id, topic)): Path<(String, String)>,
    wanted: Wanted,
) -> Answer<Ranged> {
    let kept = found(&api, &id).await?;
    let infos = api.app.content.assets(&id).await.map_err(Problem::internal)?;
    let topics = kept.topics();
    let one = topics.iter().find(|one| one.id == topic);
    let one = one.ok_or_else(|| Problem::not_found("topic", &topic))?;
    let is_its = |info: &AssetInfo| {
        info.topic.as_deref() == Some(&topic) || one.assets.iter().any(|asset| asset.id == info.id)
    };
    let mut sounds = infos.into_iter().filter(|info| info.kind == "audio" && is_its(info));
    let sound = sounds.next().ok_or_else(|| Problem::not_found("recording of the topic", topic))?;
    Ok(sent(&api.app.content, &id, sound, &wanted))
}

fn sent(content: &Content, curriculum: &str, info: AssetInfo, wanted: &Wanted) -> Ranged {
    let tag = match info.sha256.as_str() {
        "" => format!("\"{}-{}\"", info.updated_at_ms, info.size),
        sum => format!("\"{sum}\""),
    };
    let cut = wanted.of(info.size, &tag);
    let (first, end) = match cut {
        Cut::Whole => (0, info.size),
        Cut::Part(first, last) => (first, last + 1),
        Cut::Outside | Cut::Known => (0, 0),
    };
    let (content, curriculum, id) = (content.clone(), curriculum.to_owned(), info.id);
    let parts = stream::try_unfold(first, move |at| {
        let (content, curriculum, id) = (content.clone(), curriculum.clone(), id.clone());
        async move {
            if at >= end {
                return Ok::<_, ContentError>(None);
            }
            let length = u32::try_from(end - at).unwrap_or(PART).min(PART);
            let part = content.asset_part(&curriculum, &id, at, length).await?;
            // Replaced or deleted meanwhile: the body breaks off.
            let part = part.filter(|part| part.len() == length as usize);
            let part = part.ok_or(ContentError::Stopped)?;
            Ok(Some((part, at + u64::from(length))))
        }
    });
    Ranged {
        media_type: info.media_type,
        size: info.size,
        tag,
        cut,
        body: Bytes::from_stream(parts),
    }
}

/// What is here now, and what was fetched for it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PreloadedAssets {
    message: &'static str,
    total_assets: u64,
    total_size_bytes: u64,
    /// By this request.
    fetched: u64,
    /// What time did not suffice for: ask once more.
    remaining: u64,
    failed: Vec<FailedAsset>,
}

#[derive(Debug, Serialize, ToSchema)]
struct FailedAsset {
    id: String,
    reason: String,
}

impl Resource for PreloadedAssets {
    const FLAT: Flat = Flat::fields();
}

/// Fetches what the document has at other addresses, so that all of it is here.
pub(crate) async fn preload(
    State(api): State<Api>,
    Actor(caller): Actor,
    Path(id): Path<String>,
) -> Answer<One<PreloadedAssets>> {
    let done = api.app.content.preload(&id).await.map_err(problem)?;
    let done = done.ok_or_else(|| Problem::not_found("curriculum", &id))?;
    let Preloaded { fetched, total, bytes, remaining, failed } = done;
    audit(&api, &caller, "preload_assets", &id, json!({ "fetched": fetched })).await?;
    let message = match (remaining, failed.is_empty()) {
        (0, true) => "Assets preloaded",
        _ => "Assets preloaded in part",
    };
    let failed = failed.into_iter().map(|(id, reason)| FailedAsset { id, reason }).collect();
    let (total_assets, total_size_bytes) = (total, bytes);
    let all =
        PreloadedAssets { message, total_assets, total_size_bytes, fetched, remaining, failed };
    Ok(One(all))
}
