//! The schemas of the same envelopes, for the OpenAPI documents.

use super::envelope::camel;
use super::{Accepted, Created, Listed, Many, One, Raw, Resource, Tagged};
use crate::http::dialect::Dialect;
use crate::http::listing::Listable;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
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

    /// The names of the fields of a `T`.
    pub(crate) fn fields<T: ToSchema>(&mut self) -> BTreeSet<String> {
        let whole = self.register::<T>(false);
        self.properties(&whole).into_iter().map(|(name, _)| name).collect()
    }

    /// Registers what of `T` an answer has that was asked for some of its fields alone.
    fn sparse<T: ToSchema>(&mut self, camel_case: bool) -> Value {
        let whole = self.register::<T>(camel_case);
        let properties = self.properties(&whole);
        let name = format!("Sparse{}", T::name());
        let mut schema = json!({
            "type": "object",
            "description": "With `fields`: these alone, and the id.",
            "properties": properties,
        });
        if schema["properties"].get("id").is_some() {
            schema["required"] = json!(["id"]);
        }
        self.0.insert(name.clone(), schema);
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }

    /// The properties of a schema, through references and parts.
    fn properties(&self, schema: &Value) -> Map<String, Value> {
        let mut found = Map::new();
        let name = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next());
        let schema = name.and_then(|name| self.0.get(name)).unwrap_or(schema);
        for part in schema["allOf"].as_array().into_iter().flatten() {
            found.extend(self.properties(part));
        }
        found.extend(schema["properties"].as_object().cloned().unwrap_or_default());
        found
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

impl<T: Listable> ReplySchema for Listed<T> {
    fn status(_: Dialect) -> u16 {
        200
    }

    fn is_list() -> bool {
        true
    }

    fn schema(dialect: Dialect, schemas: &mut Schemas) -> Value {
        let mut schema = Many::<T>::schema(dialect, schemas);
        let (place, camel_case) = match dialect {
            Dialect::V1 | Dialect::Ipc => ("data", false),
            Dialect::Flat => (T::FLAT.many, T::FLAT.camel),
        };
        let sparse = schemas.sparse::<T>(camel_case);
        let items = &mut schema["properties"][place]["items"];
        *items = json!({ "anyOf": [items.take(), sparse] });
        let included = T::included(schemas);
        if !included.is_empty() {
            schema["properties"]["included"] = json!({
                "type": "object",
                "description": "What `include` asked for.",
                "properties": included,
            });
        }
        schema
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
