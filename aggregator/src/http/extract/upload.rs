//! A file with some words about it, as a form of `multipart/form-data` (RFC 7578).

use super::too_large;
use crate::http::Api;
use crate::http::error::{ErrorCode, FieldError, Problem};
use crate::http::reply::Schemas;
use crate::http::table::{Input, Operation};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use multer::{Constraints, Multipart, SizeLimit};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::marker::PhantomData;

const MAX_WORDS: usize = 16;
const MAX_WORD_BYTES: u64 = 16 * 1024;
/// Boundaries and headers of the parts.
const MAX_FRAME_BYTES: u64 = 64 * 1024;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// What stands beside the file of a form.
pub(crate) trait Words {
    /// Of each field but `file`, its schema.
    fn fields() -> Vec<(&'static str, Value)>;
}

/// Of a topic's picture, sound or film.
#[derive(Debug)]
pub(crate) struct AssetWords;

impl Words for AssetWords {
    fn fields() -> Vec<(&'static str, Value)> {
        let text = json!({ "type": "string", "maxLength": 4096 });
        let kinds = super::super::resources::curricula::KINDS;
        let kind = json!({ "type": "string", "enum": kinds });
        vec![("type", kind), ("description", text.clone()), ("alt_text", text)]
    }
}

/// Of a plugin's component.
#[derive(Debug)]
pub(crate) struct ComponentWords;

impl Words for ComponentWords {
    fn fields() -> Vec<(&'static str, Value)> {
        let text = "The component's `.minisig`.";
        let signature = json!({ "type": "string", "maxLength": 4096, "description": text });
        vec![("signature", signature)]
    }
}

/// The field `file` and all others, which are words; `MAX` is the file's bound.
#[derive(Debug)]
pub(crate) struct Upload<const MAX: usize, W = AssetWords> {
    pub(crate) file: File,
    pub(crate) words: BTreeMap<String, String>,
    of: PhantomData<fn() -> W>,
}

pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("multipart/form-data")
}

impl<const MAX: usize, W> FromRequest<Api> for Upload<MAX, W> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        let _turn = turn(api)?;
        let value = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        let boundary = multer::parse_boundary(value.unwrap_or_default()).map_err(|_| {
            let message = "the body has to come as multipart/form-data with a boundary";
            Problem::new(ErrorCode::UnsupportedMediaType, message)
        })?;
        let sizes = SizeLimit::new()
            .whole_stream(MAX as u64 + MAX_FRAME_BYTES + MAX_WORDS as u64 * MAX_WORD_BYTES)
            .per_field(MAX_WORD_BYTES)
            .for_field("file", MAX as u64);
        let constraints = Constraints::new().size_limit(sizes);
        let body = request.into_body().into_data_stream();
        let mut form = Multipart::with_constraints(body, boundary, constraints);
        let (mut file, mut words) = (None, BTreeMap::new());
        while let Some(field) = form.next_field().await.map_err(|error| refused(&error, MAX))? {
            let name = field.name().unwrap_or_default().to_owned();
            let file_name = field.file_name().unwrap_or_default().chars().take(200).collect();
            let bytes = field.bytes().await.map_err(|error| refused(&error, MAX))?;
            if name == "file" {
                if file.is_some() {
                    return Err(fault("file", "stands there twice"));
                }
                file = Some(File { name: file_name, bytes: bytes.into() });
                continue;
            }
            if words.len() == MAX_WORDS {
                return Err(fault(&name, &format!("is one of more than {MAX_WORDS} fields")));
            }
            let text = String::from_utf8(bytes.into()).map_err(|_| fault(&name, "is no text"))?;
            if words.insert(name.clone(), text).is_some() {
                return Err(fault(&name, "stands there twice"));
            }
        }
        let missing = || {
            let field = FieldError::body("file", "missing_field", "is required");
            Problem::new(ErrorCode::MissingField, "the form has no file").field(field)
        };
        Ok(Self { file: file.ok_or_else(missing)?, words, of: PhantomData })
    }
}

/// A place among those whose files are taken in now.
pub(crate) fn turn(api: &Api) -> Result<tokio::sync::SemaphorePermit<'_>, Problem> {
    api.uploads.try_acquire().map_err(|_| {
        let message = "as many files are being taken in as may be at once";
        Problem::new(ErrorCode::Unavailable, message).retry_after(1)
    })
}

fn fault(field: &str, message: &str) -> Problem {
    Problem::invalid(vec![FieldError::body(field, "invalid_value", message)])
}

fn refused(error: &multer::Error, max: usize) -> Problem {
    match error {
        multer::Error::FieldSizeExceeded { field_name, .. }
            if field_name.as_deref() != Some("file") =>
        {
            let name = field_name.as_deref().unwrap_or("a field");
            fault(name, &format!("has more than {MAX_WORD_BYTES} bytes"))
        }
        multer::Error::FieldSizeExceeded { .. } | multer::Error::StreamSizeExceeded { .. } => {
            too_large(max)
        }
        multer::Error::StreamReadFailed(_) => {
            Problem::new(ErrorCode::BadRequest, "the body ended before its length")
        }
        _ => Problem::new(ErrorCode::BadRequest, format!("the form can't be read: {error}")),
    }
}

impl<const MAX: usize, W: Words> Input for Upload<MAX, W> {
    fn describe(operation: &mut Operation, _: &mut Schemas) {
        operation.body = Some(json!({
            "required": true,
            "content": { "multipart/form-data": { "schema": schema::<W>() } },
        }));
        operation.fails(&[
            ErrorCode::MissingField,
            ErrorCode::ValidationError,
            ErrorCode::BadRequest,
            ErrorCode::PayloadTooLarge,
            ErrorCode::UnsupportedMediaType,
            ErrorCode::Unavailable,
        ]);
    }
}

fn schema<W: Words>() -> Value {
    let file = ("file", json!({ "type": "string", "format": "binary" }));
    let fields = W::fields().into_iter().chain([file]);
    let properties: Map<String, Value> = fields.map(|(name, v)| (name.to_owned(), v)).collect();
    json!({ "type": "object", "required": ["file"], "properties": properties })
}
