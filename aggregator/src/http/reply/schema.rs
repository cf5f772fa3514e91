//! The schemas of the same envelopes, for the OpenAPI documents.

use super::envelope::camel;
use super::{Accepted, Created, Many, One, Raw, Resource, Tagged};
use crate::http::dialect::Dialect;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The components of one document, gathered while its routes are described.
#[derive(Debug, Default)]
pub(crate) struct Schemas(pub(crate) BTreeMap<String, Value>);

impl Schemas {
    /// Registers `T` with all that it refers to; the answer is a reference to it.
    pub(crate) fn reference<T: ToSchema>(&mut self) -> Value {
        self.register::<T>(false)
    }

    fn register<T: ToSchema>(&mut self, camel_case: bool) -> Value {
        let mut found = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut found);
        for (name, schema) in found {
            let mut schema = serde_json::to_value(schema).unwrap_or(Value::Bool(true));
            if camel_case {
                schema = camel_schema(schema);
            }
            self.0.insert(name, schema);
        }
        json!({ "$ref": format!("#/components/schemas/{}", T::name()) })
    }
}

/// The answer of a route as its document shows it.
pub(crate) trait ReplySchema {
    fn status(dialect: Dialect) -> u16;
    fn schema(dialect: Dialect, schemas: &mut Schemas) -> Value;
    /// Does a `Location` header come with it?
    fn located(_dialect: Dialect) -> bool {
        false
    }
    /// Does an `ETag` come with it, and 304 where the request knows it?
    fn tagged() -> bool {
        false
    }
    /// Does it come as JSON?
    fn json() -> bool {
        true
    }
    /// Is it a list?
    fn is_list() -> bool {
        false
    }
    /// Other media types than JSON that it comes in.
    fn media_types() -> &'static [&'static str] {
        &[]
    }
}

impl<T: Resource> ReplySchema for Tagged<T> {
    fn status(_: Dialect) -> u16 {
        200
    }

    fn schema(dialect: Dialect, schemas: &mut Schemas) -> Value {
        one::<T>(dialect, schemas)
    }

    fn tagged() -> bool {
        true
    }
}

impl<T: Resource> ReplySchema for One<T> {
    fn status(_: Dialect) -> u16 {
        200
    }

    fn schema(dialect: Dialect, schemas: &mut Schemas) -> Value {
        one::<T>(dialect, schemas)
    }
}

impl<T: Resource> ReplySchema for Created<T> {
    fn status(_: Dialect) -> u16 {
        201
    }

    fn schema(dialect: Dialect, schemas: &mut Schemas) -> Value {
        one::<T>(dialect, schemas)
    }

    fn located(_: Dialect) -> bool {
        true
    }
}

impl<T: Resource> ReplySchema for Accepted<T> {
    fn status(dialect: Dialect) -> u16 {
        match dialect {
            Dialect::V1 | Dialect::Ipc => 202,
            Dialect::Flat => 200,
        }
    }

    fn schema(dialect: Dialect, schemas: &mut Schemas) -> Value {
        one::<T>(dialect, schemas)
    }

    fn located(dialect: Dialect) -> bool {
        dialect != Dialect::Flat
    }
}

impl<T: Resource> ReplySchema for Many<T> {
    fn status(_: Dialect) -> u16 {
        200
    }

    fn is_list() -> bool {
        true
    }

    fn schema(dialect: Dialect, schemas: &mut Schemas) -> Value {
        match dialect {
            Dialect::V1 | Dialect::Ipc => {
                let items = schemas.register::<T>(false);
                v1(json!({ "type": "array", "items": items }), schemas)
            }
            Dialect::Flat => {
                let items = schemas.register::<T>(T::FLAT.camel);
                let mut properties = Map::new();
                properties.insert(T::FLAT.many.into(), json!({ "type": "array", "items": items }));
                flat(properties, T::FLAT.success)
            }
        }
    }
}

impl ReplySchema for Raw {
    fn status(_: Dialect) -> u16 {
        200
    }

    fn schema(_: Dialect, _: &mut Schemas) -> Value {
        json!({ "type": "object" })
    }
}

fn one<T: Resource>(dialect: Dialect, schemas: &mut Schemas) -> Value {
    match dialect {
        Dialect::V1 | Dialect::Ipc => {
            let data = schemas.register::<T>(false);
            v1(data, schemas)
        }
        Dialect::Flat => {
            let item = schemas.register::<T>(T::FLAT.camel);
            match T::FLAT.one {
                Some(key) => flat(Map::from_iter([(key.to_owned(), item)]), T::FLAT.success),
                None if T::FLAT.success => {
                    json!({ "allOf": [flat(Map::new(), true), item] })
                }
                None => item,
            }
        }
    }
}

fn v1(data: Value, schemas: &mut Schemas) -> Value {
    schemas.0.entry("Meta".into()).or_insert_with(|| {
        json!({
            "type": "object",
            "required": ["request_id"],
            "properties": {
                "request_id": { "type": "string" },
                "total": { "type": "integer", "minimum": 0 },
                "page": { "type": "integer", "minimum": 1 },
                "per_page": { "type": "integer", "minimum": 1 },
                "limit": { "type": "integer", "minimum": 1 },
                "next_cursor": { "type": ["string", "null"] },
            },
        })
    });
    schemas.0.entry("Links".into()).or_insert_with(|| {
        json!({
            "type": "object",
            "required": ["self"],
            "properties": {
                "self": { "type": "string" },
                "next": { "type": "string" },
                "prev": { "type": "string" },
            },
        })
    });
    json!({
        "type": "object",
        "required": ["data", "meta", "links"],
        "properties": {
            "data": data,
            "meta": { "$ref": "#/components/schemas/Meta" },
            "links": { "$ref": "#/components/schemas/Links" },
        },
    })
}

fn flat(mut properties: Map<String, Value>, success: bool) -> Value {
    let mut required: Vec<Value> = properties.keys().map(|key| key.clone().into()).collect();
    if success {
        properties.insert("success".into(), json!({ "type": "boolean", "const": true }));
        required.insert(0, "success".into());
    }
    json!({ "type": "object", "required": required, "properties": properties })
}

/// The schema of what `camel_value` makes of a value of `schema`.
fn camel_schema(schema: Value) -> Value {
    match schema {
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(key, value)| match (key.as_str(), value) {
                    ("properties", Value::Object(properties)) => {
                        let renamed = properties
                            .into_iter()
                            .map(|(name, schema)| (camel(&name), camel_schema(schema)));
                        (key, Value::Object(renamed.collect()))
                    }
                    ("required", Value::Array(names)) => {
                        let renamed = names.iter().filter_map(Value::as_str).map(camel);
                        (key, renamed.map(Value::from).collect())
                    }
                    (_, value) => (key, camel_schema(value)),
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(camel_schema).collect()),
        other => other,
    }
}
