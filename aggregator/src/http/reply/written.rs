//! A JSON body that is written in pieces, in every dialect of HTTP as it is.

use super::ReplySchema;
use super::schema::Schemas;
use crate::http::dialect::Dialect;
use crate::http::render::Final;
use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

#[derive(Debug)]
pub(crate) struct WrittenJson(pub(crate) Body);

impl IntoResponse for WrittenJson {
    fn into_response(self) -> Response {
        let mut response = self.0.into_response();
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        response.extensions_mut().insert(Final);
        response
    }
}

impl ReplySchema for WrittenJson {
    fn status(_: Dialect) -> u16 {
        200
    }

    fn schema(_: Dialect, _: &mut Schemas) -> Value {
        json!({ "type": "object", "additionalProperties": true })
    }
}
