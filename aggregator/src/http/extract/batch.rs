//! A body that is one object or an array of them.

use super::{MAX_BODY_BYTES, is_json, read, typed, value};
use crate::http::error::{ErrorCode, Problem};
use crate::http::reply::Schemas;
use crate::http::table::{Input, Operation};
use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// At most `MOST` of them.
#[derive(Debug)]
pub(crate) struct Batch<T, const MOST: usize>(pub(crate) Vec<T>);

impl<T, const MOST: usize> Batch<T, MOST> {
    /// Where the item at `index` stands in the body, before the name of a field.
    pub(crate) fn place(&self, index: usize) -> String {
        if self.0.len() == 1 { String::new() } else { format!("{index}.") }
    }
}

impl<T: DeserializeOwned, S: Send + Sync, const MOST: usize> FromRequest<S> for Batch<T, MOST> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::new(
                ErrorCode::UnsupportedMediaType,
                "the body has to come as Content-Type: application/json",
            ));
        }
        let value = value(&read(request, MAX_BODY_BYTES).await?)?;
        let items = match value {
            Value::Array(items) if items.len() <= MOST => items,
            Value::Array(items) => {
                let many = items.len();
                let message =
                    format!("the body has {many} items, at most {MOST} are taken at once");
                return Err(Problem::new(ErrorCode::ValidationError, message));
            }
            one @ Value::Object(_) => return Ok(Self(vec![typed(one, "")?])),
            _ => {
                let message = "the body has to be a JSON object or an array of them";
                return Err(Problem::new(ErrorCode::ValidationError, message));
            }
        };
        let items = items.into_iter().enumerate();
        let items = items.map(|(index, item)| typed(item, &format!("{index}.")));
        items.collect::<Result<_, _>>().map(Self)
    }
}

impl<T: ToSchema, const MOST: usize> Input for Batch<T, MOST> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        let item = schemas.reference::<T>();
        let array = json!({ "type": "array", "maxItems": MOST, "items": item });
        let schema = json!({ "oneOf": [item, array] });
        operation.body = Some(json!({
            "required": true,
            "content": { "application/json": { "schema": schema } },
        }));
        operation.fails(&[
            ErrorCode::InvalidJson,
            ErrorCode::ValidationError,
            ErrorCode::PayloadTooLarge,
            ErrorCode::UnsupportedMediaType,
        ]);
    }
}
