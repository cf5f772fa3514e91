//! An answer in another media type than JSON, whose body comes in pieces.

use super::schema::Schemas;
use super::{Many, ReplySchema, Resource};
use crate::http::dialect::Dialect;
use crate::http::render::Final;
use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

/// A list that comes as a table too.
pub(crate) trait Tabled: Resource {
    /// Beside `application/json`.
    const MEDIA_TYPES: &'static [&'static str];
}

/// A body in pieces.
#[derive(Debug)]
pub(crate) struct Streamed {
    pub(crate) media_type: &'static str,
    /// What a browser saves it as.
    pub(crate) file: String,
    pub(crate) body: Body,
}

/// What the client wanted.
#[derive(Debug)]
pub(crate) enum Negotiated<T> {
    Json(Many<T>),
    Streamed(Streamed),
}

impl<T: Tabled> IntoResponse for Negotiated<T> {
    fn into_response(self) -> Response {
        let streamed = match self {
            Self::Json(many) => return many.into_response(),
            Self::Streamed(streamed) => streamed,
        };
        let mut response = streamed.body.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(streamed.media_type));
        let disposition = format!("attachment; filename=\"{}\"", streamed.file);
        if let Ok(value) = HeaderValue::from_str(&disposition) {
            headers.insert(header::CONTENT_DISPOSITION, value);
        }
        headers.insert(header::VARY, HeaderValue::from_static("accept"));
        response.extensions_mut().insert(Final);
        response
    }
}

impl<T: Tabled> ReplySchema for Negotiated<T> {
    fn status(dialect: Dialect) -> u16 {
        Many::<T>::status(dialect)
    }

    fn schema(dialect: Dialect, schemas: &mut Schemas) -> Value {
        Many::<T>::schema(dialect, schemas)
    }

    fn is_list() -> bool {
        true
    }

    fn media_types() -> &'static [&'static str] {
        T::MEDIA_TYPES
    }
}
