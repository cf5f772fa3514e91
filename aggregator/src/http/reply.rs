//! What a handler gives back, and how each dialect draws it.
//!
//! A handler answers with a shape ([`One`], [`Tagged`], [`Many`], [`Created`],
//! [`Accepted`], [`Raw`]) around a
//! typed [`Resource`]; the outermost layer renders it. The same shapes write the schemas of the
//! OpenAPI documents, so that an envelope cannot differ from what its document says.

mod document;
mod envelope;
mod pictured;
mod ranged;
#[cfg(feature = "oidc")]
mod redirect;
mod schema;
mod streamed;
mod written;

pub(crate) use document::{Document, Drawn};
pub(crate) use pictured::{Image, Pictured};
pub(crate) use ranged::Ranged;
#[cfg(feature = "oidc")]
pub(crate) use redirect::{Redirect, WithCookie};
pub(crate) use schema::{ReplySchema, Schemas};
pub(crate) use streamed::{Negotiated, Streamed, Tabled};
pub(crate) use written::WrittenJson;

use super::dialect::Dialect;
use super::error::Problem;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::sync::Arc;
use utoipa::ToSchema;

/// What every handler returns.
pub(crate) type Answer<R> = Result<R, Problem>;

/// Something that the API shows. `FLAT` says how 003 draws it.
pub(crate) trait Resource: Serialize + ToSchema + Send + Sync + 'static {
    const FLAT: Flat;
}

/// How the flat dialect draws a resource.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flat {
    /// The key that holds one; `None` where its fields stand at the top.
    pub(crate) one: Option<&'static str>,
    /// The key that holds a list.
    pub(crate) many: &'static str,
    /// Does `success: true` stand beside it?
    pub(crate) success: bool,
    /// Are its field names camelCase there?
    pub(crate) camel: bool,
}

impl Flat {
    /// `{success, <one>: …}` and `{success, <many>: […]}`.
    pub(crate) const fn named(one: &'static str, many: &'static str) -> Self {
        Self { one: Some(one), many, success: true, camel: false }
    }

    /// `{success, …fields}`.
    pub(crate) const fn fields() -> Self {
        Self { one: None, many: "items", success: true, camel: false }
    }

    /// The fields and nothing else.
    pub(crate) const fn bare() -> Self {
        Self { one: None, many: "items", success: false, camel: false }
    }

    pub(crate) const fn camel(self) -> Self {
        Self { camel: true, ..self }
    }
}

/// What the renderer knows of the request.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) dialect: Dialect,
    pub(crate) request_id: String,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) now_ms: u64,
}

/// A finished answer.
#[derive(Debug)]
pub(crate) struct Rendered {
    pub(crate) status: StatusCode,
    pub(crate) content_type: &'static str,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Vec<u8>,
}

/// Something that the outermost layer can draw.
pub(crate) trait Render: Send + Sync {
    fn render(&self, scene: &Scene) -> Result<Rendered, serde_json::Error>;
}

/// What travels from the handler to the renderer, in the response's extensions.
#[derive(Clone)]
pub(crate) struct Payload(pub(crate) Arc<dyn Render>);

fn carry(status: StatusCode, payload: impl Render + 'static) -> Response {
    let mut response = status.into_response();
    response.extensions_mut().insert(Payload(Arc::new(payload)));
    response
}

/// One resource: 200.
#[derive(Debug)]
pub(crate) struct One<T>(pub(crate) T);

/// One resource that can be replaced: 200 with the `ETag` of its version, 304 where the request
/// knows that version.
#[derive(Debug)]
pub(crate) struct Tagged<T> {
    pub(crate) item: T,
    pub(crate) version: u64,
    pub(crate) known: bool,
}

/// A list: 200.
#[derive(Debug)]
pub(crate) struct Many<T> {
    pub(crate) items: Vec<T>,
    pub(crate) paging: Paging,
    /// Facts about the list: `meta` in v1, beside the list in flat.
    pub(crate) facts: Map<String, Value>,
    /// Only these fields of each item, besides its id.
    pub(crate) fields: Option<BTreeSet<String>>,
    /// What the items refer to, by its kind.
    pub(crate) included: Map<String, Value>,
}

/// A list that can be asked for fewer fields, and for what its items refer to: 200.
#[derive(Debug)]
pub(crate) struct Listed<T>(pub(crate) Many<T>);

/// Where a list stands in its whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Paging {
    /// All of it.
    Whole,
    Page {
        page: u32,
        per_page: u32,
        total: u64,
    },
    /// `next` continues after the last item.
    Cursor {
        limit: u32,
        next: Option<String>,
    },
}

