//! A file, or some of its bytes, in pieces.

use super::ReplySchema;
use super::schema::Schemas;
use crate::http::dialect::Dialect;
use crate::http::ranges::Cut;
use crate::http::render::Final;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

#[derive(Debug)]
pub(crate) struct Ranged {
    pub(crate) media_type: String,
    pub(crate) size: u64,
    /// With its quotation marks.
    pub(crate) tag: String,
    pub(crate) cut: Cut,
    /// What was cut out; empty where nothing is sent.
    pub(crate) body: Body,
}

impl IntoResponse for Ranged {
    fn into_response(self) -> Response {
        let Self { media_type, size, tag, cut, body } = self;
        let (status, range, length) = match cut {
            Cut::Whole => (StatusCode::OK, None, Some(size)),
            Cut::Part(first, last) => {
                let range = format!("bytes {first}-{last}/{size}");
                (StatusCode::PARTIAL_CONTENT, Some(range), Some(last - first + 1))
            }
            Cut::Outside => {
                (StatusCode::RANGE_NOT_SATISFIABLE, Some(format!("bytes */{size}")), Some(0))
            }
            Cut::Known => (StatusCode::NOT_MODIFIED, None, None),
        };
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        let mut say = |name: HeaderName, text: &str| {
            if let Ok(value) = HeaderValue::from_str(text) {
                headers.insert(name, value);
            }
        };
        say(header::CONTENT_TYPE, &media_type);
        say(header::ACCEPT_RANGES, "bytes");
        say(header::ETAG, &tag);
        say(header::CACHE_CONTROL, "private, no-cache");
        say(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        // Somebody handed it in: nothing of it may run or fetch.
        say(
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        );
        if let Some(range) = range {
            say(header::CONTENT_RANGE, &range);
        }
        if let Some(length) = length {
            say(header::CONTENT_LENGTH, &length.to_string());
        }
        response.extensions_mut().insert(Final);
        response
    }
}

impl ReplySchema for Ranged {
    fn status(_: Dialect) -> u16 {
        200
    }

    fn schema(_: Dialect, _: &mut Schemas) -> Value {
        json!({ "type": "string", "format": "binary" })
    }

    fn tagged() -> bool {
        true
    }

    fn json() -> bool {
        false
    }

    fn media_types() -> &'static [&'static str] {
        &["audio/mpeg", "audio/wav", "image/png", "image/svg+xml", "application/octet-stream"]
    }
}
