//! An answer that is a document of its own: a page, a table, a file.

use super::schema::Schemas;
use super::{One, ReplySchema, Resource};
use crate::http::dialect::Dialect;
use crate::http::render::Final;
use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) media_type: &'static str,
    /// What a browser saves it as; it shows it where there is none.
    pub(crate) file: Option<String>,
    pub(crate) body: Body,
}

/// One resource as JSON, or drawn as a document.
#[derive(Debug)]
pub(crate) enum Drawn<T> {
    Json(One<T>),
    Document(Document),
}

impl IntoResponse for Document {
    fn into_response(self) -> Response {
        let mut response = self.body.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        if let Some(file) = self.file
            && let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{file}\""))
        {
            headers.insert(header::CONTENT_DISPOSITION, value);
        }
        headers.insert(header::VARY, HeaderValue::from_static("accept"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        // What others have named stands in it: nothing of it may run or be fetched.
        let policy = "default-src 'none'; style-src 'unsafe-inline'; sandbox";
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
        response.extensions_mut().insert(Final);
        response
    }
}

impl ReplySchema for Document {
    fn status(_: Dialect) -> u16 {
        200
    }

    fn schema(_: Dialect, _: &mut Schemas) -> Value {
        json!({ "type": "string", "format": "binary" })
    }

    fn json() -> bool {
        false
    }

    fn media_types() -> &'static [&'static str] {
        &["application/octet-stream"]
    }
}

impl<T: Resource> IntoResponse for Drawn<T> {
    fn into_response(self) -> Response {
        match self {
            Self::Json(one) => one.into_response(),
            Self::Document(document) => document.into_response(),
        }
    }
}

impl<T: Resource> ReplySchema for Drawn<T> {
    fn status(dialect: Dialect) -> u16 {
        One::<T>::status(dialect)
    }

    fn schema(dialect: Dialect, schemas: &mut Schemas) -> Value {
        One::<T>::schema(dialect, schemas)
    }

    fn media_types() -> &'static [&'static str] {
        &["text/html", "text/csv"]
    }
}
