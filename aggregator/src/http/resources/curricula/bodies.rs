//! A document with all that belongs to it, written as it is read.

use super::Api;
use crate::content::{AssetInfo, Content, ContentError};
use crate::http::auth::Member;
use crate::http::error::Problem;
use crate::http::extract::Path;
use crate::http::reply::{Answer, WrittenJson};
use axum::body::Body;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::stream;
use serde_json::json;
use std::collections::VecDeque;

/// A whole number of times three, so that the parts of an asset join to one base64 text.
const PART: u32 = 3 * 128 * 1024;

/// One piece of the body, in its order.
enum Piece {
    Text(String),
    /// An asset's bytes from an offset on, as base64.
    Bytes(AssetInfo, u64),
}

struct Pieces {
    content: Content,
    curriculum: String,
    left: VecDeque<Piece>,
}

/// `curriculum`, `assets` by id in base64, and `assetData` with the type and size of each.
pub(crate) async fn full_with_assets(
    State(api): State<Api>,
    Member(_): Member,
    Path(id): Path<String>,
) -> Answer<WrittenJson> {
    let content = api.app.content.clone();
    let found = content.document(&id).await.map_err(Problem::internal)?;
    let (text, _) = found.ok_or_else(|| Problem::not_found("curriculum", &id))?;
    let infos = content.assets(&id).await.map_err(Problem::internal)?;
    let mut left = VecDeque::from([Piece::Text(format!("{{\"curriculum\":{text},\"assets\":{{"))]);
    for (index, info) in infos.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        left.push_back(Piece::Text(format!("{comma}{}:\"", json!(info.id))));
        left.push_back(Piece::Bytes(info.clone(), 0));
        left.push_back(Piece::Text("\"".into()));
    }
    left.push_back(Piece::Text("},\"assetData\":{".into()));
    for (index, info) in infos.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        left.push_back(Piece::Text(format!("{comma}{}:{{\"data\":\"", json!(info.id))));
        left.push_back(Piece::Bytes(info.clone(), 0));
        let rest = json!({ "mimeType": info.media_type, "size": info.size }).to_string();
        left.push_back(Piece::Text(format!("\",{}", &rest[1..])));
    }
    left.push_back(Piece::Text("}}".into()));
    let pieces = Pieces { content, curriculum: id, left };
    let body = stream::try_unfold(pieces, |mut pieces| async move {
        let next = pieces.next().await?;
        Ok::<_, ContentError>(next.map(|text| (text, pieces)))
    });
    Ok(WrittenJson(Body::from_stream(body)))
}

impl Pieces {
    async fn next(&mut self) -> Result<Option<String>, ContentError> {
        let Some(piece) = self.left.pop_front() else { return Ok(None) };
        let (info, offset) = match piece {
            Piece::Text(text) => return Ok(Some(text)),
            Piece::Bytes(info, offset) => (info, offset),
        };
        let part = self.content.asset_part(&self.curriculum, &info.id, offset, PART).await?;
        // Deleted meanwhile: the body breaks off, so that nobody takes half of it for the whole.
        let part = part.ok_or(ContentError::Stopped)?;
        if part.len() == PART as usize {
            self.left.push_front(Piece::Bytes(info, offset + u64::from(PART)));
        }
        Ok(Some(STANDARD.encode(part)))
    }
}
