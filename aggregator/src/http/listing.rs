//! The grammar of lists over HTTP: a list's table becomes the parameters of its document, and a
//! query string a question.

use super::error::{ErrorCode, FieldError, Problem};
use super::reply::{Listed, Many, Resource, Schemas};
use super::table::{Input, Operation};
use crate::clock::TIMES_BELOW;
use crate::listing::{Field, Kind, List, Listing, MAX_TEXT, parse};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde_json::{Map, Value, json};
use std::marker::PhantomData;

mod sift;

pub(crate) use sift::sift;

/// A resource that is listed, with what its list can be asked.
pub(crate) trait Listable: Resource {
    const LIST: List;
    /// Parameters that the handler reads by itself.
    const OTHERS: &'static [&'static str] = &[];

    /// The schema of what may be shown beside the list, each kind by its name.
    fn included(_schemas: &mut Schemas) -> Map<String, Value> {
        Map::new()
    }
}

/// What a list of `T` was asked. Anything that it does not know is refused.
#[derive(Debug)]
pub(crate) struct Asked<T>(pub(crate) Listing, pub(crate) PhantomData<fn() -> T>);

impl<T: Listable, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = form_urlencoded::parse(query.as_bytes());
        let pairs = pairs.map(|(name, value)| (name.into_owned(), value.into_owned()));
        let shown = || Schemas::default().fields::<T>();
        match parse(&T::LIST, T::OTHERS, shown, pairs) {
            Ok(listing) => Ok(Self(listing, PhantomData)),
            Err(faults) => {
                let faults = faults
                    .into_iter()
                    .map(|fault| FieldError::query(&fault.parameter, fault.code, fault.message));
                Err(Problem::invalid(faults.collect()))
            }
        }
    }
}

impl<T: Listable> Input for Asked<T> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        let list = T::LIST;
        operation.parameters.extend(list.fields.iter().map(filter));
        for field in list.fields.iter().filter(|field| field.bare) {
            let text = format!("The same as `filter[{}]`.", field.name);
            operation.parameters.push(parameter(field.name, &text, schema(field.kind)));
        }
        let searched = list.fields.iter().filter(|field| field.searched);
        let searched: Vec<_> = searched.map(|field| field.name).collect();
        if !searched.is_empty() {
            let text = format!("Part of {}, whatever its case.", searched.join(" or "));
            operation.parameters.push(parameter("q", &text, schema(Kind::Text)));
        }
        if list.is_sorted() && !list.fields.is_empty() {
            let names: Vec<_> = list.sortable().collect();
            let names = names.join("|");
            let pattern = format!("^(-?({names})(,-?({names})){{0,7}})?$");
            let text = "Fields by their weight; a `-` turns one. What is absent comes \
                        last; where it is empty the list has its own order.";
            let schema = json!({ "type": "string", "pattern": pattern });
            operation.parameters.push(parameter("sort", text, schema));
        }
        let shown: Vec<_> = schemas.fields::<T>().into_iter().collect();
        let text = "Only these of each item, and its id; all where it is empty.";
        operation.parameters.push(parameter("fields", text, listed(&shown)));
        if !list.includes.is_empty() {
            let text = "What is shown beside the list, as `included`.";
            operation.parameters.push(parameter("include", text, listed(list.includes)));
        }
        if list.labelled {
            let text = "A label selector: `rack=r12,tier in (a,b),!spare`.";
            let schema = json!({ "type": "string", "maxLength": 1024 });
            operation.parameters.push(parameter("labels", text, schema));
        }
        operation.fails(&[ErrorCode::ValidationError]);
    }
}

fn filter(field: &Field) -> Value {
    let operators: Vec<_> = field.kind.operators().iter().map(|one| one.name()).collect();
    let name = format!("filter[{}]", field.name);
    let text = match field.kind {
        Kind::View => "The other list where it is true: those, in place of these.".to_owned(),
        kind => {
            let others: Vec<_> =
                operators[1..].iter().map(|one| format!("`{name}[{one}]`")).collect();
            format!("Is {}. Besides: {}.", kind.words(), others.join(", "))
        }
    };
    let mut parameter = parameter(&name, &text, schema(field.kind));
    parameter["x-operators"] = operators.into();
    parameter
}

fn schema(kind: Kind) -> Value {
    match kind {
        Kind::Text => {
            json!({ "type": "string", "maxLength": MAX_TEXT, "pattern": "^[^\\u0000-\\u001F\\u007F-\\u009F]*$" })
        }
        Kind::Time => json!({ "anyOf": [
            { "type": "string", "format": "date-time" },
            { "type": "number", "minimum": 0, "exclusiveMaximum": TIMES_BELOW },
        ] }),
        Kind::Number => json!({ "type": "number" }),
        Kind::Boolean | Kind::View => json!({ "type": "boolean" }),
        Kind::OneOf(words) => json!({ "type": "string", "enum": words }),
        Kind::Id => json!({ "type": "string", "format": "uuid" }),
    }
}

/// Some of `names`, with commas between them.
fn listed<S: AsRef<str>>(names: &[S]) -> Value {
    let names = names.iter().map(AsRef::as_ref).collect::<Vec<_>>().join("|");
    json!({ "type": "string", "pattern": format!("^(({names})(,({names}))*)?$") })
}

fn parameter(name: &str, text: &str, schema: Value) -> Value {
    json!({
        "name": name, "in": "query", "required": false, "description": text, "schema": schema,
    })
}

impl<T: Listable> Many<T> {
    /// As it was asked: with no more fields than that.
    pub(crate) fn asked(mut self, listing: Listing) -> Listed<T> {
        self.fields = listing.fields;
        Listed(self)
    }
}

impl<T> Many<T> {
    /// Shows `items` beside the list.
    pub(crate) fn include(mut self, kind: &str, items: Vec<Value>) -> Self {
        self.included.insert(kind.into(), items.into());
        self
    }
}