impl<T> Many<T> {
    pub(crate) fn whole(items: Vec<T>) -> Self {
        Self::paged(items, Paging::Whole)
    }

    pub(crate) fn page(items: Vec<T>, page: u32, per_page: u32, total: u64) -> Self {
        Self::paged(items, Paging::Page { page, per_page, total })
    }

    pub(crate) fn cursor(items: Vec<T>, limit: u32, next: Option<String>) -> Self {
        Self::paged(items, Paging::Cursor { limit, next })
    }

    fn paged(items: Vec<T>, paging: Paging) -> Self {
        Self { items, paging, facts: Map::new(), fields: None, included: Map::new() }
    }

    pub(crate) fn fact(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(key.into(), value.into());
        self
    }
}

/// A resource that now exists: 201, with its address.
#[derive(Debug)]
pub(crate) struct Created<T> {
    pub(crate) item: T,
    pub(crate) location: String,
}

/// Work that goes on: 202 with the address to watch in v1, 200 in flat.
#[derive(Debug)]
pub(crate) struct Accepted<T> {
    pub(crate) item: T,
    pub(crate) location: String,
}

/// A JSON body as it is, in every dialect of HTTP: a UMCF document.
#[derive(Debug)]
pub(crate) struct Raw(pub(crate) String);

impl<T: Resource> IntoResponse for One<T> {
    fn into_response(self) -> Response {
        carry(StatusCode::OK, self)
    }
}

impl<T: Resource> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        carry(if self.known { StatusCode::NOT_MODIFIED } else { StatusCode::OK }, self)
    }
}

impl<T: Resource> IntoResponse for Many<T> {
    fn into_response(self) -> Response {
        carry(StatusCode::OK, self)
    }
}

impl<T: Resource> IntoResponse for Listed<T> {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

impl<T: Resource> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        carry(StatusCode::CREATED, self)
    }
}

impl<T: Resource> IntoResponse for Accepted<T> {
    fn into_response(self) -> Response {
        carry(StatusCode::ACCEPTED, self)
    }
}

impl IntoResponse for Raw {
    fn into_response(self) -> Response {
        carry(StatusCode::OK, self)
    }
}

fn json(status: StatusCode, body: Vec<u8>) -> Rendered {
    Rendered { status, content_type: "application/json", headers: Vec::new(), body }
}

fn located(mut rendered: Rendered, location: &str) -> Rendered {
    if let Ok(value) = HeaderValue::from_str(location) {
        rendered.headers.push((header::LOCATION, value));
    }
    rendered
}

impl<T: Resource> Render for One<T> {
    fn render(&self, scene: &Scene) -> Result<Rendered, serde_json::Error> {
        Ok(json(StatusCode::OK, envelope::one(&self.0, scene)?))
    }
}

impl<T: Resource> Render for Tagged<T> {
    fn render(&self, scene: &Scene) -> Result<Rendered, serde_json::Error> {
        let mut rendered = if self.known {
            json(StatusCode::NOT_MODIFIED, Vec::new())
        } else {
            json(StatusCode::OK, envelope::one(&self.item, scene)?)
        };
        if let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", self.version)) {
            rendered.headers.push((header::ETAG, tag));
        }
        Ok(rendered)
    }
}

impl<T: Resource> Render for Many<T> {
    fn render(&self, scene: &Scene) -> Result<Rendered, serde_json::Error> {
        let mut rendered = json(StatusCode::OK, envelope::many(self, scene)?);
        if let Some(link) = envelope::link_header(self, scene) {
            rendered.headers.push((header::LINK, link));
        }
        Ok(rendered)
    }
}

impl<T: Resource> Render for Created<T> {
    fn render(&self, scene: &Scene) -> Result<Rendered, serde_json::Error> {
        let body = envelope::one(&self.item, scene)?;
        Ok(located(json(StatusCode::CREATED, body), &self.location))
    }
}

impl<T: Resource> Render for Accepted<T> {
    fn render(&self, scene: &Scene) -> Result<Rendered, serde_json::Error> {
        let body = envelope::one(&self.item, scene)?;
        Ok(match scene.dialect {
            Dialect::V1 | Dialect::Ipc => located(json(StatusCode::ACCEPTED, body), &self.location),
            Dialect::Flat => json(StatusCode::OK, body),
        })
    }
}

impl Render for Raw {
    fn render(&self, scene: &Scene) -> Result<Rendered, serde_json::Error> {
        Ok(json(StatusCode::OK, envelope::raw(&self.0, scene)?))
    }
}

#[cfg(test)]
mod tests;
