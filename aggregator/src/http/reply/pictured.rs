//! A picture as JSON around base64, or as itself, whichever the client prefers.

use super::schema::Schemas;
use super::{One, ReplySchema, Resource};
use crate::http::dialect::Dialect;
use crate::http::render::Final;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

/// A picture as itself.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) media_type: String,
    /// With its quotation marks.
    pub(crate) tag: String,
    pub(crate) known: bool,
    pub(crate) bytes: Vec<u8>,
}

#[derive(Debug)]
pub(crate) enum Pictured<T> {
    Json(One<T>),
    Image(Image),
    /// What is wrong with the source, drawn for whoever shows pictures alone.
    Fault(Image),
}

impl<T: Resource> IntoResponse for Pictured<T> {
    fn into_response(self) -> Response {
        let (status, image) = match self {
            Self::Json(one) => return one.into_response(),
            Self::Image(image) if image.known => (StatusCode::NOT_MODIFIED, image),
            Self::Image(image) => (StatusCode::OK, image),
            Self::Fault(image) => (StatusCode::BAD_REQUEST, image),
        };
        let bytes = if status == StatusCode::NOT_MODIFIED { Vec::new() } else { image.bytes };
        let mut response = (status, bytes).into_response();
        let headers = response.headers_mut();
        let mut say = |name: HeaderName, text: &str| {
            if let Ok(value) = HeaderValue::from_str(text) {
                headers.insert(name, value);
            }
        };
        say(header::CONTENT_TYPE, &image.media_type);
        if status != StatusCode::BAD_REQUEST {
            say(header::ETAG, &image.tag);
        }
        say(header::CACHE_CONTROL, "private, max-age=3600");
        say(header::VARY, "accept, authorization");
        say(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        say(
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        );
        response.extensions_mut().insert(Final);
        response
    }
}

impl<T: Resource> ReplySchema for Pictured<T> {
    fn status(dialect: Dialect) -> u16 {
        One::<T>::status(dialect)
    }

    fn schema(dialect: Dialect, schemas: &mut Schemas) -> Value {
        One::<T>::schema(dialect, schemas)
    }

    fn media_types() -> &'static [&'static str] {
        &["image/svg+xml", "image/png"]
    }
}
